#include "debian_channel/deb_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/diagnostic.h"
#include "core/files.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system.h"
#include "source/debian/fetch.h"

namespace cloche::debian_channel {
namespace {

constexpr std::string_view kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

// Suite, updates and security updates below one mirror, as deb.debian.org has them.
std::vector<source::AptSource> sources_below(const std::string& mirror, const std::string& suite) {
  std::vector<source::AptSource> out;
  for (const auto& [uri, name] : {std::pair(mirror, suite), std::pair(mirror, suite + "-updates"),
                                  std::pair(mirror + "-security", suite + "-security")}) {
    out.push_back(
        {.uri = uri, .suite = name, .components = {"main"}, .keyrings = {std::string(kKeyring)}});
  }
  return out;
}

io::HttpOptions client_options() {
  std::map<std::string, std::string> environment;
  for (const char* name : {"http_proxy", "https_proxy", "no_proxy", "HOME"}) {
    if (std::string value = io::environment_variable(name); !value.empty()) {
      environment[name] = std::move(value);
    }
  }
  return io::http_options(environment);
}

}  // namespace

Available::Available(std::vector<source::PackageSource> sources)
    : sources_(std::move(sources)), universe_(sources_, nullptr, {}) {}

const debian::PackageRecord* Available::record(resolve::SolvableId id) {
  const auto key = static_cast<std::uint32_t>(resolve::index(id));
  const auto found = records_.find(key);
  return found != records_.end() ? &found->second
                                 : &records_.emplace(key, universe_.record(id)).first->second;
}

const debian::PackageRecord* Available::find(std::string_view name) {
  const std::optional<resolve::SolvableId> id = universe_.candidate(universe_.name_id(name));
  return id ? record(*id) : nullptr;
}

std::vector<const debian::PackageRecord*> Available::providers(std::string_view name) {
  std::vector<const debian::PackageRecord*> out;
  for (const source::PackageUniverse::Provider& one :
       universe_.providers(universe_.name_id(name))) {
    out.push_back(record(one.package));
  }
  std::ranges::sort(out, {}, &debian::PackageRecord::name);
  return out;
}

DebSource::DebSource(std::string mirror, std::string suite, std::string cache_directory)
    : mirror_(std::move(mirror)),
      suite_(std::move(suite)),
      cache_directory_(std::move(cache_directory)),
      client_(client_options()) {}

Result<std::unique_ptr<Available>> DebSource::open(const std::stop_token& stop,
                                                   Progress& progress) {
  io::DiskFiles files;
  io::SystemClock clock;
  Diagnostics diagnostics;
  std::vector<source::AptSource> sources;
  if (mirror_.empty()) {
    const source::OsRelease machine = source::parse_os_release(
        files.read("/etc/os-release", kMaxTextBytes).value_or(std::string()));
    source::OsRelease wanted;
    wanted.id = "debian";
    wanted.codename = suite_;
    sources = TRY(source::sources_for(
        wanted, machine, TRY(source::machine_apt_sources(files, "/etc/apt", diagnostics))));
  } else {
    sources = sources_below(mirror_, suite_);
  }
  source::ArchiveCache cache(join_path(cache_directory_, "debian"), client_, files, clock);
  source::Archives archives = TRY(cache.open(sources, "amd64", {}, stop, progress, diagnostics));
  return std::make_unique<Available>(std::move(archives.packages));
}

Result<FetchedPackages> DebSource::fetch(std::span<const debian::PackageRecord> packages,
                                         const std::stop_token& stop, Progress& progress) {
  const std::string directory = join_path(cache_directory_, "packages");
  io::DiskFiles files;
  FetchedPackages out;
  for (const debian::PackageRecord& one : packages) {
    if (!files.kind(directory + "/blobs/sha256/" + one.sha256)) {
      ++out.downloaded;
      out.downloaded_bytes += one.size_bytes;
    }
  }
  TRY(io::make_directories(directory));
  source::FileCache cache(directory, client_);
  out.paths = TRY(source::fetch_debs(cache, packages, {}, stop, progress));
  return out;
}

}  // namespace cloche::debian_channel
