// Which package gives which path, when several want the same one.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "source/conda/package_files.h"

namespace cloche::source {

// A path that more than one package wants.
struct Clobber {
  std::string path;
  std::string winner;               // the package whose file is there
  std::vector<std::string> losers;  // in the order of installation

  bool operator==(const Clobber&) const = default;
};

// The outcome of writing the packages one after another, found without writing: what comes later
// takes the place of what was there (conda's own order: dependencies first, so a dependent wins
// over what it depends on). A file in the way of a directory gives way to it, and all that lies
// below a directory gives way to a file or link of its name. A path below an earlier package's
// symbolic link goes through the link; who does that is written after that package.
class PrefixPlan {
 public:
  struct Package {
    std::string_view name;
    const std::vector<PlacedPath>* paths;  // outlive the plan
  };

  explicit PrefixPlan(const std::vector<Package>& packages);

  // Whether this package's file is the one that is written there.
  bool owns(std::size_t package, const std::string& path) const;

  // Whether some package lists the path as a directory.
  bool is_directory(const std::string& path) const;

  // The package whose path this is; -1: of none.
  std::ptrdiff_t owner(const std::string& path) const;

  // The package whose symbolic link this is; -1: none's, or no link.
  std::ptrdiff_t link_owner(const std::string& path) const;

  // Packages of one round may be written at once; a round begins when the one before has ended.
  std::size_t round(std::size_t package) const { return rounds_[package]; }

  // By path.
  std::vector<Clobber> clobbers() const;

 private:
  struct Claim {
    std::size_t package;
    PathType type;
  };
  struct Loss {
    std::size_t winner;
    std::vector<std::size_t> losers;
  };

  void add(std::size_t package, const PlacedPath& placed);
  void check_parents(std::size_t package, std::string_view path);
  void lose(std::string_view path, std::size_t loser, std::size_t winner);

  std::vector<std::string> names_;
  std::vector<std::size_t> rounds_;
  std::unordered_map<std::string_view, Claim> claims_;
  std::unordered_set<std::string_view> directories_;  // in which something lies
  std::unordered_set<std::string_view> checked_;      // parents that the current package was
                                                      // checked against
  std::map<std::string_view, Loss> losses_;
};

}  // namespace cloche::source
