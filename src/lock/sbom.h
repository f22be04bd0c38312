// What the two formats of software bills of materials have in common.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lock/lock.h"

namespace cloche::lock {

// A package URL (purl specification, types "conda", "pypi", "deb" and "oci"):
// "pkg:conda/numpy@1.26.4?build=py311_0&channel=conda-forge&subdir=linux-64&type=conda".
std::string purl_of(const conda::PackageRecord& record);
std::string purl_of(const PypiPackage& package);
// "pkg:deb/debian/git@1:2.39.5-0+deb12u1?arch=amd64&distro=bookworm"
std::string purl_of(const DebianPackage& package, const DebianLock& debian);
std::string purl_of(const BaseImage& image);  // "" without a digest

// A UUID (RFC 9562, version 8) out of the lock's digest: the same lock has the same one.
std::string uuid_of(const Lock& lock);

// The newest package's time, RFC 3339 with seconds; 1970-01-01T00:00:00Z where none is known. A
// bill that is made again must not differ.
std::string created_of(const Lock& lock);

// "cloche-environment-1a2b3c4d5e6f": by the fingerprint, else by what it holds.
std::string name_of(const Lock& lock);

// One thing that is in the environment, conda's first, then PyPI's, then Debian's, each by name.
struct SbomPart {
  std::string ecosystem;  // "conda", "pypi", "debian"
  std::string name;
  std::string version;
  std::string purl;
  std::string url;
  std::string file_name;
  std::string sha256;
  std::string md5;
  std::string license;
  std::vector<std::size_t> depends_on;  // places in the list, ascending, each once
  bool requested = false;
};
std::vector<SbomPart> parts_of(const Lock& lock);

// The places that the environment itself depends on: what was requested, or, where the lock does
// not say, what no other part needs.
std::vector<std::size_t> roots_of(const std::vector<SbomPart>& parts);

}  // namespace cloche::lock
