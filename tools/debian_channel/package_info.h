// What a package says of itself in info/, out of what Debian says of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "debian_channel/conversion.h"
#include "debian_channel/rules.h"

namespace cloche::debian_channel {

struct PackageInfo {
  Json index;  // info/index.json
  std::string subdir;
  std::string file_name;
  std::map<std::string, std::string> files;  // below info/, index.json included
};

struct Relations {
  std::vector<std::string> depends;  // sorted
  std::vector<std::string> constrains;
};

// `licenses`: the copyright files of all Debian packages that were read: some have theirs in
// another's.
PackageInfo package_info(const Group& group, const Conversion& facts, const Relations& relations,
                         const Rules& rules, const std::string& suite,
                         const std::map<std::string, std::string>& licenses);

}  // namespace cloche::debian_channel
