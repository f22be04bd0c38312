// Debian's version order (deb-version(7), Policy 5.6.12; dpkg: lib/dpkg/version.c).
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::debian {

// [epoch:]upstream[-revision] as dpkg orders it: '~' before everything, even the end; letters
// before other characters; digits as numbers of any length; no epoch is 0, no revision is "0".
// Texts that are no versions have an order too: it is total, so that a damaged index sorts somehow.
// "1.0" and "1.00" are equivalent and different texts.
std::weak_ordering compare_versions(std::string_view a, std::string_view b);

// The parts of a version's text; views into it.
struct VersionParts {
  std::string_view epoch;  // digits, or ""
  std::string_view upstream;
  std::string_view revision;  // behind the last '-', or ""
};
VersionParts version_parts(std::string_view text);

// A version that is one. A value type.
class Version {
 public:
  // kInvalid, with the column: empty, over 256 bytes, an epoch that is no number up to 2^31 - 1, an
  // upstream version that begins with no digit, a character outside [A-Za-z0-9.+~-] (and ':' where
  // there is an epoch), nothing behind the last '-'. Blanks at the ends are ignored.
  static Result<Version> parse(std::string_view text);

  const std::string& text() const { return text_; }
  VersionParts parts() const { return version_parts(text_); }
  std::weak_ordering operator<=>(const Version& other) const {
    return compare_versions(text_, other.text_);
  }
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }

 private:
  std::string text_;
};

}  // namespace cloche::debian
