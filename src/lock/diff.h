// What changed between two locks, package by package.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lock/lock.h"

namespace cloche::lock {

enum class ChangeKind {
  kAdded,
  kRemoved,
  kUpgraded,    // a higher version, by its ecosystem's order
  kDowngraded,  // a lower one
  kRebuilt,     // the same version from another build, channel or file
};

std::string_view to_string(ChangeKind kind);  // "added", "removed", "upgraded", ...

struct Change {
  struct Side {  // all "" where the package is not there
    std::string version = {};
    std::string build = {};    // conda's
    std::string channel = {};  // its URL
    std::string sha256 = {};

    bool operator==(const Side&) const = default;
  };

  ChangeKind kind = ChangeKind::kAdded;
  std::string ecosystem;  // "conda", "pypi", "debian"
  std::string name;
  Side before = {};
  Side after = {};
  bool requested = false;  // the definition names it; others follow from those

  bool operator==(const Change&) const = default;
};

struct Difference {
  std::vector<Change> changes;  // conda's first, then PyPI's, then Debian's; each by name
  std::size_t unchanged_count = 0;

  bool empty() const { return changes.empty(); }
};

Difference diff(const Lock& before, const Lock& after);

// "numpy 1.26.4 -> 2.1.0, openblas added, and 3 more": one line about all of it, requested packages
// first, at most `limit` named.
std::string summary(const Difference& difference, std::size_t limit = 3);

}  // namespace cloche::lock
