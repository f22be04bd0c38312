// What an archive's index says of one package (deb-control(5), "Packages" in
// https://wiki.debian.org/DebianRepository/Format). Plain values; whoever solves, locks, downloads
// or installs shares this one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "package/debian/paragraph.h"

namespace cloche::debian {

// How packages of several architectures go together (deb-control(5), Multi-Arch).
enum class MultiArch : std::uint8_t { kNo, kSame, kForeign, kAllowed };

// In their order: the first is needed most.
enum class Priority : std::uint8_t { kRequired, kImportant, kStandard, kOptional, kExtra };

struct PackageRecord {
  std::string name;
  std::string version;
  std::string architecture;  // "amd64", "all"

  std::string filename;          // below the archive's URI: "pool/main/g/git/git_2.39.5_amd64.deb"
  std::string url;               // where the file is, without credentials; "" when only installed
  std::uint64_t size_bytes = 0;  // of the file
  std::string sha256;            // 64 hex digits or ""
  std::uint64_t installed_kib = 0;

  std::string archive;  // the archive's URI, without credentials and final slash
  std::string suite;    // as asked for: "bookworm-security"
  std::string component;

  bool essential = false;
  bool is_protected = false;  // Protected, and apt's Important
  Priority priority = Priority::kOptional;
  MultiArch multi_arch = MultiArch::kNo;
  std::string section;
  std::string source;  // the source package: "torch", or "torch (1.13.1)" where the version differs

  // Fields as they stand: parse_relations() reads them.
  std::string pre_depends;
  std::string depends;
  std::string recommends;
  std::string suggests;
  std::string conflicts;
  std::string breaks;
  std::string replaces;
  std::string provides;

  bool operator==(const PackageRecord&) const = default;
};

MultiArch multi_arch_of(std::string_view word);  // anything unknown is kNo
std::string_view to_string(MultiArch multi_arch);
Priority priority_of(std::string_view word);  // anything unknown is kOptional
std::string_view to_string(Priority priority);

// "torch" of "torch (1.13.1)", or the package's own name where there is no source.
std::string_view source_name(const PackageRecord& record);
// "1.13.1" of it, or the package's own version.
std::string_view source_version(const PackageRecord& record);

// The path below the archive that a Filename means, without "./" before it; nothing where it leads
// out of the archive.
std::optional<std::string_view> path_in_archive(std::string_view filename);

// A paragraph of Packages, of dpkg's status or of a .deb's control file; where it is, the caller
// knows. kInvalid: no Package, Version or Architecture, a name or version that could not stand in a
// path, a size that is no number, a SHA256 that is none.
Result<PackageRecord> read_record(const Paragraph& paragraph);

}  // namespace cloche::debian
