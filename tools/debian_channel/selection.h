// Which Debian packages are needed for what is asked for, and the conda packages they make.
#pragma once

#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "debian_channel/conversion.h"
#include "debian_channel/rules.h"
#include "package/debian/record.h"

namespace cloche::debian_channel {

// What an archive has, by name: the highest version of each.
class Available {
 public:
  explicit Available(std::span<const debian::PackageRecord> records);

  // nullptr: there is none of that name.
  const debian::PackageRecord* find(std::string_view name) const;

  // Those that say they provide it, by name.
  std::vector<const debian::PackageRecord*> providers(std::string_view name) const;

 private:
  std::unordered_map<std::string, const debian::PackageRecord*> by_name_;
  std::unordered_map<std::string, std::vector<const debian::PackageRecord*>> providers_;
};

// A dependency of one conda package on another, as Debian states it.
struct Edge {
  std::string to;           // conda package
  std::string debian_name;  // the package that was chosen
  std::string minimum;      // Debian version, or ""
};

struct Selection {
  std::map<std::string, Group> groups;  // by conda name
  std::map<std::string, std::vector<Edge>> edges;
  std::map<std::string, std::string> glibc;  // conda name -> the least version of the C library
  std::map<std::string, std::vector<std::string>> constrains;  // MatchSpecs out of Breaks
};

// Follows Depends and Pre-Depends from the roots (conda names): to Python modules, libraries and
// fonts; not to what the rules leave out. Libraries are in it that nothing will need: what needs
// which is known only when the files were read.
// kNotFound: a root that the archive does not have; a relation that nothing satisfies.
Result<Selection> select(const Available& available, const Rules& rules,
                         const std::vector<std::string>& roots);

}  // namespace cloche::debian_channel
