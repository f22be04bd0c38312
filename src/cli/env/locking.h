// Finding an environment's lock, or making it: what every command does that needs exact packages.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "build/lock_environment.h"
#include "cli/channels.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/env/record.h"
#include "lock/diff.h"
#include "workspace/workspace.h"

namespace cloche::cli {

struct LockingOptions {
  std::string platform = "linux-64";
  std::map<std::string, std::string> virtual_packages;
  std::vector<std::string> upgrade;
  bool update_all = false;
  bool offline = false;
  bool refresh = false;
  std::string apt_sources;   // a file
  bool needs_debian = true;  // apt's packages have to be exact
  std::string timeout = "300";
};

// What the target is and how channels are reached, for a command whose options derive from
// LockingOptions.
template <class Options>
inline constexpr std::array<Argument, 6> kLockingArguments = {{
    {.name = "platform",
     .value = "SUBDIR",
     .help = "What it is to run on (default: linux-64)",
     .choices = "linux-64|linux-aarch64",
     .field = kInheritedField<Options, &LockingOptions::platform>},
    {.name = "virtual-package",
     .value = "NAME=VERSION",
     .help = "What the target has: __cuda=12.4, __glibc=2.31; an empty version takes one away",
     .field = kInheritedField<Options, &LockingOptions::virtual_packages>},
    {.name = "offline",
     .help = "Ask no channel or archive; use what was fetched before",
     .field = kInheritedField<Options, &LockingOptions::offline>},
    {.name = "refresh",
     .help = "Ask channels and archives even where a copy is fresh",
     .field = kInheritedField<Options, &LockingOptions::refresh>},
    {.name = "apt-sources",
     .value = "FILE",
     .help = "Take Debian packages from these sources (sources.list or deb822), not the machine's",
     .source = Source::kFiles,
     .field = kInheritedField<Options, &LockingOptions::apt_sources>},
    {.name = "timeout",
     .value = "SECONDS",
     .help = "Give up solving after so long (default: 300)",
     .field = kInheritedField<Options, &LockingOptions::timeout>},
}};

struct Locked {
  workspace::StoredLock entry;
  std::string state;  // "kept", "locked", "upgraded", "unchanged"
  lock::Difference changes;
};

// The request that the options mean; it refers to the subject. Where the workspace has the base
// image, its glibc is the target's. kUsage: a bad --timeout; kInvalid: a virtual package that is
// none; kCancelled.
Result<build::LockRequest> locking_request(const Subject& subject, const LockingOptions& options,
                                           const ChannelAccess& access, const std::stop_token& stop,
                                           Context& context);

workspace::LockKey lock_key(const Subject& subject, const build::LockRequest& request);

// The lock that the workspace has, unless the options ask to change it, or it was made before the
// base was known and apt's packages have to be exact now; else solves and keeps the result. Debian
// packages are solved against the base image, which is fetched where the workspace does not have
// it. Says what it does on standard error.
Result<Locked> find_or_make_lock(const Subject& subject, build::LockRequest& request,
                                 const LockingOptions& options, ChannelAccess& access,
                                 const std::stop_token& stop, Context& context);

// Makes a lock from elsewhere the definition's. Packages of which only the URL is known are looked
// up in their channels.
Result<Locked> keep_imported(const Subject& subject, build::LockRequest& request,
                             lock::Lock imported, ChannelAccess& access,
                             const std::stop_token& stop, Context& context);

}  // namespace cloche::cli
