#include "source/conda/nearest_versions.h"

#include <algorithm>
#include <cstddef>
#include <set>

namespace cloche::source {

namespace {

constexpr std::size_t kEachSide = 2;
constexpr std::size_t kMost = 6;

void collect_operands(const conda::VersionSpec& constraint, std::vector<conda::Version>& out) {
  for (const conda::VersionSpec& part : constraint.parts) {
    collect_operands(part, out);
  }
  if (auto version = conda::Version::parse(constraint.clause.operand)) {
    out.push_back(std::move(*version));
  }
}

}  // namespace

std::vector<std::string> nearest_versions(const conda::VersionSpec& constraint,
                                          std::span<const conda::Version> versions) {
  std::vector<conda::Version> operands;
  collect_operands(constraint, operands);
  std::set<std::size_t> places;
  for (const conda::Version& operand : operands) {
    const auto at = static_cast<std::size_t>(
        std::ranges::lower_bound(versions, operand, std::less<>()) - versions.begin());
    for (std::size_t i = at - std::min(at, kEachSide);
         i < std::min(at + kEachSide, versions.size()); ++i) {
      places.insert(i);
    }
  }
  if (operands.empty()) {
    for (std::size_t i = versions.size() - std::min(versions.size(), 2 * kEachSide);
         i < versions.size(); ++i) {
      places.insert(i);
    }
  }
  std::vector<std::string> out;
  for (const std::size_t place : places) {
    if (out.size() < kMost) {
      out.push_back(versions[place].text());
    }
  }
  return out;
}

}  // namespace cloche::source
