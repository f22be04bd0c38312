// A suite's Release: what it is called, how long it is good for, and the hash of each index
// (https://wiki.debian.org/DebianRepository/Format, "Release").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/result.h"

namespace cloche::source {

struct ReleaseFile {
  std::string path;  // below the Release: "main/binary-amd64/Packages.xz"
  std::uint64_t size_bytes = 0;
  Digest sha256;
};

struct Release {
  std::string origin;
  std::string label;
  std::string suite;     // "oldstable"
  std::string codename;  // "bookworm"
  std::string version;   // "12.15"
  std::int64_t date_ms = 0;
  std::optional<std::int64_t> valid_until_ms;
  std::vector<std::string> components;
  std::vector<std::string> architectures;
  bool all_apart = false;  // packages of every architecture have an index of their own
  bool by_hash = false;
  bool not_automatic = false;
  bool but_automatic_upgrades = false;
  std::vector<ReleaseFile> packages;  // the Packages files alone, compressed or not

  // apt_preferences(5): 500, 100, 1.
  int priority() const;
  const ReleaseFile* find(std::string_view path) const;
};

// kCorrupt: no Release, no SHA256 of it (md5 and sha1 prove nothing), a date that is none.
Result<Release> parse_release(std::string_view text);

// "Sat, 11 Jul 2026 10:16:37 UTC" (RFC 5322 with UTC, GMT or +0000) in milliseconds since 1970.
std::optional<std::int64_t> parse_release_date(std::string_view text);

}  // namespace cloche::source
