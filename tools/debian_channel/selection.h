// Which Debian packages are needed for what is asked for, and the conda packages they make.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "debian_channel/conversion.h"
#include "debian_channel/deb_source.h"
#include "debian_channel/rules.h"
#include "package/debian/record.h"

namespace cloche::debian_channel {

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
Result<Selection> select(Available& available, const Rules& rules,
                         const std::vector<std::string>& roots);

}  // namespace cloche::debian_channel
