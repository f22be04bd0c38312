// An environment on this host, from the archives of its packages.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/thread_pool.h"
#include "package/conda/record.h"
#include "source/conda/prefix_plan.h"

namespace cloche::source {

struct InstallPackage {
  conda::PackageRecord record;  // the channel's, already solved and fetched
  std::string archive;          // .conda or .tar.bz2 on this host; its hash was checked
  std::vector<std::string> requested_specs = {};  // the MatchSpecs that asked for it by name
};

struct InstallOptions {
  std::string prefix;                // the directory to be made
  std::string prefix_in_files = {};  // what files and records call it; "": its absolute path
  bool replace = false;              // an environment that this program made gives way
  bool compile_bytecode = false;     // for noarch python packages, if their python runs here
  std::string command = "cloche";    // for conda-meta/history
  std::string tool_version = "0";
};

// A script that the package wants run (CEP 34); none is run here.
struct LinkScript {
  std::string package;
  std::string action;  // "pre-link", "post-link", "pre-unlink"
  std::string path;    // below the prefix: "bin/.NAME-post-link.sh"

  bool operator==(const LinkScript&) const = default;
};

struct InstallReport {
  std::size_t packages = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;          // of the files as they are in the prefix
  std::vector<Clobber> clobbers;    // by path
  std::vector<LinkScript> scripts;  // in the order of the packages
  std::vector<std::string> notes;   // for a person: "bytecode was not compiled: ..."
};

// Installs the packages, dependencies first, into a new prefix: files, conda-meta/*.json and
// conda-meta/history as CEP 32 wants them. Several packages at once, the largest first; the result
// is that of one after another (see PrefixPlan).
//
// All is written into a directory beside the prefix, "cloche-" and 16 digits, which gets its name
// when everything is there. So a prefix is whole or does not exist; after a kill a person finds and
// may delete such a directory; after an error nothing is left.
//
// kConflict: something stands at the prefix; only an empty directory, or with `replace` an
// environment that this program made, gives way. Errors of packages name the package and the path:
// see PackageFiles. kInvalid: one package twice. kCancelled. kUnavailable: the disk is full.
Result<InstallReport> install_prefix(const std::vector<InstallPackage>& packages,
                                     const InstallOptions& options, io::ThreadPool& pool,
                                     Clock& clock, Progress& progress,
                                     const std::stop_token& stop = {});

}  // namespace cloche::source
