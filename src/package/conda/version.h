// conda's version order (CEP 33; conda: conda/models/version.py, VersionOrder).
//
// It is not PEP 440's: a local part that starts with a letter sorts below the plain version
// (0.5.3+git < 0.5.3), and 1.1.0rc1 sorts above 1.1rc1.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::conda {

// A parsed version. Numbers are compared as digit strings, so any length fits. A value type; order
// and equality are those of the meaning ("1.1" equals "1.1.0"), text() tells them apart.
class Version {
 public:
  // kInvalid: empty, over 256 characters, a character outside [A-Za-z0-9._-+!], '-' together with
  // '_', an empty segment, a second '!' or '+', an epoch that is no number. Blanks at the ends are
  // ignored. The error's column counts within `text`.
  static Result<Version> parse(std::string_view text);

  const std::string& text() const { return text_; }  // as written, without blanks at the ends
  std::weak_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }

  // Whether this is `prefix` or one of its successors as "1.2.*" means it: equal up to the prefix's
  // last part, which a text may continue ("1.0.2" covers 1.0.2h, as in conda; CEP 29 leaves it
  // open).
  bool starts_with(const Version& prefix) const;

 private:
  struct Part {
    enum class Kind { kDev, kText, kNumber, kPost };  // in their order
    Kind kind = Kind::kNumber;
    std::string value;  // digits without leading zeros, lower-case text; "" for dev and post
    std::weak_ordering operator<=>(const Part& other) const;
  };
  using Segment = std::vector<Part>;  // always starts with a number

  static Segment segment_of(std::string_view text);  // "" gives an empty one
  static bool starts_with(const std::vector<Segment>& all, const std::vector<Segment>& prefix);
  static std::weak_ordering compare(const std::vector<Segment>& a, const std::vector<Segment>& b);

  std::string text_;
  std::vector<Segment> version_;  // the epoch first
  std::vector<Segment> local_;
};

}  // namespace cloche::conda
