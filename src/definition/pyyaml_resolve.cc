#include <algorithm>
#include <array>
#include <cstddef>

#include "definition/pyyaml_dump.h"

// By hand instead of by std::regex, whose recursion a long text would exhaust.
namespace cloche::definition {
namespace {

// Walks a text from left to right; every function takes as much as fits.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool starts_with(std::string_view text) const { return rest_.starts_with(text); }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) {
      return false;
    }
    rest_.remove_prefix(text.size());
    return true;
  }

  bool take_one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  // At most `limit` of them; how many.
  std::size_t take_all(std::string_view allowed, std::size_t limit = std::string_view::npos) {
    std::size_t count = 0;
    while (count < limit && take_one_of(allowed)) {
      ++count;
    }
    return count;
  }

 private:
  std::string_view rest_;
};

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsAndLine = "0123456789_";

// ":[0-5]?[0-9]", at least once: numbers to the base 60.
bool take_sexagesimal(Cursor& cursor) {
  bool any = false;
  while (cursor.take(":")) {
    const bool two = cursor.take_one_of("012345");
    if (!cursor.take_one_of(kDigits) && !two) {
      return false;
    }
    any = true;
  }
  return any;
}

bool is_int(std::string_view text) {
  Cursor cursor(text);
  cursor.take_one_of("+-");
  if (cursor.take("0b")) {
    return cursor.take_all("01_") > 0 && cursor.at_end();
  }
  if (cursor.take("0x")) {
    return cursor.take_all("0123456789abcdefABCDEF_") > 0 && cursor.at_end();
  }
  if (cursor.take("0")) {
    cursor.take_all("01234567_");
    return cursor.at_end();
  }
  if (!cursor.take_one_of("123456789")) {
    return false;
  }
  cursor.take_all(kDigitsAndLine);
  return cursor.at_end() || (take_sexagesimal(cursor) && cursor.at_end());
}

bool take_exponent(Cursor& cursor) {
  return !cursor.take_one_of("eE") || (cursor.take_one_of("+-") && cursor.take_all(kDigits) > 0);
}

bool is_float(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kNamed = {".inf",  ".Inf",  ".INF",  "+.inf",
                                                              "+.Inf", "+.INF", "-.inf", "-.Inf",
                                                              "-.INF", ".nan",  ".NaN",  ".NAN"};
  if (std::ranges::find(kNamed, text) != kNamed.end()) {
    return true;
  }
  Cursor cursor(text);
  if (cursor.take(".")) {  // no sign here
    return cursor.take_one_of(kDigits) &&
           (cursor.take_all(kDigitsAndLine), take_exponent(cursor)) && cursor.at_end();
  }
  cursor.take_one_of("+-");
  if (!cursor.take_one_of(kDigits)) {
    return false;
  }
  cursor.take_all(kDigitsAndLine);
  if (cursor.starts_with(":")) {
    return take_sexagesimal(cursor) && cursor.take(".") &&
           (cursor.take_all(kDigitsAndLine), cursor.at_end());
  }
  return cursor.take(".") && (cursor.take_all(kDigitsAndLine), take_exponent(cursor)) &&
         cursor.at_end();
}

bool take_zone(Cursor& cursor) {
  cursor.take_all(" \t");
  if (cursor.take("Z")) {
    return true;
  }
  return cursor.take_one_of("+-") && cursor.take_all(kDigits, 2) > 0 &&
         (!cursor.take(":") || cursor.take_all(kDigits, 2) == 2);
}

bool is_timestamp(std::string_view text) {
  Cursor cursor(text);
  if (cursor.take_all(kDigits, 4) != 4 || !cursor.take("-")) {
    return false;
  }
  const std::size_t month = cursor.take_all(kDigits, 2);
  if (month == 0 || !cursor.take("-")) {
    return false;
  }
  const std::size_t day = cursor.take_all(kDigits, 2);
  if (day == 0) {
    return false;
  }
  if (cursor.at_end()) {
    return month == 2 && day == 2;
  }
  if (!cursor.take_one_of("Tt") && cursor.take_all(" \t") == 0) {
    return false;
  }
  const bool time = cursor.take_all(kDigits, 2) > 0 && cursor.take(":") &&
                    cursor.take_all(kDigits, 2) == 2 && cursor.take(":") &&
                    cursor.take_all(kDigits, 2) == 2;
  if (!time) {
    return false;
  }
  if (cursor.take(".")) {
    cursor.take_all(kDigits);
  }
  return cursor.at_end() || (take_zone(cursor) && cursor.at_end());
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

}  // namespace

PlainType resolve_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kNull = {"", "~", "null", "Null", "NULL"};
  static constexpr std::array<std::string_view, 18> kBool = {
      "yes",   "Yes",   "YES",   "no", "No", "NO", "true", "True", "TRUE",
      "false", "False", "FALSE", "on", "On", "ON", "off",  "Off",  "OFF"};
  if (is_one_of(text, kNull)) {
    return PlainType::kNull;
  }
  if (is_one_of(text, kBool)) {
    return PlainType::kBool;
  }
  if (text == "<<") {
    return PlainType::kMerge;
  }
  if (text == "=") {
    return PlainType::kValue;
  }
  // In the order of yaml/resolver.py, where the float's rule stands before the int's.
  if (is_float(text)) {
    return PlainType::kFloat;
  }
  if (is_int(text)) {
    return PlainType::kInt;
  }
  return is_timestamp(text) ? PlainType::kTimestamp : PlainType::kText;
}

}  // namespace cloche::definition
