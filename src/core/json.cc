#include "core/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/text.h"

namespace cloche {

const Json* Json::find(std::string_view key) const {
  if (!is_object()) {
    return nullptr;
  }
  for (const Member& member : members()) {
    if (member.first == key) {
      return &member.second;
    }
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* found = find(key);
  return found != nullptr ? *found : kNull;
}

std::string Json::string_or_empty(std::string_view key) const {
  const Json& value = (*this)[key];
  return value.is_string() ? value.as_string() : std::string();
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) {
    value_ = Object{};
  }
  for (Member& member : members()) {
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  }
  members().emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) {
    value_ = Array{};
  }
  items().push_back(std::move(value));
  return *this;
}

namespace {

// RFC 8785, 3.2.2.2: the two-character escapes, \u00xx for other control characters, the rest as it
// is.
void write_string(std::string_view text, std::string& out) {
  static constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  out += '"';
  const bool valid = is_valid_utf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20) {
          out += fmt::format("\\u{:04x}", byte);
        } else if (byte >= 0x80 && !valid) {
          out += kReplacement;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// RFC 8785, 3.2.2.3: ECMAScript's Number::toString. to_chars gives the same shortest digits.
void write_double(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";  // JSON has no infinities; JSON.stringify writes null
    return;
  }
  if (value == 0) {
    out += '0';  // also for -0
    return;
  }
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value),
                                 std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // ECMAScript's n
  if (value < 0) {
    out += '-';
  }
  if (count <= point && point <= 21) {
    out += digits + std::string(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point)) + "." +
           digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    out += digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + "e" +
           (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
  }
}

// The order of RFC 8785, 3.2.3: by UTF-16 code units. Code points above U+FFFF become surrogates
// (D800-DFFF), so they sort before U+E000-U+FFFF: in UTF-8, lead bytes F0-F4 before EE and EF.
bool utf16_less(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto x = static_cast<unsigned char>(a[i]);
    const auto y = static_cast<unsigned char>(b[i]);
    if (x == y) {
      continue;
    }
    const bool x_supplementary = x >= 0xf0;
    const bool y_supplementary = y >= 0xf0;
    if (x_supplementary != y_supplementary) {
      const unsigned char other = x_supplementary ? y : x;
      if (other >= 0xee) {
        return x_supplementary;
      }
    }
    return x < y;
  }
  return a.size() < b.size();
}

struct Style {
  int indent = 0;
  bool canonical = false;
};

void write(const Json& value, const Style& style, int level, std::string& out);

void new_line(const Style& style, int level, std::string& out) {
  if (style.indent > 0) {
    out += '\n';
    out.append(static_cast<std::size_t>(style.indent) * static_cast<std::size_t>(level), ' ');
  }
}

void write_array(const Json::Array& items, const Style& style, int level, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    out += i > 0 ? "," : "";
    new_line(style, level + 1, out);
    write(items[i], style, level + 1, out);
  }
  if (!items.empty()) {
    new_line(style, level, out);
  }
  out += ']';
}

void write_object(const Json::Object& members, const Style& style, int level, std::string& out) {
  std::vector<const Json::Member*> order;
  order.reserve(members.size());
  for (const Json::Member& member : members) {
    order.push_back(&member);
  }
  if (style.canonical) {
    std::ranges::sort(order, [](auto* a, auto* b) { return utf16_less(a->first, b->first); });
  }
  out += '{';
  for (std::size_t i = 0; i < order.size(); ++i) {
    out += i > 0 ? "," : "";
    new_line(style, level + 1, out);
    write_string(order[i]->first, out);
    out += style.indent > 0 ? ": " : ":";
    write(order[i]->second, style, level + 1, out);
  }
  if (!order.empty()) {
    new_line(style, level, out);
  }
  out += '}';
}

void write(const Json& value, const Style& style, int level, std::string& out) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_integer()) {
    out += std::to_string(value.as_integer());
  } else if (value.is_double()) {
    write_double(value.as_double(), out);
  } else if (value.is_string()) {
    write_string(value.as_string(), out);
  } else if (value.is_array()) {
    write_array(value.items(), style, level, out);
  } else {
    write_object(value.members(), style, level, out);
  }
}

// Builds the tree from nlohmann's events and stops at the first thing that is not allowed.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) {
      return add(static_cast<double>(value));
    }
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return refuse("binary data"); }
  bool start_object(std::size_t /*count*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*count*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (!is_new_key(value)) {
      return refuse(fmt::format("the key \"{}\" stands twice in one object", printable(value)));
    }
    keys_.back() = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    position_ = position;
    const std::string_view what =
        error.what();  // "[json.exception.parse_error.101] parse error at ...: why"
    const std::size_t why = what.find("syntax error");
    problem_ = printable(why == std::string_view::npos ? what : what.substr(why));
    return false;
  }

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }
  std::size_t position() const { return position_; }

 private:
  static constexpr std::size_t kMaxDepth = 128;

  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  // Most objects are small, where looking through is quickest; a set keeps large ones linear.
  bool is_new_key(const std::string& key) {
    constexpr std::size_t kSmall = 16;
    const Json::Object& members = open_.back().members();
    if (members.size() < kSmall) {
      return open_.back().find(key) == nullptr;
    }
    std::unordered_set<std::string>& seen = seen_.back();
    if (seen.empty()) {
      for (const Json::Member& member : members) {
        seen.insert(member.first);
      }
    }
    return seen.insert(key).second;
  }
  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().push(std::move(value));
    } else {
      open_.back().members().emplace_back(keys_.back(), std::move(value));
    }
    return true;
  }
  bool open(Json value) {
    if (open_.size() >= kMaxDepth) {
      return refuse(fmt::format("nested deeper than {} levels", kMaxDepth));
    }
    open_.push_back(std::move(value));
    keys_.emplace_back();
    seen_.emplace_back();
    return true;
  }
  bool close() {
    Json done = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    seen_.pop_back();
    return add(std::move(done));
  }

  Json root_;
  std::vector<Json> open_;
  std::vector<std::string> keys_;
  std::vector<std::unordered_set<std::string>> seen_;
  std::string problem_;
  std::size_t position_ = 0;
};

// Counts the bytes that the parser has taken, so that errors of ours have a place too.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

Location locate(std::string_view text, std::size_t position, const std::string& file) {
  const std::string_view before = text.substr(0, std::min(position, text.size()));
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {file, static_cast<int>(std::ranges::count(before, '\n')) + 1,
          static_cast<int>(before.size() - line_start) + 1};
}

}  // namespace

std::string Json::dump(int indent) const {
  std::string out;
  write(*this, {indent, false}, 0, out);
  return out;
}

std::string Json::canonical() const {
  std::string out;
  write(*this, {0, true}, 0, out);
  return out;
}

Result<Json> parse_json(std::string_view text, const std::string& file) {
  TreeBuilder builder;
  std::size_t count = 0;
  const char* begin =
      text.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): the end goes along
  const bool parsed = nlohmann::json::sax_parse(
      CountingIterator(begin, &count), CountingIterator(begin + text.size(), &count), &builder);
  if (!parsed) {
    const std::size_t position = builder.position() > 0 ? builder.position() - 1
                                 : count > 0            ? count - 1
                                                        : 0;
    return fail(ErrorKind::kInvalid, "not valid JSON: {}", builder.problem())
        .with_location(locate(text, position, file));
  }
  return builder.take();
}

}  // namespace cloche
