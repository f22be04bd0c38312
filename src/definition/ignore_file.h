// .amlignore and .gitignore as Azure ML's client reads them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::definition {

// gitignore's pattern language in the reading of Python's pathspec ("GitWildMatchPattern"), which
// Azure's client carries along: blanks at both ends of a line never count, "dir/" ignores what is
// below dir but not dir itself, "[^a]" holds a caret, and the last pattern that matches decides,
// even when a directory above is ignored. Matching takes time proportional to pattern x path at
// most.
class IgnoreFile {
 public:
  // Ignores nothing.
  IgnoreFile() = default;

  // kInvalid, with the line: a pattern that the client refuses as well ("!", a final backslash), or
  // more than 10,000 patterns. `file` names it in errors.
  static Result<IgnoreFile> parse(std::string_view text, const std::string& file);

  // Whether the path (relative to the ignore file's directory, '/' between parts) is left out.
  bool ignores(std::string_view path) const;

  bool empty() const { return patterns_.empty(); }

 private:
  struct Step {
    enum class Kind { kGlob, kOne, kAny };  // one part that matches, any one part, any parts
    Kind kind = Kind::kAny;
    std::string glob;
  };
  struct Pattern {
    bool negated = false;
    std::vector<Step> steps;
  };
  static Result<Pattern> compile(std::string_view line);
  static bool matches(const Pattern& pattern, const std::vector<std::string_view>& parts);

  std::vector<Pattern> patterns_;
};

}  // namespace cloche::definition
