// Where apt looks for packages: sources.list(5), both formats.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"
#include "core/files.h"
#include "core/location.h"
#include "core/result.h"

namespace cloche::source {

// One suite of one archive.
struct AptSource {
  std::string uri;    // without final slash; may hold "user:password@"
  std::string suite;  // "bookworm"; a path that ends with '/': an archive without suites
  std::vector<std::string> components;          // of a suite; "main"
  std::vector<std::string> architectures = {};  // empty: all

  // Signed-By: keyrings' paths, fingerprints, or keys in the file itself. All empty: the keyrings
  // that apt trusts for everything.
  std::vector<std::string> keyrings = {};
  std::vector<std::string> fingerprints = {};  // upper-case hex
  std::string key_block = {};                  // armoured

  bool trusted = false;  // Trusted: yes: nothing is verified
  bool check_valid_until = true;
  Location at = {};

  bool operator==(const AptSource&) const = default;
};

inline constexpr std::size_t kMaxAptSources = 1000;  // that one file may expand to

// A file of one-line sources ("deb [signed-by=...] URI SUITE COMPONENT..."), or of paragraphs where
// its name ends with ".sources" or a line begins with "Types:". Sources of source packages,
// disabled ones, and those of methods other than http, https and file are left out, the last with a
// warning (apt-source-method). kInvalid with the line.
Result<std::vector<AptSource>> parse_apt_sources(std::string_view text, const std::string& file,
                                                 Diagnostics& diagnostics);

// sources.list and sources.list.d/*.{list,sources} below a directory such as /etc/apt, in apt's
// order. A machine without apt has none. Pins (preferences, preferences.d/) are not followed: a
// warning (apt-pins).
Result<std::vector<AptSource>> machine_apt_sources(FileSource& files, const std::string& directory,
                                                   Diagnostics& diagnostics);

// What tells a distribution and its release: a file like /etc/os-release (os-release(5)).
struct OsRelease {
  std::string id;        // "debian"
  std::string codename;  // "bookworm"; "" where it does not say (Debian testing)
  std::string version;   // VERSION_ID: "12"
};
OsRelease parse_os_release(std::string_view text);

// The sources for packages of a release: those of the machine that are for its own release, with
// the wanted codename in place of its own (suites CODENAME, CODENAME-updates, CODENAME-security,
// and CODENAME-backports where the machine runs that release itself); where the machine runs
// another distribution or has none, the distribution's well-known archives. kUnsupported: a
// distribution that nobody knows archives of.
Result<std::vector<AptSource>> sources_for(const OsRelease& wanted, const OsRelease& machine,
                                           const std::vector<AptSource>& machine_sources);

// Whether a URI holds a date, as snapshot.debian.org's do ("/20250520T000000Z"): such an archive
// stays as it is, and its Valid-Until says nothing.
bool is_dated(std::string_view uri);

}  // namespace cloche::source
