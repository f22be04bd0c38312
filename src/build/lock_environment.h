// From a definition to its lock: the conda packages are solved against their channels, the Debian
// packages against what the base has installed.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/diagnostic.h"
#include "core/progress.h"
#include "core/result.h"
#include "definition/environment.h"
#include "io/http_client.h"
#include "lock/lock.h"
#include "package/conda/virtual_package.h"
#include "resolve/solver.h"
#include "source/conda/channel.h"
#include "source/conda/condarc.h"
#include "source/conda/credentials.h"
#include "source/conda/repodata_fetch.h"
#include "source/debian/apt_sources.h"

namespace cloche::build {

struct DebianBase;

// Where Debian packages are looked for.
struct DebianSources {
  // As given; when empty, those of the machine's own apt, or the distribution's well-known ones
  // (source::sources_for).
  std::vector<source::AptSource> sources = {};
};

struct LockRequest {
  const definition::Definition& definition;
  std::string platform = "linux-64";
  std::vector<conda::VirtualPackage> virtual_packages = {};  // of the target

  // What is locked already. Its packages are kept where possible; without it, and of the names in
  // `upgrade`, the best there is is taken.
  const lock::Lock* previous = nullptr;
  std::vector<std::string> upgrade = {};

  source::RepodataOptions repodata = {};  // `refresh` and `offline` count for archives too

  // What apt's packages are solved against. Without it they are kept as the definition has them.
  const DebianBase* base = nullptr;
  DebianSources debian = {};
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
};

// What reaching channels takes; everything outlives the call.
struct Channels {
  const source::ChannelSettings& settings;
  const source::Surroundings& surroundings;
  source::Credentials& credentials;
  io::HttpClient& client;
  Clock& clock;
  std::string cache_directory;  // repodata/ and index/ are made below it
};

struct LockOutcome {
  lock::Lock lock;
  resolve::Statistics statistics;
};

// The same definition, channels' content and request give the same lock.
// The lock says which base its Debian packages are for.
// kConflict: no solution; the error tells why and what would help. kInvalid: a dependency that is
// no MatchSpec, a platform that the definition excludes; with its line. kNotFound: a package or
// channel that nobody has, with the nearest name. kUnavailable, kPermission, kCorrupt: channels, as
// repodata_fetch.h says, and archives, as source/debian/archive.h; or the deadline passed.
// kCancelled.
Result<LockOutcome> lock_environment(const LockRequest& request, const Channels& channels,
                                     const std::stop_token& stop, Progress& progress,
                                     Diagnostics& diagnostics);

}  // namespace cloche::build
