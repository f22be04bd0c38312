// conda's version order (CEP 33; conda: conda/models/version.py, VersionOrder).
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::conda {

// A parsed version. Numbers are compared as digit strings, so any length fits.
class Version {
 public:
  static Result<Version> parse(std::string_view text);

  const std::string& text() const { return text_; }  // as written
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }

 private:
  struct Part {
    enum class Kind {
      kDev,
      kText,
      kNumber,
      kPost
    };  // in their order; "*" is a text below all others
    Kind kind = Kind::kNumber;
    std::string value;  // digits without leading zeros, or lower-case text
  };
  using Component = std::vector<Part>;
  std::string text_;
  std::string epoch_;
  std::vector<Component> version_;
  std::vector<Component> local_;
};

}  // namespace cloche::conda
