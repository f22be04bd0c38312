#include "definition/yaml_fields.h"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/placeholder.h"

namespace cloche::definition {

Error fail_at(const YamlNode& node, ErrorKind kind, std::string message, std::string hint) {
  return fail(kind, "{}", message).with_location(node.at).with_hint(std::move(hint));
}

Error wrong(const YamlNode& node, std::string message, std::string hint) {
  return fail_at(node, ErrorKind::kInvalid, std::move(message), std::move(hint));
}

Error placed(Error error, const YamlNode& node) {
  if (error.at.file.empty()) {
    error.at = node.at;
    error.excerpt.clear();
  }
  return error;
}

Status placed_at(Status status, const YamlNode& node) {
  return status.has_value() ? std::move(status) : Status(placed(std::move(status).error(), node));
}

Result<std::string> text_of(const YamlNode& node) {
  if (!node.is_scalar()) {
    return wrong(node, fmt::format("a text is expected here, not {}", node.kind_name()));
  }
  if (node.text.find('\0') != std::string::npos) {
    return wrong(node, "the text holds a NUL character");
  }
  return node.text;
}

Result<std::string> filled_text(const YamlNode& node) {
  std::string text = TRY(text_of(node));
  if (const std::string hint = placeholder_hint(text); !hint.empty()) {
    return wrong(node, "a template's placeholder stands where a value is needed", hint);
  }
  if (trim(text).empty()) {
    return wrong(node, "the text is empty");
  }
  return text;
}

Result<StringMap> texts_of(const YamlNode& node) {
  if (!node.is_mapping()) {
    return wrong(node, fmt::format("a mapping of texts is expected here, not {}", node.kind_name()),
                 "write each as an indented line 'key: value'");
  }
  constexpr std::size_t kMaxEntries = 1000;
  if (node.members.size() > kMaxEntries) {
    return wrong(node, fmt::format("more than {} entries", kMaxEntries),
                 "keep what describes the environment; long lists belong into a file");
  }
  StringMap out;
  for (const auto& [key, value] : node.members) {
    if (!value.is_scalar()) {
      return wrong(value, fmt::format("'{}' is {}; a text is expected", printable(key.text),
                                      value.kind_name()));
    }
    out[key.text] = value.is_null() ? std::string() : TRY(text_of(value));
  }
  return out;
}

Result<StringMap> variables_of(const YamlNode& node) {
  StringMap variables = TRY(texts_of(node));
  for (const auto& [key, value] : node.members) {
    if (key.text.empty() ||
        key.text.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      return wrong(key, fmt::format("'{}' is no name of a variable", printable(key.text)));
    }
  }
  return variables;
}

Result<std::int64_t> integer_of(const YamlNode& node, std::int64_t low, std::int64_t high,
                                const std::string& what) {
  const std::string text = TRY(text_of(node));
  std::int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || value < low ||
      value > high) {
    return wrong(node, fmt::format("{} is a whole number from {} to {}, not '{}'", what, low, high,
                                   printable(text)));
  }
  return value;
}

}  // namespace cloche::definition
