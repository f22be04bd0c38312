#include "lock/yaml_record.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "lock/words.h"

namespace cloche::lock {

Result<YamlNode> parse_lock_yaml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxLockBytes) {
    return refuse({file, 0, 0},
                  fmt::format("larger than {} MiB, which no lock is", kMaxLockBytes >> 20U));
  }
  return parse_yaml(text, file, kMaxLockNodes);
}

Error refuse(const Location& at, std::string message, std::string hint) {
  Error error;
  error.kind = ErrorKind::kInvalid;
  error.message = std::move(message);
  error.hint = std::move(hint);
  error.at = at;
  return error;
}

Result<std::string> text_of(const YamlNode& node, std::string_view what) {
  if (!node.is_scalar() || node.is_null()) {
    return refuse(node.at, fmt::format("{} is {}, not a text", what, node.kind_name()));
  }
  return node.text;
}

Result<std::vector<std::string>> texts_of(const YamlNode& node, std::string_view what) {
  if (!node.is_sequence()) {
    return refuse(node.at, fmt::format("{} is {}, not a list", what, node.kind_name()));
  }
  std::vector<std::string> out;
  out.reserve(node.items.size());
  for (const YamlNode& item : node.items) {
    out.push_back(TRY(text_of(item, what)));
  }
  return out;
}

Result<std::map<std::string, std::vector<std::string>>> text_lists_of(const YamlNode& node,
                                                                      std::string_view key) {
  if (!node.is_mapping()) {
    return refuse(node.at, fmt::format("'{}' is {}, not a mapping", key, node.kind_name()));
  }
  std::map<std::string, std::vector<std::string>> out;
  const std::string what = fmt::format("an entry of '{}'", key);
  for (const YamlNode::Member& member : node.members) {
    out[member.key.text] = TRY(texts_of(member.value, what));
  }
  return out;
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    shown.push_back(printable(names[i]));
  }
  const std::string list = join(shown, ", ");
  return names.size() > kShown ? fmt::format("{} and {} more", list, names.size() - kShown) : list;
}

Result<YamlRecord> YamlRecord::open(const YamlNode& node, std::string_view what) {
  if (!node.is_mapping()) {
    return refuse(node.at, fmt::format("{} is {}, not a mapping", what, node.kind_name()));
  }
  return YamlRecord(&node, what);
}

const YamlNode* YamlRecord::find(std::string_view key) {
  asked_.push_back(key);
  const YamlNode* found = node_->find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

Result<const YamlNode*> YamlRecord::need(std::string_view key) {
  const YamlNode* found = find(key);
  if (found == nullptr) {
    return refuse_key(key, fmt::format("{} has no '{}'", what_, key));
  }
  return found;
}

Result<std::string> YamlRecord::text(std::string_view key) {
  const YamlNode* found = find(key);
  if (found == nullptr) {
    return std::string();
  }
  return text_of(*found, fmt::format("'{}'", key));
}

Result<std::string> YamlRecord::needed_text(std::string_view key) {
  return text_of(*TRY(need(key)), fmt::format("'{}'", key));
}

Result<std::string> YamlRecord::hash(std::string_view key, std::size_t digits) {
  std::string value = to_lower(TRY(text(key)));
  if (!value.empty() && !is_hex(value, digits)) {
    return refuse_key(key, fmt::format("'{}' is not {} hex digits", key, digits));
  }
  return value;
}

Result<std::int64_t> YamlRecord::integer(std::string_view key, std::int64_t low,
                                         std::int64_t high) {
  const std::string value = TRY(text(key));
  if (value.empty()) {
    return std::int64_t{0};
  }
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, problem] = std::from_chars(value.data(), end, number);
  if (problem != std::errc() || stop != end || number < low || number > high) {
    return refuse_key(key, fmt::format("'{}' is not a whole number from {} to {}", key, low, high));
  }
  return number;
}

Result<bool> YamlRecord::flag(std::string_view key) {
  const YamlNode* found = find(key);
  if (found == nullptr) {
    return false;
  }
  const auto value = found->as_bool();
  if (!value) {
    return refuse_key(key, fmt::format("'{}' is neither true nor false", key));
  }
  return *value;
}

Result<const std::vector<YamlNode>*> YamlRecord::list(std::string_view key) {
  const YamlNode* found = find(key);
  if (found == nullptr) {
    return nullptr;
  }
  if (!found->is_sequence()) {
    return refuse_key(key, fmt::format("'{}' is {}, not a list", key, found->kind_name()));
  }
  return &found->items;
}

Result<std::vector<std::string>> YamlRecord::texts(std::string_view key) {
  const YamlNode* found = find(key);
  if (found == nullptr) {
    return std::vector<std::string>();
  }
  return texts_of(*found, fmt::format("an entry of '{}'", key));
}

Error YamlRecord::refuse_key(std::string_view key, std::string message, std::string hint) const {
  const YamlNode* found = node_->find(key);
  return refuse(found == nullptr ? node_->at : found->at, std::move(message), std::move(hint));
}

void YamlRecord::warn_unknown(const std::string& rule, Diagnostics& diagnostics) const {
  constexpr std::size_t kMostWarnings = 100;  // a file with more is not meant to be read here
  for (const YamlNode::Member& member : node_->members) {
    if (std::ranges::find(asked_, member.key.text) != asked_.end()) {
      continue;
    }
    std::string message =
        fmt::format("{} knows no key '{}'; it is ignored", what_, printable(member.key.text));
    const auto& said = diagnostics.list();
    if (said.size() >= kMostWarnings ||
        std::ranges::find(said, message, &Diagnostic::message) != said.end()) {
      continue;
    }
    const std::string_view meant = nearest(member.key.text, asked_);
    diagnostics.warn(rule, member.key.at, std::move(message),
                     meant.empty() ? "" : fmt::format("did you mean '{}'?", meant));
  }
}

}  // namespace cloche::lock
