// Reading a YAML mapping by its keys, with errors that name the line.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"
#include "core/excerpt.h"
#include "core/result.h"
#include "core/yaml.h"
#include "lock/formats.h"

namespace cloche::lock {

// A lock of 4,000 packages with everything that a channel says of them; foreign ones hold several
// platforms.
inline constexpr std::size_t kMaxLockNodes = 400'000;

// The root of a lock's text. kInvalid: larger than kMaxLockBytes, or what parse_yaml refuses.
Result<YamlNode> parse_lock_yaml(std::string_view text, const std::string& file);

// Parses the text as YAML and calls `read(root, diagnostics)`; whatever it says of the file gets
// the text of its line.
template <class Read>
auto with_excerpts(std::string_view text, const std::string& file, Diagnostics& diagnostics,
                   Read read) -> decltype(read(YamlNode(), diagnostics)) {
  using Answer = decltype(read(YamlNode(), diagnostics));
  const Excerpts lines(text, file);
  Diagnostics found;
  auto answer = [&]() -> Answer {
    const YamlNode root = TRY(parse_lock_yaml(text, file));
    return read(root, found);
  }();
  lines.append(found, diagnostics);
  if (!answer) {
    lines.fill(answer.error());
  }
  return answer;
}

// kInvalid at a place.
Error refuse(const Location& at, std::string message, std::string hint = "");

// A view of one mapping, which must outlive it. A key whose value is null counts as absent. Reading
// remembers the keys that were asked for.
class YamlRecord {
 public:
  // kInvalid: no mapping. `what` names it in messages: "a package".
  static Result<YamlRecord> open(const YamlNode& node, std::string_view what);

  const Location& at() const { return node_->at; }
  const YamlNode* find(std::string_view key);  // nullptr: absent
  Result<const YamlNode*> need(std::string_view key);

  // "" where it is absent.
  Result<std::string> text(std::string_view key);
  Result<std::string> needed_text(std::string_view key);
  // Hex digits, exactly so many, or "".
  Result<std::string> hash(std::string_view key, std::size_t digits);
  // 0 where it is absent.
  Result<std::int64_t> integer(std::string_view key, std::int64_t low = 0,
                               std::int64_t high = std::numeric_limits<std::int64_t>::max());
  Result<bool> flag(std::string_view key);  // false where it is absent
  // Empty where it is absent.
  Result<std::vector<std::string>> texts(std::string_view key);
  // The items of a list, nullptr where it is absent.
  Result<const std::vector<YamlNode>*> list(std::string_view key);

  // An error at the key's value, or at the mapping where the key is absent.
  Error refuse_key(std::string_view key, std::string message, std::string hint = "") const;

  // A warning for each key that nobody asked for, with the nearest one that was; the same one is
  // said once a file.
  void warn_unknown(const std::string& rule, Diagnostics& diagnostics) const;

 private:
  YamlRecord(const YamlNode* node, std::string_view what) : node_(node), what_(what) {}
  const YamlNode* node_;
  std::string_view what_;
  std::vector<std::string_view> asked_;
};

// A scalar that is no null.
Result<std::string> text_of(const YamlNode& node, std::string_view what);

// A list of them; `what` names an entry.
Result<std::vector<std::string>> texts_of(const YamlNode& node, std::string_view what);

// A mapping from texts to lists of texts, `key` of a record.
Result<std::map<std::string, std::vector<std::string>>> text_lists_of(const YamlNode& node,
                                                                      std::string_view key);

// "a, b, c and 7 more", printable: for hints about files that hold any number of things.
std::string some_of(const std::vector<std::string>& names);

}  // namespace cloche::lock
