#include "build/bootstrap.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "blob/lease.h"
#include "blob/segment_store.h"
#include "blob/work_lock.h"
#include "build/conflict.h"
#include "build/debian_install.h"
#include "core/text.h"
#include "image/environment_image.h"
#include "image/platform.h"
#include "io/file.h"
#include "io/thread_pool.h"
#include "package/debian/version.h"
#include "package/oci/reference.h"
#include "source/debian/fetch.h"
#include "source/debian/solve.h"

namespace cloche::build {
namespace {

constexpr std::string_view kCreated = "1970-01-01T00:00:00Z";
constexpr std::string_view kMadeBy = "cloche image bootstrap";
constexpr std::string_view kUsrIsMerged = "usr-is-merged";

struct Suite {
  std::string_view codename;
  std::string_view version;
};
constexpr std::array<Suite, 3> kSuites = {
    {{"bullseye", "11"}, {"bookworm", "12"}, {"trixie", "13"}}};

// One-line sources, without credentials.
std::string sources_list(const std::vector<source::OpenedRelease>& releases) {
  std::string out;
  for (const source::OpenedRelease& one : releases) {
    out += fmt::format("deb {} {} {}\n", one.uri, one.suite, join(one.components, " "));
  }
  return out;
}

const debian::PackageRecord* find(const std::vector<debian::PackageRecord>& packages,
                                  std::string_view name) {
  const auto found = std::ranges::find(packages, name, &debian::PackageRecord::name);
  return found == packages.end() ? nullptr : &*found;
}

class Bootstrapping {
 public:
  Bootstrapping(const BootstrapRequest& request, source::FileCache& files,
                const std::stop_token& stop, Progress& progress)
      : request_(request), files_(files), stop_(stop), progress_(progress) {}

  Result<Bootstrapped> run(source::Archives archives, const std::string& architecture) {
    Bootstrapped out;
    out.packages = TRY(choose(archives, architecture));
    out.releases = std::move(archives.releases);
    TRY(request_.layout.create());
    const blob::Lease lease = TRY(blob::Lease::take(request_.layout.root()));
    const std::string segments = request_.cache + "/segments";
    TRY(io::make_directories(segments));
    const auto segments_lease = TRY(blob::Lease::take_where_writable(segments));
    blob::SegmentStore store(segments);
    image::BaseImage nothing;
    nothing.reference = "scratch";
    nothing.config.platform = TRY(image::parse_platform(request_.platform));
    const DebianInstall install{.base = nothing,
                                .layout = request_.layout,
                                .packages = deb_files(out.packages),
                                .merged_usr = is_merged(out.packages),
                                .files = files_of(out.releases, architecture),
                                .cache = request_.cache,
                                .compression = request_.compression};
    const DebianLayers made = TRY(install_debian(
        install, [&](auto places) { return fetch(out.packages, places); }, store, pool_, stop_,
        progress_));
    out.packages_made = made.packages_made;
    out.configured = made.configured;
    out.layers = made.layers.size();
    out.manifest = TRY(write_image(made, nothing.config, out));
    return out;
  }

 private:
  // Twice where the first answer has usrmerge, which brings Perl to do what is done here already.
  Result<std::vector<debian::PackageRecord>> choose(const source::Archives& archives,
                                                    const std::string& architecture) const {
    std::vector<debian::PackageRecord> chosen = TRY(solve(archives, architecture, false));
    return find(chosen, "usrmerge") == nullptr ? chosen : TRY(solve(archives, architecture, true));
  }

  Result<std::vector<debian::PackageRecord>> solve(const source::Archives& archives,
                                                   const std::string& architecture,
                                                   bool usr_is_merged) const {
    source::PackageUniverse universe(archives.packages, nullptr, {.architecture = architecture});
    source::DebianProvider provider(universe);
    source::DebianRequest request;
    request.essential = true;
    request.priority = request_.variant == BootstrapVariant::kStandard
                           ? debian::Priority::kStandard
                           : debian::Priority::kRequired;
    request.stop = stop_;
    std::vector<std::string> names = {"apt"};
    names.insert(names.end(), request_.include.begin(), request_.include.end());
    if (usr_is_merged) {
      names.emplace_back(kUsrIsMerged);
    }
    for (const std::string& name : names) {
      request.packages.push_back({TRY(debian::parse_requirement(name))});
    }
    auto answer = TRY(source::solve(provider, request));
    if (auto* problem = std::get_if<source::DebianProblem>(&answer)) {
      std::vector<Asked> asked;
      asked.reserve(problem->asked.size());
      for (const std::string& text : problem->asked) {
        asked.push_back({.text = text, .name = text, .at = {}});
      }
      return conflict_error(problem->problem, asked, provider);
    }
    return std::move(std::get<source::DebianSolution>(answer).packages);
  }

