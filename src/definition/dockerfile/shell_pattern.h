// The patterns of ${x#p}, ${x%p} and ${x/p/r}: '*' and '?', no brackets.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::definition {

// A compiled pattern. Every operation takes time proportional to pattern x value at most.
class ShellPattern {
 public:
  // kInvalid: a backslash before anything but * ? \ } /
  static Result<ShellPattern> parse(std::string_view text);

  enum class Extent { kShortest, kLongest };

  // The value without the part at its start, or end, that matches; as it is when none does.
  std::string_view without_prefix(std::string_view value, Extent extent) const;
  std::string_view without_suffix(std::string_view value, Extent extent) const;

  // The leftmost longest match, or every one, replaced.
  std::string replace(std::string_view value, std::string_view replacement, bool all) const;

  std::size_t size() const { return tokens_.size(); }

 private:
  // A byte, or kAny for one character (of UTF-8), or kStar for any number.
  static constexpr int kAny = 256;
  static constexpr int kStar = 257;

  std::size_t match_at(std::string_view value, std::size_t begin, Extent extent) const;

  std::vector<int> tokens_;
};

}  // namespace cloche::definition
