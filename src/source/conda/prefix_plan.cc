#include "source/conda/prefix_plan.h"

#include <algorithm>

namespace cloche::source {
namespace {

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

PrefixPlan::PrefixPlan(const std::vector<Package>& packages) {
  std::size_t count = 0;
  for (const Package& package : packages) {
    names_.emplace_back(package.name);
    count += package.paths->size();
  }
  rounds_.assign(packages.size(), 0);
  claims_.reserve(count);
  for (std::size_t i = 0; i < packages.size(); ++i) {
    checked_.clear();
    for (const PlacedPath& placed : *packages[i].paths) {
      add(i, placed);
    }
  }
  checked_.clear();
}

void PrefixPlan::add(std::size_t package, const PlacedPath& placed) {
  const std::string_view path = placed.path;
  const PathType type = placed.entry.type;
  check_parents(package, path);
  const auto [at, is_new] = claims_.try_emplace(path, Claim{package, type});
  if (is_new) {
    for (std::string_view parent = parent_of(path);
         !parent.empty() && directories_.insert(parent).second; parent = parent_of(parent)) {
    }
  } else if (type == PathType::kDirectory && at->second.type == PathType::kSoftlink) {
    rounds_[package] = std::max(rounds_[package], rounds_[at->second.package] + 1);
    return;  // the link leads to a directory, or making it will say so
  } else if (type != PathType::kDirectory || at->second.type != PathType::kDirectory) {
    lose(path, at->second.package, package);
    at->second = Claim{package, type};
  }
  if (type == PathType::kDirectory || !directories_.contains(path)) {
    return;
  }
  std::vector<std::string_view> below;  // rare: a look at everything is good enough
  for (const auto& [other, claim] : claims_) {
    if (other.size() > path.size() && other.starts_with(path) && other[path.size()] == '/') {
      below.push_back(other);
    }
  }
  for (const std::string_view other : below) {
    lose(other, claims_.at(other).package, package);
    claims_.erase(other);
  }
}

void PrefixPlan::check_parents(std::size_t package, std::string_view path) {
  std::vector<std::string_view> parents;
  for (std::string_view parent = parent_of(path); !parent.empty() && checked_.insert(parent).second;
       parent = parent_of(parent)) {
    parents.push_back(parent);
  }
  for (const std::string_view parent : parents) {
    const auto found = claims_.find(parent);
    if (found == claims_.end() || found->second.type == PathType::kDirectory ||
        found->second.package == package) {
      continue;
    }
    if (found->second.type == PathType::kSoftlink) {
      rounds_[package] = std::max(rounds_[package], rounds_[found->second.package] + 1);
    } else {
      lose(parent, found->second.package, package);
      claims_.erase(found);
    }
  }
}

void PrefixPlan::lose(std::string_view path, std::size_t loser, std::size_t winner) {
  Loss& loss = losses_[path];
  loss.winner = winner;
  if (loser != winner) {
    loss.losers.push_back(loser);
  }
}

bool PrefixPlan::owns(std::size_t package, const std::string& path) const {
  const auto found = claims_.find(path);
  return found != claims_.end() && found->second.package == package;
}

bool PrefixPlan::is_directory(const std::string& path) const {
  const auto found = claims_.find(path);
  return found != claims_.end() && found->second.type == PathType::kDirectory;
}

std::ptrdiff_t PrefixPlan::owner(const std::string& path) const {
  const auto found = claims_.find(path);
  return found == claims_.end() ? -1 : static_cast<std::ptrdiff_t>(found->second.package);
}

std::ptrdiff_t PrefixPlan::link_owner(const std::string& path) const {
  const auto found = claims_.find(path);
  return found == claims_.end() || found->second.type != PathType::kSoftlink
             ? -1
             : static_cast<std::ptrdiff_t>(found->second.package);
}

std::vector<Clobber> PrefixPlan::clobbers() const {
  std::vector<Clobber> all;
  for (const auto& [path, loss] : losses_) {
    const auto found = claims_.find(path);
    const std::size_t winner = found == claims_.end() ? loss.winner : found->second.package;
    Clobber clobber{.path = std::string(path), .winner = names_[winner], .losers = {}};
    for (const std::size_t loser : loss.losers) {
      clobber.losers.push_back(names_[loser]);
    }
    all.push_back(std::move(clobber));
  }
  return all;
}

}  // namespace cloche::source
