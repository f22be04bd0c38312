// Versions of Python distributions and their order (PEP 440; since 2024 the "Version specifiers"
// page of the packaging guide).
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::pypi {

// A parsed version. Numbers are kept as digits without leading zeros, so any length fits.
class Version {
 public:
  // Every spelling that PEP 440 normalises is taken ("v1.0-Alpha_2"). kInvalid: none of them.
  static Result<Version> parse(std::string_view text);

  // PEP 440's normal form: "1.0a2".
  std::string to_string() const;

  bool is_prerelease() const { return !pre_kind_.empty() || dev_.has_value(); }
  bool has_local() const { return !local_.empty(); }
  // Release numbers alone, without any suffix.
  bool is_release() const { return !is_prerelease() && !post_ && local_.empty(); }
  const std::vector<std::string>& release() const { return release_; }

  // PEP 440, "Summary of permitted suffixes and relative ordering": 1.0 == 1.0.0.
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }

 private:
  std::string epoch_ = "0";
  std::vector<std::string> release_;
  std::string pre_kind_;  // "a", "b", "rc" or "" for none
  std::string pre_ = "0";
  std::optional<std::string> post_;
  std::optional<std::string> dev_;
  std::vector<std::string> local_;  // lower case
};

}  // namespace cloche::pypi
