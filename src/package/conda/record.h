// What a channel says of one package: a record of repodata.json (CEP 36, "Package record
// metadata"). Plain values; whoever solves, locks, downloads or installs shares this one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cloche::conda {

enum class Noarch { kNone, kGeneric, kPython };

struct PackageRecord {
  std::string name;
  std::string version;
  std::string build;
  std::int64_t build_number = 0;

  std::string channel;           // the channel's URL without subdir, credentials or final slash
  std::string subdir;            // "linux-64", "noarch"
  std::string file_name;         // "numpy-1.26.4-py311h64a7726_0.conda"
  std::string url;               // where the file is, without credentials
  std::uint64_t size_bytes = 0;  // 0: the channel does not say
  std::string md5;               // 32 hex digits or ""
  std::string sha256;            // 64 hex digits or ""

  std::vector<std::string> depends;  // MatchSpecs as the channel has them; never the package's own
  std::vector<std::string> constrains;
  std::vector<std::string> track_features;
  std::map<std::string, std::vector<std::string>> extra_depends;  // CEP 44: extra -> MatchSpecs
  std::vector<std::string> flags;                                 // CEP 45

  Noarch noarch = Noarch::kNone;
  std::string python_site_packages_path;  // CEP 17, of python itself; "" means the usual one
  std::string license;
  std::string license_family;
  std::int64_t timestamp_ms = 0;  // milliseconds since 1970 UTC; 0: unknown

  bool operator==(const PackageRecord&) const = default;
};

// "numpy-1.26.4-py311h64a7726_0": the file name without its ending, whatever the file is called.
inline std::string distribution_name(const PackageRecord& record) {
  return record.name + "-" + record.version + "-" + record.build;
}

}  // namespace cloche::conda
