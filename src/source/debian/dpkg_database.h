// dpkg's database of what is installed (var/lib/dpkg), as dpkg itself leaves it after unpacking
// packages and before configuring them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "package/debian/record.h"
#include "source/debian/deb_contents.h"

namespace cloche::source {

struct UnpackedPackage {
  debian::PackageRecord record;
  const DebContents* contents = nullptr;
};

// The paragraph of var/lib/dpkg/status: the package's control file with "install ok unpacked" and
// its conffiles. They are named with the hash that they have, since they are in place already: dpkg
// takes a conffile without a .dpkg-new beside it as it is.
std::string unpacked_paragraph(const UnpackedPackage& package);

// What packages want to hear of (deb-triggers(5)).
struct Trigger {
  std::string name;     // "ldconfig"; a path for a file trigger
  std::string package;  // as info_name() has it
  bool await = true;

  bool operator==(const Trigger&) const = default;
};
// kInvalid: a directive or name that is none; the package is the caller's to name.
Result<std::vector<Trigger>> read_interests(const UnpackedPackage& package);

// The files of var/lib/dpkg/triggers/ after the packages' interests were added to what is there
// (name -> content): "File" for paths, one for each other name. Only those that change.
Result<std::map<std::string, std::string>> trigger_files(
    const std::map<std::string, std::string>& present, std::span<const UnpackedPackage> packages);

// var/lib/dpkg/triggers/Unincorp: what unpacking the packages activates for those who were there
// before and configured, which `dpkg --configure -a` then runs. Nobody awaits anything.
Result<std::string> activated_triggers(const std::map<std::string, std::string>& present,
                                       std::span<const UnpackedPackage> packages);

// The order in which preinst scripts run: each after those that its package pre-depends on, then
// depends on; base-passwd before all, since the others change owners; else by name. Circles are
// broken where they are entered. Places in the list.
std::vector<std::size_t> unpack_order(std::span<const UnpackedPackage> packages);

}  // namespace cloche::source
