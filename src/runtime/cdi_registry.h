// The devices that the specs of this host offer to containers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "runtime/cdi_spec.h"

namespace cloche::runtime {

class CdiRegistry {
 public:
  // $CLOCHE_CDI_PATH (folders, ':' between), else /etc/cdi and /var/run/cdi.
  static std::vector<std::string> folders();

  // Every .json, .yaml and .yml in the folders, which need not be there. A device of a later folder
  // takes the place of one of an earlier. A file that is no spec is left out, and told by the
  // errors of edits().
  static CdiRegistry read(const std::vector<std::string>& folders);

  // "nvidia.com/gpu", ...: sorted.
  std::vector<std::string> kinds() const;
  // The qualified names of a kind, in the order of their files and of the devices in these.
  std::vector<std::string> devices_of(std::string_view kind) const;
  const CdiDevice* find(std::string_view qualified) const;  // nullptr: none, or several

  // What a container is given with these devices, each spec's own part once. kNotFound: no such
  // device; kConflict: two files of one folder have it; kUnsupported: an edit that is not made
  // here.
  Result<CdiEdits> edits(const std::vector<std::string>& qualified) const;

  // What is wrong with files that were left out, a line each.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  struct Entry {
    std::size_t spec = 0;
    std::size_t device = 0;
    std::size_t folder = 0;
    std::string also_in;  // another file of the same folder
  };

  void add(CdiSpec spec, std::size_t folder);

  std::vector<CdiSpec> specs_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> order_;
  std::vector<std::string> complaints_;
};

}  // namespace cloche::runtime
