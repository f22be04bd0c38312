#include "package/debian/paragraph.h"

#include <algorithm>

#include "core/text.h"

namespace cloche::debian {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// deb822(5): printable ASCII but blanks and ':', not beginning with '#' or '-'.
bool is_field_name(std::string_view name) {
  constexpr char kFirst = 33;
  constexpr char kLast = 126;
  return !name.empty() && name[0] != '#' && name[0] != '-' &&
         std::ranges::all_of(name, [](char c) { return c >= kFirst && c <= kLast && c != ':'; });
}

bool is_continuation(std::string_view line) {
  return !line.empty() && (line[0] == ' ' || line[0] == '\t');
}

}  // namespace

const Field* Paragraph::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(fields_, [&](const Field& one) { return same_name(one.name, name); });
  return found == fields_.end() ? nullptr : &*found;
}

std::string_view Paragraph::value(std::string_view name) const {
  const Field* const field = find(name);
  return field == nullptr ? std::string_view() : field->value;
}

bool Paragraph::has(std::string_view name) const { return find(name) != nullptr; }

std::string_view ParagraphReader::take_line() {
  const std::size_t end = std::min(text_.find('\n', at_), text_.size());
  const std::string_view line = text_.substr(at_, end - at_);
  at_ = std::min(end + 1, text_.size());
  ++line_;
  return line;
}

Error ParagraphReader::invalid(std::string_view line, std::string_view why) const {
  constexpr std::size_t kShown = 200;
  return fail(ErrorKind::kInvalid, "{}", why)
      .with_location({file_, line_, 1}, std::string(line.substr(0, kShown)));
}

Status ParagraphReader::take_field(std::string_view line, Paragraph& out) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return invalid(line, "this line is no field: 'Name: value' was expected");
  }
  const std::string_view name = trim_right(line.substr(0, colon));
  if (!is_field_name(name)) {
    return invalid(line, "this is no field's name");
  }
  if (out.has(name)) {
    return invalid(line, "the field stands twice");
  }
  if (out.fields_.size() == kMaxFields) {
    return invalid(line, "the paragraph has too many fields");
  }
  out.fields_.push_back({name, line.substr(colon + 1)});
  return {};
}

Result<bool> ParagraphReader::next(Paragraph& out) {
  out.fields_.clear();
  while (at_ < text_.size()) {
    const std::size_t begin = at_;
    const std::string_view line = take_line();
    if (comments_ == Comments::kYes && line.starts_with('#')) {
      continue;
    }
    if (trim(line).empty()) {
      if (!out.fields_.empty()) {
        break;
      }
      continue;
    }
    if (is_continuation(line)) {
      if (out.fields_.empty()) {
        return invalid(line, "this line continues no field");
      }
      // Up to the end of this line; what lies between are lines of the value, and comments.
      std::string_view& value = out.fields_.back().value;
      value = text_.substr(value_at_, begin + line.size() - value_at_);
      continue;
    }
    if (out.fields_.empty()) {
      out.line_ = line_;
    }
    TRY(take_field(line, out));
    value_at_ = begin + line.size() - out.fields_.back().value.size();
  }
  for (Field& field : out.fields_) {
    field.value = trim(field.value);
  }
  return !out.fields_.empty();
}

std::vector<std::string_view> value_lines(std::string_view value) {
  std::vector<std::string_view> out;
  for (const std::string_view line : split_lines(value)) {
    const std::string_view text = trim(line);
    if (!text.empty()) {
      out.push_back(text);
    }
  }
  return out;
}

std::vector<std::string_view> value_words(std::string_view value) {
  std::vector<std::string_view> out;
  std::size_t at = 0;
  while (at < value.size()) {
    while (at < value.size() && is_blank(value[at])) {
      ++at;
    }
    const std::size_t begin = at;
    while (at < value.size() && !is_blank(value[at])) {
      ++at;
    }
    if (at > begin) {
      out.push_back(value.substr(begin, at - begin));
    }
  }
  return out;
}

}  // namespace cloche::debian
