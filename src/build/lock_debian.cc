#include "build/lock_debian.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "build/conflict.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "package/debian/relation.h"
#include "package/debian/requirement.h"
#include "source/debian/solve.h"

namespace cloche::build {
namespace {

constexpr std::size_t kMaxOsReleaseBytes = std::size_t{64} << 10U;

source::OsRelease machine_release(FileSource& files) {
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    if (const auto text = files.read(path, kMaxOsReleaseBytes)) {
      return source::parse_os_release(*text);
    }
  }
  return {};
}

// Groups of alternatives as the index has them, without line ends.
std::vector<std::string> groups_of(std::string_view field) {
  std::vector<std::string> out;
  for (const std::string_view one : split(field, ',')) {
    if (std::string text = collapse_blanks(one); !text.empty()) {
      out.push_back(std::move(text));
    }
  }
  return out;
}

lock::DebianPackage locked(const debian::PackageRecord& record) {
  lock::DebianPackage out;
  out.name = record.name;
  out.version = record.version;
  out.architecture = record.architecture;
  out.source = record.source;
  out.url = record.url;
  out.size_bytes = record.size_bytes;
  out.sha256 = record.sha256;
  out.pre_depends = groups_of(record.pre_depends);
  out.depends = groups_of(record.depends);
  out.provides = groups_of(record.provides);
  return out;
}

std::string seconds_only(std::int64_t ms) {
  const std::string text = to_rfc3339(ms);
  return text.substr(0, text.find('.')) + "Z";
}

std::vector<debian::PackageRecord> favoured(const LockRequest& request) {
  std::vector<debian::PackageRecord> out;
  if (request.previous == nullptr) {
    return out;
  }
  for (const lock::DebianPackage& one : request.previous->debian.packages) {
    if (std::ranges::find(request.upgrade, one.name) == request.upgrade.end()) {
      out.emplace_back();
      out.back().name = one.name;
      out.back().version = one.version;
    }
  }
  return out;
}

Result<std::vector<source::AskedPackage>> asked_packages(const definition::AptSection& apt) {
  std::vector<source::AskedPackage> out;
  for (const definition::Line& line : apt.packages) {
    auto requirement = debian::parse_requirement(line.text);
    if (!requirement) {
      return std::move(requirement.error()).with_location(line.at);
    }
    out.push_back({std::move(*requirement), line.at});
  }
  return out;
}

Error conflict(const source::DebianProblem& problem, const definition::AptSection& apt,
               source::DebianProvider& provider) {
  std::vector<Asked> asked;
  for (std::size_t i = 0; i < problem.asked.size(); ++i) {
    const bool from_file = i < apt.packages.size();
    asked.push_back(
        {problem.asked[i], problem.asked[i], from_file ? apt.packages[i].at : Location()});
  }
  return conflict_error(problem.problem, asked, provider);
}

}  // namespace

Result<source::Archives> open_archives(const source::OsRelease& release,
                                       const std::string& architecture, const DebianSources& given,
                                       const source::ArchiveOptions& options,
                                       const Channels& channels, const std::stop_token& stop,
                                       Progress& progress, Diagnostics& diagnostics) {
  io::DiskFiles files;
  std::vector<source::AptSource> sources = given.sources;
  if (sources.empty()) {
    sources =
        TRY(source::sources_for(release, machine_release(files),
                                TRY(source::machine_apt_sources(files, "/etc/apt", diagnostics))));
  }
  source::ArchiveCache cache(channels.cache_directory + "/debian", channels.client, files,
                             channels.clock);
  return cache.open(sources, architecture, options, stop, progress, diagnostics);
}

Status lock_debian(const LockRequest& request, const definition::AptSection& apt,
                   const DebianBase& base, const Channels& channels, const std::stop_token& stop,
                   Progress& progress, Diagnostics& diagnostics, LockOutcome& out) {
  source::DebianRequest wanted;
  wanted.packages = TRY(asked_packages(apt));
  wanted.stop = stop;
  wanted.deadline = request.deadline;
  lock::DebianLock& result = out.lock.debian;
  result.locked = true;
  result.distribution = base.release.id;
  result.codename = base.release.codename;
  result.architecture = TRY(source::debian_architecture(request.platform));
  const source::Archives archives =
      TRY(open_archives(base.release, result.architecture, request.debian,
                        {.refresh = request.repodata.refresh, .offline = request.repodata.offline},
                        channels, stop, progress, diagnostics));
  for (const source::OpenedRelease& one : archives.releases) {
    result.archives.push_back({.uri = one.uri,
                               .suite = one.suite,
                               .components = one.components,
                               .date = seconds_only(one.release.date_ms),
                               .sha256 = one.sha256});
  }

  source::PackageUniverse universe(
      archives.packages, &base.installed,
      {.architecture = result.architecture, .favoured = favoured(request)});
  source::DebianProvider provider(universe);
  progress.begin("solving", 0, Progress::Unit::kNone);
  auto outcome = source::solve(provider, wanted);
  progress.end("solving");
  auto answer = TRY(std::move(outcome));
  if (const auto* const problem = std::get_if<source::DebianProblem>(&answer)) {
    return conflict(*problem, apt, provider);
  }
  auto& solution = std::get<source::DebianSolution>(answer);
  for (const debian::PackageRecord& record : solution.packages) {
    result.packages.push_back(locked(record));
  }
  result.removes = std::move(solution.removed);
  return {};
}

}  // namespace cloche::build
