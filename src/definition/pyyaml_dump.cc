#include "definition/pyyaml_dump.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/text.h"

// PyYAML's emitter (yaml/emitter.py) as far as dicts, lists and scalars without tags and anchors
// reach it: block style, two blanks a level, lists below a key not indented, lines broken at a
// blank once they pass column 80, everything that is not printable ASCII escaped in double quotes.
// Columns count characters; since other characters are always escaped, those are bytes.
namespace cloche::definition {
namespace {

constexpr int kWidth = 80;
constexpr std::size_t kLongestKey = 120;  // from 128 on PyYAML writes "? key"; for an empty one too

bool is_break(char c) { return c == '\n'; }

bool is_printable_ascii(char c) { return c >= ' ' && c <= '~'; }

enum class Style { kPlain, kSingle, kDouble };

// What may stand without quotes in block context, and what single quotes can hold.
struct Shape {
  bool plain = true;
  bool single = true;
  bool multiline = false;
};

bool starts_as_indicator(std::string_view text) {
  static constexpr std::string_view kIndicators = "#,[]{}&*!|>'\"%@`";
  const bool alone = text.size() == 1 || text[1] == ' ' || text[1] == '\n' || text[1] == '\t' ||
                     text[1] == '\r' || text[1] == '\0';
  return text.starts_with("---") || text.starts_with("...") ||
         kIndicators.find(text.front()) != std::string_view::npos ||
         (alone && (text.front() == '?' || text.front() == ':' || text.front() == '-'));
}

// ": " and " #" within the text.
bool holds_indicator(std::string_view text) {
  const auto blank_at = [&](std::size_t i) {
    return i >= text.size() || text[i] == ' ' || text[i] == '\n' || text[i] == '\t' ||
           text[i] == '\r' || text[i] == '\0';
  };
  for (std::size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == ':' && blank_at(i + 1)) || (text[i] == '#' && blank_at(i - 1))) {
      return true;
    }
  }
  return false;
}

Shape shape_of(std::string_view text) {
  Shape out;
  if (text.empty()) {
    return out;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char before = i > 0 ? text[i - 1] : 'x';
    out.multiline = out.multiline || is_break(c);
    const bool special = !is_break(c) && !is_printable_ascii(c);
    if (special || (c == ' ' && is_break(before)) || (is_break(c) && before == ' ')) {
      out.single = false;
    }
  }
  const bool odd_end =
      text.front() == ' ' || text.back() == ' ' || is_break(text.front()) || is_break(text.back());
  out.plain = out.single && !out.multiline && !odd_end && !starts_as_indicator(text) &&
              !holds_indicator(text);
  return out;
}

// `resolves`: read back without quotes, it would be the same value.
Style style_of(std::string_view text, bool resolves, bool is_key) {
  const Shape shape = shape_of(text);
  if (resolves && shape.plain && !(is_key && text.empty())) {
    return Style::kPlain;
  }
  return shape.single && !(is_key && shape.multiline) ? Style::kSingle : Style::kDouble;
}

struct Scalar {
  std::string text;
  bool resolves = true;
};

Error unsupported(const YamlNode& node, std::string_view what) {
  return fail(ErrorKind::kUnsupported, "Azure's hash of {} cannot be computed: '{}'", what,
              printable(node.text))
      .with_location(node.at)
      .with_hint("quote it");
}

// The sum of digits to the base 60: 190:20:30.
Result<std::int64_t> sexagesimal(const YamlNode& node, std::string_view digits) {
  std::int64_t value = 0;
  for (const std::string_view part : split(digits, ':')) {
    std::int64_t one = 0;
    const auto end = std::from_chars(part.data(), part.data() + part.size(), one);
    if (end.ec != std::errc() || __builtin_mul_overflow(value, 60, &value) ||
        __builtin_add_overflow(value, one, &value)) {
      return unsupported(node, "this number");
    }
  }
  return value;
}

Result<std::string> int_text(const YamlNode& node) {
  std::string digits = node.text;
  std::erase(digits, '_');
  const bool negative = digits.starts_with('-');
  digits.erase(0, negative || digits.starts_with('+') ? 1 : 0);
  const std::string sign = negative ? "-" : "";
  const int base = digits.starts_with("0b")   ? 2
                   : digits.starts_with("0x") ? 16
                   : digits.starts_with('0')  ? 8
                                              : 10;
  if (base == 10 && digits.find(':') == std::string::npos) {
    return sign + digits;  // of any length
  }
  std::int64_t value = 0;
  if (base == 10) {
    value = TRY(sexagesimal(node, digits));
  } else if (digits != "0") {
    const std::string_view body = std::string_view(digits).substr(base == 8 ? 1 : 2);
    const auto end = std::from_chars(body.data(), body.data() + body.size(), value, base);
    if (end.ec != std::errc() || end.ptr != body.data() + body.size()) {
      return unsupported(node, "this number");
    }
  }
  return value == 0 ? std::string("0") : sign + std::to_string(value);
}

