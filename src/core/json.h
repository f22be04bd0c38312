// JSON documents as values: what the formats, the workspace and `--output json` are made of.
// (Indexes of hundreds of MB are read elsewhere, on demand.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"

namespace cloche {

// null, bool, integer, double, string, array or object. Objects keep the order of insertion,
// because some formats are compared by their key order (Azure ML v1). A value type.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  // Implicit, so that documents are written as they read: json.set("name", "x").
  // NOLINTBEGIN(google-explicit-constructor)
  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::int64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  // NOLINTEND(google-explicit-constructor)

  static Json array() { return Array{}; }
  static Json object() { return Object{}; }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value, which must be of that type (a bug otherwise).
  bool as_bool() const { return std::get<bool>(value_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(value_); }
  double as_double() const { return std::get<double>(value_); }
  const std::string& as_string() const { return std::get<std::string>(value_); }
  const Array& items() const { return std::get<Array>(value_); }
  Array& items() { return std::get<Array>(value_); }
  const Object& members() const { return std::get<Object>(value_); }
  Object& members() { return std::get<Object>(value_); }

  // An object's member; null when there is none or this is no object.
  const Json& operator[](std::string_view key) const;
  const Json* find(std::string_view key) const;  // nullptr when there is none

  // The string of a member, or "" when it is absent, null or no string.
  std::string string_or_empty(std::string_view key) const;

  // Sets or appends; turns null into an object or an array first. Returns *this, for building.
  Json& set(std::string_view key, Json value);
  Json& push(Json value);

  bool operator==(const Json&) const = default;

  // Insertion order kept. indent 0: one line without blanks; else that many blanks a level, as
  // Python's json.dumps(indent=n) writes it. Text that is not valid UTF-8 is written with U+FFFD.
  std::string dump(int indent = 0) const;

  // RFC 8785 (JSON Canonicalization Scheme): what hashes are made of.
  std::string canonical() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// Integers that 64 bits do not hold become doubles, as in ECMAScript. kInvalid with line and
// column: malformed, a key twice in one object, nested deeper than 128, or invalid UTF-8. `file`
// names the source in errors.
Result<Json> parse_json(std::string_view text, const std::string& file = "");

}  // namespace cloche
