// YAML documents as a tree of nodes that know where they stand, read with libyaml, whose events are
// PyYAML's, so a file means here what it means to conda and to Azure's tools.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/location.h"
#include "core/result.h"

namespace cloche {

// A scalar, sequence or mapping. Scalars keep their text, so an unquoted 1.10 stays "1.10"; what
// YAML 1.1 (as PyYAML resolves it) would make of a plain scalar is asked for by name. A value type.
struct YamlNode {
  enum class Kind { kScalar, kSequence, kMapping };
  struct Member;

  Kind kind = Kind::kScalar;
  bool plain = true;  // a scalar without quotes: it may be null, a bool or a number
  std::string text;   // scalars
  std::vector<YamlNode> items;
  std::vector<Member> members;  // in the file's order; keys are scalars and unique
  Location at;

  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_mapping() const { return kind == Kind::kMapping; }
  bool is_null() const;                 // nothing, ~, null
  std::optional<bool> as_bool() const;  // YAML 1.1: yes/no/on/off/true/false
  bool is_number() const;               // a plain integer or float of YAML 1.1, dates left aside

  const YamlNode* find(std::string_view key) const;  // nullptr: absent, or not a mapping

  std::string_view kind_name() const;  // "a text", "a list", "a mapping", for messages

  // The same as JSON: numbers and booleans stay the text that was written when `as_text`, else are
  // resolved.
  Json to_json(bool as_text) const;
};

struct YamlNode::Member {
  YamlNode key;
  YamlNode value;
};

// Nodes of the largest document that is read, for people's files; they cost about 300 bytes each.
inline constexpr std::size_t kMaxYamlNodes = 200'000;

// kInvalid with line, column and a hint: malformed, a key twice in a mapping, a key that is no
// scalar, several documents, nested deeper than 64, over `max_nodes` nodes after aliases are
// expanded, or invalid UTF-8. An empty document is a null scalar. Anchors, aliases and merge keys
// (<<) are resolved.
Result<YamlNode> parse_yaml(std::string_view text, const std::string& file,
                            std::size_t max_nodes = kMaxYamlNodes);

// Block-style YAML of a JSON value, keys in their order, two blanks a level. A string is quoted
// wherever a YAML 1.1 reader would take it for something else; several lines become a literal block
// where that is exact. parse_yaml gives the same value back.
std::string to_yaml(const Json& value);

}  // namespace cloche
