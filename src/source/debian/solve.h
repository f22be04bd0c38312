// From what is asked for to the packages of an archive that have to be installed.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "core/location.h"
#include "core/result.h"
#include "package/debian/record.h"
#include "package/debian/requirement.h"
#include "resolve/problem.h"
#include "resolve/solver.h"
#include "source/debian/provider.h"

namespace cloche::source {

struct AskedPackage {
  debian::Requirement requirement;
  Location at = {};  // where a person wrote it
};

struct DebianRequest {
  std::vector<AskedPackage> packages = {};
  bool essential = false;  // also every package that is essential: for a base of its own
  // Also every package of this priority or a more important one.
  std::optional<debian::Priority> priority = {};

  std::stop_token stop = {};
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
};

struct DebianSolution {
  // By name: those to install, new or in place of the installed version. With `url`, but for a
  // version that no archive has.
  std::vector<debian::PackageRecord> packages;
  std::vector<std::string> removed;  // installed ones that have to go, sorted
  bool as_apt = false;               // found in apt's own way; else by search
  resolve::Statistics statistics;
};

// No solution. `asked` has a text for each requirement of the problem: those of the request in
// their order, then what the base and `essential` ask for.
struct DebianProblem {
  resolve::Problem problem;
  std::vector<std::string> asked;
};

// Installed packages stay as they are where that is possible, change where they must, and go where
// nothing else helps; essential ones never go. Same input, same answer.
// kNotFound, kInvalid, kUnsupported: as DebianProvider::request, with the place; kCorrupt: an
// index; kCancelled, kUnavailable: as resolve::solve.
Result<std::variant<DebianSolution, DebianProblem>> solve(DebianProvider& provider,
                                                          const DebianRequest& request);

}  // namespace cloche::source
