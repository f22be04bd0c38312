#include "core/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <yaml.h>

#include "core/text.h"

namespace cloche {
namespace {

constexpr int kMaxDepth = 64;

class Parser {
 public:
  Parser(std::string_view text, const std::string& file, std::size_t max_nodes)
      : text_(text), file_(file), max_nodes_(max_nodes) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  ~Parser() {
    drop_event();
    yaml_parser_delete(&parser_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  Result<YamlNode> document() {
    TRY(next());  // stream start
    TRY(next());
    if (event_.type == YAML_STREAM_END_EVENT) {
      YamlNode empty;
      empty.at = {file_, 1, 1};
      return empty;
    }
    TRY(next());
    YamlNode root = TRY(node(0));
    TRY(next());  // document end
    TRY(next());
    if (event_.type != YAML_STREAM_END_EVENT) {
      return refuse(here(), "a second YAML document starts here")
          .with_hint("keep one document in the file; remove the '---' line");
    }
    return root;
  }

 private:
  void drop_event() {
    if (have_event_) {
      yaml_event_delete(&event_);
      have_event_ = false;
    }
  }

  Error refuse(Location at, std::string message) const {
    const auto lines = split_lines(text_);
    const auto index = static_cast<std::size_t>(at.line - 1);
    std::string excerpt(at.line > 0 && index < lines.size() ? lines[index] : std::string_view());
    return fail(ErrorKind::kInvalid, "{}", message)
        .with_location(std::move(at), std::move(excerpt));
  }

  Location locate(const yaml_mark_t& mark) const {
    return {file_, static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  }
  Location here() const { return locate(event_.start_mark); }

  Status next() {
    drop_event();
    if (yaml_parser_parse(&parser_, &event_) == 1) {
      have_event_ = true;
      return {};
    }
    std::string why = parser_.problem != nullptr ? parser_.problem : "cannot be read";
    yaml_mark_t mark = parser_.problem_mark;
    std::string hint = "check the indentation and the quotes around this line";
    if (parser_.error == YAML_READER_ERROR) {
      mark = parser_.mark;
      hint = "save the file as UTF-8 text";
    } else if (why == "found character that cannot start any token") {
      hint =
          "YAML is indented with blanks, not tabs; quote a text that starts with one of @ ` % or a "
          "tab";
    } else if (why == "mapping values are not allowed in this context") {
      hint = "quote a text that holds ': ', or check this line's indentation";
    }
    return refuse(locate(mark), "not valid YAML: " + why).with_hint(hint);
  }

  // The current event opens or is the node; afterwards it is the node's last event.
  Result<YamlNode> node(int depth) {
    if (depth > kMaxDepth) {
      return refuse(here(), fmt::format("nested deeper than {} levels", kMaxDepth));
    }
    switch (event_.type) {
      case YAML_SCALAR_EVENT:
        return scalar();
      case YAML_ALIAS_EVENT:
        return alias();
      case YAML_SEQUENCE_START_EVENT:
        return sequence(depth);
      default:
        return mapping(depth);
    }
  }

  Status count(const YamlNode& node, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > max_nodes_) {
      return refuse(node.at,
                    fmt::format("more than {} nodes once aliases are expanded", max_nodes_));
    }
    return {};
  }

  static std::string text_of(const unsigned char* text) {
    return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
  }

  Result<YamlNode> scalar() {
    YamlNode out;
    out.at = here();
    out.text.assign(reinterpret_cast<const char*>(event_.data.scalar.value),
                    event_.data.scalar.length);
    out.plain = event_.data.scalar.plain_implicit == 1 &&
                event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    TRY(count(out, 1));
    remember(text_of(event_.data.scalar.anchor), out, nodes_ - 1);
    return out;
  }

  Result<YamlNode> alias() {
    const std::string name = text_of(event_.data.alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return refuse(here(), fmt::format("the alias *{} has no anchor &{} above it", printable(name),
                                        printable(name)));
    }
    YamlNode out;
    out.at = here();
    TRY(count(out, found->second.nodes));  // before the copy is made
    out = found->second.node;
    out.at = here();
    return out;
  }

  Result<YamlNode> sequence(int depth) {
    YamlNode out;
    out.kind = YamlNode::Kind::kSequence;
    out.at = here();
    const std::string anchor = text_of(event_.data.sequence_start.anchor);
    const std::size_t before = nodes_;
    TRY(count(out, 1));
    for (TRY(next()); event_.type != YAML_SEQUENCE_END_EVENT; TRY(next())) {
      out.items.push_back(TRY(node(depth + 1)));
    }
    remember(anchor, out, before);
    return out;
  }

  Result<YamlNode> mapping(int depth) {
    YamlNode out;
    out.kind = YamlNode::Kind::kMapping;
    out.at = here();
    const std::string anchor = text_of(event_.data.mapping_start.anchor);
    const std::size_t before = nodes_;
    TRY(count(out, 1));
    SeenKeys seen;
    std::vector<YamlNode> merged;
    for (TRY(next()); event_.type != YAML_MAPPING_END_EVENT; TRY(next())) {
      YamlNode key = TRY(node(depth + 1));
      if (!key.is_scalar()) {
        return refuse(key.at, "a key of a mapping is not a plain text")
            .with_hint(
                "quote a text with braces: a template such as {{ name }} is no YAML by itself");
      }
      TRY(next());
      YamlNode value = TRY(node(depth + 1));
      if (key.plain && key.text == "<<") {
        merged.push_back(std::move(value));
        continue;
      }
      const auto [first, inserted] = seen.emplace(key.text, key.at);
      if (!inserted) {
        return refuse(key.at, fmt::format("the key '{}' stands twice; first in line {}",
                                          printable(key.text), first->second.line))
            .with_hint("keep one of them");
      }
      out.members.push_back({std::move(key), std::move(value)});
    }
    for (const YamlNode& source : merged) {
      TRY(merge(source, out, seen));
    }
    remember(anchor, out, before);
    return out;
  }

  using SeenKeys = std::map<std::string, Location, std::less<>>;

  // YAML 1.1's merge key: own keys win, then earlier sources.
  Status merge(const YamlNode& source, YamlNode& into, SeenKeys& seen) {
    if (source.is_sequence()) {
      for (const YamlNode& one : source.items) {
        TRY(merge(one, into, seen));
      }
      return {};
    }
    if (!source.is_mapping()) {
      return refuse(source.at, "the merge key << needs a mapping");
    }
    for (const YamlNode::Member& member : source.members) {
      if (seen.emplace(member.key.text, member.key.at).second) {
        into.members.push_back(member);
      }
    }
    return {};
  }

  void remember(const std::string& anchor, const YamlNode& node, std::size_t nodes_before) {
    if (!anchor.empty()) {
      anchors_[anchor] = {node, nodes_ - nodes_before};
    }
  }

  struct Anchored {
    YamlNode node;
    std::size_t nodes = 0;
  };

  std::string_view text_;
  const std::string& file_;
  std::size_t max_nodes_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool have_event_ = false;
  std::size_t nodes_ = 0;
  std::map<std::string, Anchored> anchors_;
};

bool all_in(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// YAML 1.1 as PyYAML resolves it.
bool is_integer_text(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text.starts_with("0b")) {
    return all_in(text.substr(2), "01_");
  }
  if (text.starts_with("0x")) {
    return all_in(text.substr(2), "0123456789abcdefABCDEF_");
  }
  if (text == "0") {
    return true;
  }
  if (text.starts_with('0')) {
    return all_in(text.substr(1), "01234567_");
  }
  if (text.empty() || text.front() == '_' || text.front() == ':') {
    return false;
  }
  if (text.find(':') != std::string_view::npos) {  // sexagesimal: 190:20:30
    const auto parts = split(text, ':');
    return all_in(parts.front(), "0123456789_") &&
           std::all_of(parts.begin() + 1, parts.end(), [](auto part) {
             return all_in(part, "0123456789") && part.size() <= 2 &&
                    (part.size() == 1 || part.front() < '6');
           });
  }
  return all_in(text, "0123456789_");
}

bool is_float_text(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  static constexpr std::array<std::string_view, 6> kNamed = {".inf", ".Inf", ".INF",
                                                             ".nan", ".NaN", ".NAN"};
  if (std::ranges::find(kNamed, text) != kNamed.end()) {
    return true;
  }
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) {
    return false;  // PyYAML wants the point: 1e3 is a text
  }
  const std::string_view whole = text.substr(0, point);
  std::string_view rest = text.substr(point + 1);
  const std::size_t e = rest.find_first_of("eE");
  if (e != std::string_view::npos) {
    const std::string_view exponent = rest.substr(e + 1);
    if ((!exponent.starts_with('-') && !exponent.starts_with('+')) ||
        !all_in(exponent.substr(1), "0123456789")) {
      return false;
    }
    rest = rest.substr(0, e);
  }
  const bool whole_fits = whole.empty() || (all_in(whole, "0123456789_") && whole.front() != '_');
  const bool rest_fits = rest.empty() || all_in(rest, "0123456789_");
  return whole_fits && rest_fits && !(whole.empty() && rest.empty());
}

bool is_date_text(
    std::string_view text) {  // 2001-12-14 and longer forms: PyYAML makes dates of them
  return text.size() >= 8 && all_in(text.substr(0, 4), "0123456789") && text[4] == '-' &&
         all_in(text.substr(0, 8), "0123456789-");
}

bool is_null_text(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> bool_of_text(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kTrue = {"yes",  "Yes", "YES", "true", "True",
                                                            "TRUE", "on",  "On",  "ON"};
  static constexpr std::array<std::string_view, 9> kFalse = {
      "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
  if (std::ranges::find(kTrue, text) != kTrue.end()) {
    return true;
  }
  if (std::ranges::find(kFalse, text) != kFalse.end()) {
    return false;
  }
  return std::nullopt;
}

// Whether a plain scalar with this text reads back as this very text.
bool safe_plain(std::string_view text) {
  if (is_null_text(text) || bool_of_text(text).has_value() || is_integer_text(text) ||
      is_float_text(text) || is_date_text(text) || text == "=" || text == "<<") {
    return false;
  }
  static constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`";
  const bool odd_start = kIndicators.find(text.front()) != std::string_view::npos;
  const bool dash_word = (text.front() == '-' || text.front() == '?' || text.front() == ':') &&
                         text.size() > 1 && text[1] != ' ' && text != "---";
  if ((odd_start && !dash_word) || text.starts_with("---") || text.starts_with("...")) {
    return false;
  }
  if (is_blank(text.front()) || is_blank(text.back()) || text.back() == ':') {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte >= 0x7f) {
      return false;
    }
    if ((text[i] == ':' && i + 1 < text.size() && text[i + 1] == ' ') ||
        (text[i] == '#' && i > 0 && text[i - 1] == ' ')) {
      return false;
    }
  }
  return true;
}

// A JSON string is a double-quoted YAML scalar, but for what YAML calls a line break or not
// printable.
std::string quoted(const std::string& text) {
  const std::string json = Json(text).dump();
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = std::string_view(json).substr(i);
    const auto byte = [&](std::size_t k) {
      return k < rest.size() ? static_cast<unsigned char>(rest[k]) : 0U;
    };
    if (byte(0) == 0x7f) {
      out += "\\u007f";
    } else if (byte(0) == 0xc2 && byte(1) < 0xa0) {
      out += fmt::format("\\u{:04x}", byte(1));
      i += 1;
    } else if ((byte(0) == 0xe2 && byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9)) ||
               (byte(0) == 0xef &&
                ((byte(1) == 0xbb && byte(2) == 0xbf) || (byte(1) == 0xbf && byte(2) >= 0xbe)))) {
      out += fmt::format("\\u{:04x}",
                         ((byte(0) & 0xfU) << 12U) | ((byte(1) & 0x3fU) << 6U) | (byte(2) & 0x3fU));
      i += 2;
    } else {
      out += rest.front();
    }
  }
  return out;
}

// Lines of printable ASCII or UTF-8 text without odd blanks: a literal block keeps them exactly.
bool fits_literal_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n' ||
      text.front() == '\t' || !is_valid_utf8(text)) {
    return false;
  }
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    return control || byte == 0xc2 || byte == 0xe2 ||
           byte == 0xef;  // c2 85, e2 80 a8, ef bb bf: YAML's own breaks and mark
  });
}

class Writer {
 public:
  std::string take() { return std::move(out_); }

  void value(const Json& json, int level, bool after_dash) {
    if (json.is_object() && !json.members().empty()) {
      object(json.members(), level, after_dash);
    } else if (json.is_array() && !json.items().empty()) {
      array(json.items(), level, after_dash);
    } else {
      out_ += scalar(json, level) + "\n";
    }
  }

 private:
  void indent(int level) { out_.append(static_cast<std::size_t>(level) * 2, ' '); }

  void object(const Json::Object& members, int level, bool after_dash) {
    bool first = true;
    for (const auto& [key, member] : members) {
      if (!first || !after_dash) {
        indent(level);
      }
      first = false;
      write_key(key, level);
      below(member, level);
    }
  }

  void array(const Json::Array& items, int level, bool after_dash) {
    bool first = true;
    for (const Json& item : items) {
      if (!first || !after_dash) {
        indent(level);
      }
      first = false;
      out_ += "- ";
      value(item, level + 1, true);
    }
  }

  void write_key(const std::string& key, int level) {
    constexpr std::size_t kLongestSimpleKey = 1000;  // YAML 1.1, "simple keys": 1024 characters
    const std::string text = safe_plain(key) ? key : quoted(key);
    if (text.size() > kLongestSimpleKey) {
      out_ += "? " + text + "\n";
      indent(level);
      out_ += ':';
    } else {
      out_ += text + ":";
    }
  }

  void below(const Json& member, int level) {
    const bool nested = (member.is_object() && !member.members().empty()) ||
                        (member.is_array() && !member.items().empty());
    if (nested) {
      out_ += '\n';
      value(member, level + 1, false);
    } else {
      out_ += " " + scalar(member, level) + "\n";
    }
  }

  static std::string scalar(const Json& json, int level) {
    if (!json.is_string()) {
      return json.is_array() ? "[]" : json.is_object() ? "{}" : json.dump();
    }
    const std::string& text = json.as_string();
    if (!text.empty() && safe_plain(text)) {
      return text;
    }
    if (!text.empty() && fits_literal_block(text)) {
      return literal_block(text, level);
    }
    return quoted(text);
  }

  static std::string literal_block(std::string_view text, int level) {
    const bool keep = text.ends_with("\n\n");
    std::string out = text.ends_with('\n') ? (keep ? "|+" : "|") : "|-";
    for (const std::string_view line :
         split(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text, '\n')) {
      out += '\n';
      if (!line.empty()) {
        out.append(static_cast<std::size_t>(level + 1) * 2, ' ').append(line);
      }
    }
    return out;
  }

  std::string out_;
};

Json number_of(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  std::int64_t integer = 0;
  const char* begin = digits.data() + (digits.starts_with('+') ? 1 : 0);
  const auto end = std::from_chars(begin, digits.data() + digits.size(), integer);
  const bool octal = digits.size() > 1 && digits.find_first_not_of("+-") != std::string::npos &&
                     digits[digits.find_first_not_of("+-")] == '0';
  if (end.ec == std::errc() && end.ptr == digits.data() + digits.size() && !octal) {
    return integer;
  }
  double number = 0;
  const auto float_end = std::from_chars(begin, digits.data() + digits.size(), number);
  if (float_end.ec == std::errc() && float_end.ptr == digits.data() + digits.size() &&
      is_float_text(text)) {
    return number;
  }
  return std::string(text);  // octal, hex, base 60: nobody means those here
}

}  // namespace

bool YamlNode::is_null() const { return is_scalar() && plain && is_null_text(text); }

std::optional<bool> YamlNode::as_bool() const {
  return is_scalar() && plain ? bool_of_text(text) : std::nullopt;
}

bool YamlNode::is_number() const {
  return is_scalar() && plain && (is_integer_text(text) || is_float_text(text));
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key.text == key) {
      return &member.value;
    }
  }
  return nullptr;
}

std::string_view YamlNode::kind_name() const {
  switch (kind) {
    case Kind::kScalar:
      return is_null() ? "nothing" : "a text";
    case Kind::kSequence:
      return "a list";
    case Kind::kMapping:
      return "a mapping";
  }
  return "a text";
}

Json YamlNode::to_json(bool as_text) const {
  if (is_sequence()) {
    Json out = Json::array();
    for (const YamlNode& item : items) {
      out.push(item.to_json(as_text));
    }
    return out;
  }
  if (is_mapping()) {
    Json out = Json::object();
    for (const Member& member : members) {
      out.members().emplace_back(member.key.text, member.value.to_json(as_text));
    }
    return out;
  }
  if (is_null()) {
    return {};
  }
  if (!as_text) {
    if (const auto boolean = as_bool()) {
      return *boolean;
    }
    if (is_number()) {
      return number_of(text);
    }
  }
  return text;
}

Result<YamlNode> parse_yaml(std::string_view text, const std::string& file, std::size_t max_nodes) {
  return Parser(text, file, max_nodes).document();
}

std::string to_yaml(const Json& value) {
  Writer writer;
  writer.value(value, 0, false);
  return writer.take();
}

}  // namespace cloche