  static std::vector<source::DebFile> deb_files(
      const std::vector<debian::PackageRecord>& packages) {
    std::vector<source::DebFile> out;
    out.reserve(packages.size());
    for (const debian::PackageRecord& one : packages) {
      out.push_back({one.name, one.version, one.architecture, one.sha256});
    }
    return out;
  }

  // Since Debian 13 base-files has the links; Debian 12 has a package that asks for them.
  static bool is_merged(const std::vector<debian::PackageRecord>& packages) {
    const debian::PackageRecord* base_files = find(packages, "base-files");
    return find(packages, kUsrIsMerged) != nullptr || find(packages, "usrmerge") != nullptr ||
           (base_files != nullptr && debian::compare_versions(base_files->version, "13") > 0);
  }

  static std::map<std::string, std::string> files_of(
      const std::vector<source::OpenedRelease>& releases, const std::string& architecture) {
    return {{"etc/apt/sources.list", sources_list(releases)},
            {"var/lib/dpkg/arch", architecture + "\n"}};
  }

  Result<std::vector<std::string>> fetch(const std::vector<debian::PackageRecord>& packages,
                                         std::span<const std::size_t> places) {
    std::vector<debian::PackageRecord> wanted;
    wanted.reserve(places.size());
    for (const std::size_t place : places) {
      wanted.push_back(packages[place]);
    }
    return source::fetch_debs(files_, wanted, {.offline = request_.archive.offline}, stop_,
                              progress_);
  }

  Result<image::Descriptor> write_image(const DebianLayers& made, image::ImageConfig config,
                                        Bootstrapped& out) const {
    image::Manifest manifest;
    config.created = kCreated;
    config.cmd = {"bash"};
    config.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    for (const image::EnvironmentLayer& layer : made.layers) {
      manifest.layers.push_back(layer.blob);
      config.diff_ids.push_back(layer.diff_id);
      config.history.push_back(
          {.created = std::string(kCreated),
           .created_by = std::string(kMadeBy),
           .comment = layer.packages.empty() ? layer.contents : join(layer.packages, ", ")});
      out.layer_bytes += layer.blob.size_bytes;
    }
    return image::put_image(request_.layout.blobs(), std::move(manifest), config);
  }

  const BootstrapRequest& request_;
  source::FileCache& files_;
  const std::stop_token& stop_;
  Progress& progress_;
  io::ThreadPool pool_;
};

}  // namespace

bool is_bootstrapped(const image::ImageConfig& config) {
  return !config.history.empty() && config.history.front().created_by == kMadeBy;
}

std::optional<std::string> bootstrap_suite(std::string_view reference) {
  const auto parsed = oci::parse_reference(reference);
  if (!parsed || parsed->registry != "docker.io" || parsed->repository != "library/debian" ||
      !parsed->digest.empty()) {
    return std::nullopt;
  }
  std::string_view tag = parsed->tag;
  if (tag.ends_with("-slim")) {
    tag.remove_suffix(5);
  }
  for (const Suite& one : kSuites) {
    if (tag == one.codename || tag == one.version) {
      return std::string(one.codename);
    }
  }
  return std::nullopt;
}

Result<Bootstrapped> bootstrap(const BootstrapRequest& request, source::ArchiveCache& archives,
                               source::FileCache& files, const std::stop_token& stop,
                               Progress& progress, Diagnostics& diagnostics) {
  const std::string architecture = TRY(source::debian_architecture(request.platform));
  source::Archives opened = TRY(
      archives.open(request.sources, architecture, request.archive, stop, progress, diagnostics));
  return Bootstrapping(request, files, stop, progress).run(std::move(opened), architecture);
}

}  // namespace cloche::build
