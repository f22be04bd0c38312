#include "build/debian_install.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/debian_configure.h"
#include "build/environment_layer.h"
#include "build/lower_root.h"
#include "core/check.h"
#include "core/text.h"
#include "image/layer_plan.h"
#include "io/temporary.h"
#include "package/debian/paragraph.h"
#include "runtime/root_process.h"
#include "runtime/unpacked_layers.h"
#include "source/debian/dpkg_database.h"

namespace cloche::build {
namespace {

constexpr std::string_view kMade = "made";
constexpr std::size_t kMaxStatusBytes = std::size_t{256} << 20U;

// An engine takes about 127 layers, of which conda packages want up to 80.
constexpr image::LayerLimits kOwnLayers = {.layers = 12, .shared_layers = 6};
constexpr image::LayerLimits kAddedLayers = {.layers = 16, .shared_layers = 6};

class Installing {
 public:
  Installing(const DebianInstall& install, const source::FetchDebs& fetch,
             blob::SegmentStore& store, io::ThreadPool& pool, const std::stop_token& stop,
             Progress& progress)
      : install_(install),
        fetch_(fetch),
        store_(store),
        pool_(pool),
        stop_(stop),
        progress_(progress),
        unpacked_(install.cache),
        system_of_its_own_(install.base.digest.empty()),
        root_({}) {}

  Result<DebianLayers> run() {
    DebianLayers out;
    if (!system_of_its_own_) {
      root_ = LowerRoot(TRY(unpacked_.get(install_.base.manifest, install_.base.config,
                                          install_.layout.blobs(), pool_, stop_, progress_)));
      TRY(read_status());
    }
    TRY(make_segments(out));
    TRY(choose());
    TRY(make_layers(out));
    TRY(add_configured(out));
    return out;
  }

 private:
  struct Package {
    source::DebSegment deb;
    debian::PackageRecord record;
    bool by_dpkg = false;  // unpacked in the container
  };

  // Names that the base's dpkg knows, whatever their state.
  Status read_status() {
    const auto text = root_.read("var/lib/dpkg/status", kMaxStatusBytes);
    if (!text) {
      return fail(ErrorKind::kUnsupported,
                  "the base image {} has no dpkg database, so no Debian packages go onto it",
                  printable(install_.base.reference))
          .with_hint("choose a base of Debian or Ubuntu, or leave out apt packages");
    }
    debian::ParagraphReader reader(*text, "var/lib/dpkg/status");
    debian::Paragraph paragraph;
    while (TRY(reader.next(paragraph))) {
      installed_.emplace(paragraph.value("Package"));
    }
    return {};
  }

  std::vector<source::DirectoryAlias> aliases() const {
    std::vector<std::string> linked;
    for (const std::string_view one : source::merged_directories()) {
      const std::string name(one);
      const std::string target = root_.link_target(name).value_or("");
      const bool is_link = system_of_its_own_ ? install_.merged_usr
                                              : target == "usr/" + name || target == "/usr/" + name;
      if (is_link) {
        linked.push_back(name);
      }
    }
    return source::merged_usr(linked);
  }

  Status make_segments(DebianLayers& out) {
    aliases_ = aliases();
    std::vector<source::DebSegment> made = TRY(source::deb_segments(
        install_.packages, {.compression = install_.compression, .aliases = aliases_}, fetch_,
        store_, pool_, progress_, stop_));
    out.packages_made =
        static_cast<std::size_t>(std::ranges::count(made, true, &source::DebSegment::made));
    for (source::DebSegment& one : made) {
      Package& package = packages_.emplace_back();
      debian::Paragraph paragraph;
      debian::ParagraphReader reader(one.contents.control);
      CHECK(TRY(reader.next(paragraph)));
      package.record = TRY(debian::read_record(paragraph));
      package.deb = std::move(one);
      newest_s_ = std::max(newest_s_, package.deb.contents.newest_s);
    }
    return {};
  }

