// Mirrors of registries, as podman's registries.conf(5) has them: the part that says where an image
// is fetched from.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "package/oci/reference.h"

namespace cloche::image {

// Where a repository is, or may be found.
struct RegistryPlace {
  std::string registry;    // "mirror.example:5000"
  std::string repository;  // there
  bool insecure = false;   // plain HTTP and unknown certificates are allowed

  bool operator==(const RegistryPlace&) const = default;
};

struct RegistryRule {
  std::string prefix;    // "docker.io", "docker.io/library", "*.example.com"
  std::string location;  // what stands for the prefix; "": itself
  bool insecure = false;
  bool blocked = false;
  struct Mirror {
    std::string location;
    bool insecure = false;
    bool operator==(const Mirror&) const = default;
  };
  std::vector<Mirror> mirrors = {};

  bool operator==(const RegistryRule&) const = default;
};

struct RegistriesConf {
  std::vector<RegistryRule> rules;

  // Where to pull it from, in this order; the last is the registry itself. kPermission: blocked.
  Result<std::vector<RegistryPlace>> places(const oci::Reference& reference) const;
  // Where to push it to.
  Result<RegistryPlace> place(const oci::Reference& reference) const;

 private:
  const RegistryRule* rule_for(const oci::Reference& reference) const;
};

// Reads the [[registry]] tables of a registries.conf of version 2; other keys are passed over.
// kInvalid with line and column.
Result<RegistriesConf> parse_registries_conf(std::string_view text, const std::string& file = "");

// From $CONTAINERS_REGISTRIES_CONF, or $HOME/.config/containers/registries.conf, or
// /etc/containers/registries.conf: the first that is there; none is no error.
Result<RegistriesConf> load_registries_conf(const std::map<std::string, std::string>& environment);

}  // namespace cloche::image