// Python's repr of a float: the shortest digits that read back, with an exponent below 1e-4 and
// from 1e16 on.
std::string repr(double value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  int exponent = 0;
  const std::string_view exponent_text = text.substr(e + (text[e + 1] == '+' ? 2 : 1));
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  const std::string sign = digits.starts_with('-') ? "-" : "";
  std::erase_if(digits, [](char c) { return c == '.' || c == '-'; });
  if (exponent < -4 || exponent >= 16) {
    const std::string fraction = digits.size() > 1 ? "." + digits.substr(1) : ".0";
    return fmt::format("{}{}{}e{}{:02}", sign, digits.substr(0, 1), fraction,
                       exponent < 0 ? "-" : "+", std::abs(exponent));
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  digits.append(whole + 1 > digits.size() ? whole + 1 - digits.size() : 0, '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

Result<std::string> float_text(const YamlNode& node) {
  std::string text = to_lower(node.text);
  std::erase(text, '_');
  if (text.ends_with("inf")) {
    return std::string(text.starts_with('-') ? "-.inf" : ".inf");
  }
  if (text.ends_with("nan")) {
    return std::string(".nan");
  }
  text.erase(0, text.starts_with('+') ? 1 : 0);
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) {
    return unsupported(node, "this number");
  }
  return repr(value);
}

// What yaml.dump writes for the value that safe_load made of the scalar.
Result<Scalar> scalar_of(const YamlNode& node) {
  const PlainType type = node.plain ? resolve_plain(node.text) : PlainType::kText;
  switch (type) {
    case PlainType::kNull:
      return Scalar{"null"};
    case PlainType::kBool:
      return Scalar{node.as_bool().value_or(false) ? "true" : "false"};
    case PlainType::kInt:
      return Scalar{TRY(int_text(node))};
    case PlainType::kFloat:
      return Scalar{TRY(float_text(node))};
    case PlainType::kTimestamp:
    case PlainType::kMerge:
    case PlainType::kValue:
      return unsupported(node, "this value");
    case PlainType::kText:
      break;
  }
  return Scalar{node.text, resolve_plain(node.text) == PlainType::kText};
}

class Emitter {
 public:
  Result<std::string> dump(const YamlNode& root) {
    TRY(value(root, 0, Place::kRoot));
    if (column_ > 0) {
      line_break();
    }
    return std::move(out_);
  }

 private:
  enum class Place { kRoot, kItem, kMember };

  void write(std::string_view text) {
    out_ += text;
    column_ += static_cast<int>(text.size());
  }

  void line_break() {
    out_ += '\n';
    column_ = 0;
  }

  // A new line that begins at `indent`.
  void new_line(int indent) {
    line_break();
    write(std::string(static_cast<std::size_t>(indent), ' '));
  }

  // Where an item's or a member's line begins: right here after "- ", else on a new line.
  void begin_line(int indent) {
    if (column_ != indent || !fresh_) {
      new_line(indent);
    }
    fresh_ = false;
  }

  // `indent` is that of the collection around the value.
  Status value(const YamlNode& node, int indent, Place place) {
    if (node.is_sequence() && !node.items.empty()) {
      return sequence(node, place == Place::kItem ? indent + 2 : indent);
    }
    if (node.is_mapping() && !node.members.empty()) {
      return mapping(node, place == Place::kRoot ? indent : indent + 2);
    }
    if (place != Place::kRoot && !fresh_) {
      write(" ");
    }
    fresh_ = false;
    if (!node.is_scalar()) {
      write(node.is_sequence() ? "[]" : "{}");
      return {};
    }
    const Scalar scalar = TRY(scalar_of(node));
    write_scalar(scalar, indent + 2, false);
    return {};
  }

  Status sequence(const YamlNode& node, int indent) {
    for (const YamlNode& item : node.items) {
      begin_line(indent);
      write("-");
      const bool nested = (item.is_sequence() && !item.items.empty()) ||
                          (item.is_mapping() && !item.members.empty());
      if (nested) {
        write(" ");
        fresh_ = true;
      }
      TRY(value(item, indent, Place::kItem));
    }
    return {};
  }

  Status mapping(const YamlNode& node, int indent) {
    for (const YamlNode::Member* member : TRY(sorted(node))) {
      begin_line(indent);
      const Scalar key = TRY(scalar_of(member->key));
      if (key.text.empty() || key.text.size() > kLongestKey ||
          key.text.find('\n') != std::string::npos) {
        return unsupported(member->key, "this key");
      }
      write_scalar(key, indent, true);
      write(":");
      TRY(value(member->value, indent, Place::kMember));
    }
    return {};
  }

  // Python sorts keys of one type, and leaves the order alone where it cannot compare them.
  static Result<std::vector<const YamlNode::Member*>> sorted(const YamlNode& node) {
    std::vector<const YamlNode::Member*> out;
    bool texts = true;
    for (const YamlNode::Member& member : node.members) {
      const PlainType type = member.key.plain ? resolve_plain(member.key.text) : PlainType::kText;
      texts = texts && type == PlainType::kText;
      out.push_back(&member);
    }
    if (texts) {
      std::ranges::sort(out, {}, [](const auto* member) { return member->key.text; });
    } else if (out.size() > 1) {
      return unsupported(node.members.front().key, "keys that are no texts");
    }
    return out;
  }

  void write_scalar(const Scalar& scalar, int indent, bool is_key) {
    switch (style_of(scalar.text, scalar.resolves, is_key)) {
      case Style::kPlain:
        write_words(scalar.text, indent, is_key, false);
        break;
      case Style::kSingle:
        write("'");
        write_words(scalar.text, indent, is_key, true);
        write("'");
        break;
      case Style::kDouble:
        write_double(scalar.text, indent, is_key);
        break;
    }
  }

  // Plain and single-quoted texts: runs of blanks, of line breaks and of other characters.
  void write_words(std::string_view text, int indent, bool is_key, bool quoted) {
    for (std::size_t at = 0; at < text.size();) {
      const auto same_run = [&](char c) {
        return (c == ' ') == (text[at] == ' ') && is_break(c) == is_break(text[at]);
      };
      std::size_t end = at;
      while (end < text.size() && same_run(text[end])) {
        ++end;
      }
      const std::string_view run = text.substr(at, end - at);
      if (is_break(text[at])) {
        out_.append(run.size() + 1, '\n');  // one line break more than meant: it folds into a blank
        column_ = 0;
        write(std::string(static_cast<std::size_t>(indent), ' '));
      } else if (text[at] == ' ') {
        const bool inside = !quoted || (at != 0 && end != text.size());
        if (run.size() == 1 && column_ > kWidth && !is_key && inside) {
          new_line(indent);
        } else {
          write(run);
        }
      } else {
        write_run(run, quoted);
      }
      at = end;
    }
  }

  void write_run(std::string_view run, bool quoted) {
    for (const char c : run) {
      write(quoted && c == '\'' ? std::string_view("''") : std::string_view(&c, 1));
    }
  }

  void write_double(std::string_view text, int indent, bool is_key) {
    const std::vector<std::string> pieces = escaped(text);
    write("\"");
    std::string pending;  // printable characters that are not written yet
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::string& piece = pieces[i];
      const bool blank = piece == " ";
      const bool escape = piece.size() > 1;
      if (escape) {
        write(std::exchange(pending, {}));
        write(piece);
      }
      // A line may end before a blank and on both sides of an escape; behind one, PyYAML counts a
      // column less.
      const bool may_end = i > 0 && i + 1 < pieces.size() && (blank || pending.empty()) && !is_key;
      const int column = column_ + static_cast<int>(pending.size()) - (escape ? 1 : 0);
      if (may_end && column > kWidth) {
        write(std::exchange(pending, {}));
        write("\\");
        new_line(indent);
        if (escape ? pieces[i + 1] == " " : blank) {
          write("\\");
        }
      }
      if (!escape) {
        pending += piece;
      }
    }
    write(pending);
    write("\"");
  }

  // Each character as it stands in double quotes.
  static std::vector<std::string> escaped(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
      const auto lead = static_cast<unsigned char>(text[at]);
      const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      std::uint32_t code = length == 1 ? lead : lead & (0x7fU >> length);
      for (std::size_t k = 1; k < length && at + k < text.size(); ++k) {
        code = (code << 6U) | (static_cast<unsigned char>(text[at + k]) & 0x3fU);
      }
      out.push_back(escape(code));
      at += length;
    }
    return out;
  }

  static std::string escape(std::uint32_t code) {
    static constexpr std::array<std::pair<std::uint32_t, char>, 15> kNamed = {{
        {0x00, '0'},
        {0x07, 'a'},
        {0x08, 'b'},
        {0x09, 't'},
        {0x0a, 'n'},
        {0x0b, 'v'},
        {0x0c, 'f'},
        {0x0d, 'r'},
        {0x1b, 'e'},
        {'"', '"'},
        {'\\', '\\'},
        {0x85, 'N'},
        {0xa0, '_'},
        {0x2028, 'L'},
        {0x2029, 'P'},
    }};
    const auto* named =
        std::ranges::find(kNamed, code, [](const auto& pair) { return pair.first; });
    if (named != kNamed.end()) {
      return {'\\', named->second};
    }
    if (code >= ' ' && code <= '~') {
      return {static_cast<char>(code)};
    }
    return code <= 0xff     ? fmt::format("\\x{:02X}", code)
           : code <= 0xffff ? fmt::format("\\u{:04X}", code)
                            : fmt::format("\\U{:08X}", code);
  }

  std::string out_;
  int column_ = 0;
  bool fresh_ = true;  // nothing but "- " and blanks stand in this line
};

}  // namespace

Result<std::string> pyyaml_dump(const YamlNode& node) {
  if (node.is_scalar()) {
    return fail(ErrorKind::kInvalid, "a mapping or a list is expected here, not {}",
                node.kind_name())
        .with_location(node.at);
  }
  return Emitter().dump(node);
}

}  // namespace cloche::definition