  // Whatever meets something in the base is dpkg's own work: it knows Replaces, diversions, old
  // conffiles and scripts of old versions.
  Status choose() {
    const std::unordered_set<std::string> diverted = diversions();
    for (Package& package : packages_) {
      if (stop_.stop_requested()) {
        return fail(ErrorKind::kCancelled, "stopped");
      }
      package.by_dpkg = !system_of_its_own_ &&
                        (installed_.contains(package.record.name) || meets_base(package, diverted));
    }
    return {};
  }

  std::unordered_set<std::string> diversions() const {
    std::unordered_set<std::string> out;
    const auto text = root_.read("var/lib/dpkg/diversions", kMaxStatusBytes);
    const std::string all = text.value_or("");
    const std::vector<std::string_view> lines = split_lines(all);
    for (std::size_t i = 0; i + 2 < lines.size(); i += 3) {
      out.emplace(lines[i].substr(std::min<std::size_t>(1, lines[i].size())));
    }
    return out;
  }

  bool meets_base(const Package& package, const std::unordered_set<std::string>& diverted) const {
    return std::ranges::any_of(package.deb.contents.paths, [&](const source::DebPath& one) {
      const std::string path = source::aliased_path(aliases_, one.path);
      const auto there = root_.look(path);
      const bool directory = one.kind == io::TarKind::kDirectory;
      const bool shared = there && directory && S_ISDIR(there->st_mode);
      return (there && !shared) || diverted.contains(one.path);
    });
  }

  // The links of a merged /usr: of those directories that a package has something in.
  Result<std::optional<NamedSegment>> links() {
    std::set<std::string> wanted;
    if (system_of_its_own_ && install_.merged_usr) {
      wanted = {"bin", "lib", "sbin"};
      std::set<std::string> brought;
      for (const Package& package : packages_) {
        for (const source::DebPath& one : package.deb.contents.paths) {
          const std::string top = one.path.substr(0, one.path.find('/'));
          if (std::ranges::find(aliases_, top, &source::DirectoryAlias::path) != aliases_.end()) {
            (one.kind == io::TarKind::kSymlink && top == one.path ? brought : wanted).insert(top);
          }
        }
      }
      for (const std::string& one : brought) {
        wanted.erase(one);  // base-files has them itself since Debian 13
      }
    }
    if (wanted.empty()) {
      return std::optional<NamedSegment>();
    }
    blob::SegmentKey key("merged-usr", install_.compression);
    std::string names;
    for (const std::string& one : wanted) {
      names += one + "\n";
    }
    key.add("names", names);
    const auto make = [&]() -> Result<blob::Segment> {
      auto writer = TRY(blob::SegmentWriter::create(store_.blobs(), install_.compression, pool_));
      for (const std::string& one : wanted) {
        TRY(writer.symlink(one, "usr/" + one));
      }
      for (const std::string& one : wanted) {
        TRY(writer.directory("usr/" + one));
      }
      return std::move(writer).finish();
    };
    auto found = TRY(store_.find_or_make(key, "making the links of /usr", make, stop_, progress_));
    return std::optional(NamedSegment{"merged-usr", found.segment});
  }

  Status make_layers(DebianLayers& out) {
    std::vector<NamedSegment> segments;
    std::vector<image::PlannedSegment> planned;
    if (auto root = TRY(links())) {
      planned.push_back({root->name, root->segment.size_bytes});
      segments.push_back(std::move(*root));
    }
    for (const Package& package : packages_) {
      if (!package.by_dpkg) {
        segments.push_back(
            {package.record.name + " " + package.record.version, package.deb.segment});
        planned.push_back({package.record.name, package.deb.segment.size_bytes});
      }
    }
    const std::vector<std::vector<std::size_t>> plan =
        image::plan_layers(planned, system_of_its_own_ ? kOwnLayers : kAddedLayers);
    progress_.begin("writing layers", plan.size(), Progress::Unit::kItems);
    out.layers = TRY(pool_.map(
        plan.size(),
        [&](std::size_t i) {
          std::vector<NamedSegment> members;
          for (const std::size_t place : plan[i]) {
            members.push_back(segments[place]);
          }
          auto layer = make_layer(members, store_, install_.layout, stop_);
          progress_.advance("writing layers", 1, members.front().name);
          return layer;
        },
        stop_));
    progress_.end("writing layers");
    return {};
  }

