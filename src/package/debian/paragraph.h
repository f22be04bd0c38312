// Control data: paragraphs of fields, as Packages, Release, dpkg's status, control files and deb822
// sources have them (deb822(5), Policy 5.1). docs/formats/debian-control.md
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::debian {

struct Field {
  std::string_view name;   // as written
  std::string_view value;  // without blanks at both ends; continuation lines with their line ends
};

// Views into the text that was read.
class Paragraph {
 public:
  // The value, or "" where there is none; names are compared without case.
  std::string_view value(std::string_view name) const;
  bool has(std::string_view name) const;
  const std::vector<Field>& fields() const { return fields_; }
  int line() const { return line_; }  // of its first field, from 1

 private:
  friend class ParagraphReader;
  const Field* find(std::string_view name) const;
  std::vector<Field> fields_;
  int line_ = 0;
};

// Reads one paragraph after the other; the text outlives what it gives. Linear time.
class ParagraphReader {
 public:
  static constexpr std::size_t kMaxFields = 256;  // of a paragraph

  enum class Comments { kNo, kYes };  // whether lines that begin with '#' say nothing
  explicit ParagraphReader(std::string_view text, std::string file = "",
                           Comments comments = Comments::kNo)
      : text_(text), file_(std::move(file)), comments_(comments) {}

  // False at the end. kInvalid with the line: no "Name: value", a continuation without a field, a
  // field twice, more than kMaxFields.
  Result<bool> next(Paragraph& out);

 private:
  std::string_view take_line();
  Status take_field(std::string_view line, Paragraph& out);
  Error invalid(std::string_view line, std::string_view why) const;

  std::string_view text_;
  std::string file_;
  Comments comments_;
  std::size_t at_ = 0;
  std::size_t value_at_ = 0;  // where the last field's value begins
  int line_ = 0;
};

// The lines of a value of several, each without blanks at both ends; empty ones are left out.
std::vector<std::string_view> value_lines(std::string_view value);

// The words of a value, between blanks and line ends.
std::vector<std::string_view> value_words(std::string_view value);

}  // namespace cloche::debian