  blob::SegmentKey configured_key() const {
    blob::SegmentKey key("deb-configured", install_.compression);
    key.add("configure_format", std::to_string(kConfigureFormat));
    std::string base;
    for (const Digest& one : install_.base.config.diff_ids) {
      base += one.to_string() + "\n";
    }
    key.add("base", Digest::of(base).to_string());
    std::string list = install_.merged_usr ? "merged\n" : "not merged\n";
    for (const Package& package : packages_) {
      list += fmt::format("{} {}\n", package.record.name, package.deb.segment.diff_id.to_string());
    }
    for (const std::string& one : install_.removes) {
      list += "- " + one + "\n";
    }
    for (const auto& [path, content] : install_.files) {
      list += fmt::format("{} {}\n", path, Digest::of(content).to_string());
    }
    key.add("packages", Digest::of(list).to_string());
    return key;
  }

  // Files of several users can be made by root only: of the machine, or of a namespace.
  Status add_configured(DebianLayers& out) {
    const blob::SegmentKey key = configured_key();
    bool made = false;
    if (::geteuid() != 0 && !store_.find(key)) {
      const std::vector<std::string> archives = TRY(fetch_archives());
      progress_.begin("configuring", 0, Progress::Unit::kNone);
      auto done = runtime::run_as_root(
          [&](const std::stop_token& stop) { return configure_apart(key, out, archives, stop); },
          stop_);
      progress_.end("configuring");
      made = TRY(std::move(done)) == kMade;
    }
    const auto make = [&]() -> Result<blob::Segment> {
      const std::vector<std::string> archives = TRY(fetch_archives());
      return configure_all(out, archives, {unpacked_, root_, pool_, stop_, progress_});
    };
    const auto found =
        TRY(store_.find_or_make(key, "configuring the Debian packages", make, stop_, progress_));
    out.configured = found.made || made;
    const NamedSegment one{.name = "", .segment = found.segment};
    image::EnvironmentLayer layer = TRY(make_layer({&one, 1}, store_, install_.layout, stop_));
    layer.packages.clear();
    layer.package_bytes.clear();
    layer.contents = image::kConfiguredLayer;
    out.layers.push_back(std::move(layer));
    return {};
  }

  // With what: a process that is root of a namespace has its own.
  struct Means {
    const runtime::UnpackedLayers& unpacked;
    const LowerRoot& base;
    io::ThreadPool& pool;
    const std::stop_token& stop;
    Progress& progress;
  };

  // As root of a namespace. The layers are unpacked for this alone: with the owners that they say,
  // which in the cache of a user who is not root they do not have.
  Result<std::string> configure_apart(const blob::SegmentKey& key, const DebianLayers& layers,
                                      const std::vector<std::string>& archives,
                                      const std::stop_token& stop) {
    Progress unheard;
    const auto make = [&]() -> Result<blob::Segment> {
      const io::TemporaryDirectory place = TRY(io::TemporaryDirectory::create(install_.cache));
      const runtime::UnpackedLayers unpacked(place.path());
      io::ThreadPool pool;
      LowerRoot base({});
      if (!system_of_its_own_) {
        base = LowerRoot(TRY(unpacked.get(install_.base.manifest, install_.base.config,
                                          install_.layout.blobs(), pool, stop, unheard)));
      }
      return configure_all(layers, archives, {unpacked, base, pool, stop, unheard});
    };
    const auto found =
        TRY(store_.find_or_make(key, "configuring the Debian packages", make, stop, unheard));
    return std::string(found.made ? kMade : "");
  }

  std::vector<std::size_t> places_by_dpkg() const {
    std::vector<std::size_t> out;
    for (const std::size_t i : source::unpack_order(unpacked())) {
      if (packages_[i].by_dpkg) {
        out.push_back(i);
      }
    }
    return out;
  }

  Result<std::vector<std::string>> fetch_archives() {
    const std::vector<std::size_t> places = places_by_dpkg();
    return places.empty() ? Result<std::vector<std::string>>(std::vector<std::string>())
                          : fetch_(places);
  }

  Result<blob::Segment> configure_all(const DebianLayers& layers,
                                      const std::vector<std::string>& archives,
                                      const Means& means) {
    image::Manifest manifest = install_.base.manifest;
    image::ImageConfig config = install_.base.config;
    for (const image::EnvironmentLayer& one : layers.layers) {
      manifest.layers.push_back(one.blob);
      config.diff_ids.push_back(one.diff_id);
    }
    ConfigureRequest request{
        .base = means.base,
        .lower = TRY(means.unpacked.get(manifest, config, install_.layout.blobs(), means.pool,
                                        means.stop, means.progress)),
        .packages = {},
        .archives = archives,
        .removes = install_.removes,
        .directories = directories(means.base),
        .files = install_.files,
        .newest_s = newest_s_,
        .cache = install_.cache,
        .compression = install_.compression};
    const std::vector<source::UnpackedPackage> all = unpacked();
    for (const std::size_t i : source::unpack_order(all)) {
      if (!packages_[i].by_dpkg) {
        request.packages.push_back(all[i]);
      }
    }
    return configure(request, store_.blobs(), means.pool, means.stop, means.progress);
  }

  std::vector<source::UnpackedPackage> unpacked() const {
    std::vector<source::UnpackedPackage> out;
    out.reserve(packages_.size());
    for (const Package& package : packages_) {
      out.push_back({package.record, &package.deb.contents});
    }
    return out;
  }

  // Where packages (or a package and the base) say different things of a directory, the first in
  // dpkg's order counts: it makes the directory, and the others find it there.
  std::vector<DirectoryAttributes> directories(const LowerRoot& base) const {
    const std::vector<source::UnpackedPackage> all = unpacked();
    std::unordered_map<std::string, DirectoryAttributes> first;
    std::set<std::string> differ;
    for (const std::size_t i : source::unpack_order(all)) {
      for (const source::DebPath& one : packages_[i].deb.contents.paths) {
        if (one.kind != io::TarKind::kDirectory) {
          continue;
        }
        const std::string path = source::aliased_path(aliases_, one.path);
        const DirectoryAttributes now{path, one.mode, one.uid, one.gid};
        const auto [place, fresh] = first.try_emplace(path, now);
        if (fresh) {
          if (const auto there = base.look(path); there && S_ISDIR(there->st_mode)) {
            place->second = {path, there->st_mode & 07777U, there->st_uid, there->st_gid};
          }
        }
        const DirectoryAttributes& wanted = place->second;
        if (wanted.mode != now.mode || wanted.uid != now.uid || wanted.gid != now.gid) {
          differ.insert(path);
        }
      }
    }
    std::vector<DirectoryAttributes> out;
    out.reserve(differ.size());
    for (const std::string& path : differ) {
      out.push_back(first.at(path));
    }
    return out;
  }

  const DebianInstall& install_;
  const source::FetchDebs& fetch_;
  blob::SegmentStore& store_;
  io::ThreadPool& pool_;
  const std::stop_token& stop_;
  Progress& progress_;
  runtime::UnpackedLayers unpacked_;
  bool system_of_its_own_;
  LowerRoot root_;
  std::unordered_set<std::string> installed_;
  std::vector<source::DirectoryAlias> aliases_;
  std::vector<Package> packages_;
  std::int64_t newest_s_ = 0;
};

}  // namespace

Result<DebianLayers> install_debian(const DebianInstall& install, const source::FetchDebs& fetch,
                                    blob::SegmentStore& store, io::ThreadPool& pool,
                                    const std::stop_token& stop, Progress& progress) {
  return Installing(install, fetch, store, pool, stop, progress).run();
}

}  // namespace cloche::build
