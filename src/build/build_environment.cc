#include "build/build_environment.h"

#include <algorithm>

#include <fmt/format.h>

#include "blob/blob_store.h"
#include "blob/lease.h"
#include "blob/segment_store.h"
#include "blob/work_lock.h"
#include "build/bytecode_step.h"
#include "build/debian_install.h"
#include "build/environment_layer.h"
#include "build/link_scripts.h"
#include "build/locked_channels.h"
#include "core/files.h"
#include "core/text.h"
#include "image/layer_plan.h"
#include "io/temporary.h"
#include "io/thread_pool.h"
#include "runtime/engine.h"
#include "source/conda/history_segment.h"
#include "source/conda/package_download.h"
#include "source/debian/fetch.h"
#include "source/package_file.h"

namespace cloche::build {

namespace {

Status check_supported(const BuildRequest& request) {
  const lock::Lock& lock = request.lock;
  if (!lock.pypi.empty()) {
    return fail(ErrorKind::kUnsupported, "pip packages are not built into images yet")
        .with_hint(
            "take them from conda, or export the environment: cloche env export --format "
            "dockerfile");
  }
  if (!lock.debian.empty() && !lock.debian.locked) {
    return fail(ErrorKind::kUnsupported, "the Debian packages are not locked")
        .with_hint("lock the environment against its archives: cloche env lock --update-all");
  }
  for (const lock::CondaPackage& one : lock.conda.packages) {
    if (one.incomplete) {
      return fail(ErrorKind::kUnsupported, "the lock knows only the URL of {}",
                  printable(one.record.name))
          .with_hint("lock the environment against its channels: cloche env lock --update-all");
    }
  }
  return {};
}

// A build in progress: where things come from and go.
class Builder {
 public:
  // `engine`: for what has to be run; nullptr: nothing has.
  Builder(const BuildRequest& request, const Channels& channels, const runtime::Engine* engine,
          const std::string& segment_root, const std::stop_token& stop, Progress& progress)
      : request_(request),
        channels_(channels),
        engine_(engine),
        stop_(stop),
        progress_(progress),
        segments_(segment_root) {}

  Result<BuildOutcome> run() {
    TRY(read_packages());
    source::SegmentOptions options;
    options.compression = request_.compression;
    BuildOutcome out;
    std::vector<image::EnvironmentLayer> layers = TRY(make_debian_layers(out));
    if (engine_ != nullptr) {
      options.compile = [this](const source::BytecodeBatch& batch) { return compile(batch); };
    }
    const source::PackageSegments made = TRY(source::package_segments(
        records_, options, [this](auto places) { return fetch(places); }, segments_, pool_,
        progress_, stop_));
    const blob::Segment history =
        TRY(source::history_segment(records_, options, segments_, pool_, progress_, stop_));

    out.packages += records_.size();
    out.packages_made += static_cast<std::size_t>(
        std::ranges::count(made.segments, true, &source::PackageSegment::made));
    out.clobbers = made.clobbers;
    std::ranges::move(TRY(make_layers(made)), std::back_inserter(layers));
    TRY(run_scripts(made, layers, out));
    layers.push_back(TRY(make_plain_layer("conda-meta/history", history)));
    for (const image::EnvironmentLayer& layer : layers) {
      out.layer_bytes += layer.blob.size_bytes;
    }
    out.layers = layers.size();
    const image::EnvironmentSettings settings = {
        .packages = lock::packages_digest_of(request_.lock),
        .variables = variables_of(request_.definition),
        .needs = needs_of(request_.lock)};
    image::ImageDocuments documents = TRY(image::compose(request_.base, layers, settings));
    out.manifest = TRY(
        image::put_image(request_.layout.blobs(), std::move(documents.manifest), documents.config));
    return out;
  }

  // Why the environment's Python could not compile; "": nothing was in its way.
  const std::string& not_compiled() const { return not_compiled_; }

 private:
  Status read_packages() {
    for (const std::size_t place : lock::install_order(request_.lock)) {
      records_.push_back(request_.lock.conda.packages[place].record);
    }
    known_channels_ = TRY(locked_channels(request_.lock, channels_));
    return {};
  }

  Result<std::vector<std::string>> fetch(std::span<const std::size_t> places) {
    std::vector<conda::PackageRecord> wanted;
    for (const std::size_t place : places) {
      wanted.push_back(records_[place]);
    }
    source::PackageCache cache(package_directory(channels_), channels_.client,
                               channels_.credentials);
    return cache.fetch(wanted, known_channels_, {.offline = request_.offline}, stop_, progress_);
  }

  Result<std::vector<image::EnvironmentLayer>> make_debian_layers(BuildOutcome& out) {
    const lock::DebianLock& debian = request_.lock.debian;
    if (debian.packages.empty() && debian.removes.empty()) {
      return std::vector<image::EnvironmentLayer>();
    }
    DebianInstall install{.base = request_.base,
                          .layout = request_.layout,
                          .packages = {},
                          .removes = debian.removes,
                          .cache = channels_.cache_directory,
                          .compression = request_.compression};
    install.packages.reserve(debian.packages.size());
    for (const lock::DebianPackage& one : debian.packages) {
      install.packages.push_back({one.name, one.version, one.architecture, one.sha256});
    }
    DebianLayers made = TRY(install_debian(
        install, [this](auto places) { return fetch_debian(places); }, segments_, pool_, stop_,
        progress_));
    out.packages += debian.packages.size();
    out.packages_made += made.packages_made;
    return std::move(made.layers);
  }

  Result<std::vector<std::string>> fetch_debian(std::span<const std::size_t> places) {
    std::vector<debian::PackageRecord> wanted;
    wanted.reserve(places.size());
    for (const std::size_t place : places) {
      const lock::DebianPackage& one = request_.lock.debian.packages[place];
      debian::PackageRecord& record = wanted.emplace_back();
      record.name = one.name;
      record.url = one.url;
      record.size_bytes = one.size_bytes;
      record.sha256 = one.sha256;
    }
    source::FileCache cache(package_directory(channels_), channels_.client);
    return source::fetch_debs(cache, wanted, {.offline = request_.offline}, stop_, progress_);
  }

  Result<std::vector<image::EnvironmentLayer>> make_layers(const source::PackageSegments& made) {
    std::vector<image::PlannedSegment> planned;
    planned.reserve(records_.size());
    for (std::size_t i = 0; i < records_.size(); ++i) {
      planned.push_back({records_[i].name, made.segments[i].segment.size_bytes});
    }
    const std::vector<std::vector<std::size_t>> plan = image::plan_layers(planned);
    progress_.begin("writing layers", plan.size(), Progress::Unit::kItems);
    auto layers =
        pool_.map(plan.size(), [&](std::size_t i) { return make_layer(made, plan[i]); }, stop_);
    progress_.end("writing layers");
    return layers;
  }

  Result<image::EnvironmentLayer> make_layer(const source::PackageSegments& made,
                                             const std::vector<std::size_t>& members) {
    std::vector<NamedSegment> segments;
    segments.reserve(members.size());
    for (const std::size_t i : members) {
      segments.push_back({records_[i].name + " " + records_[i].version, made.segments[i].segment});
    }
    image::EnvironmentLayer out =
        TRY(build::make_layer(segments, segments_, request_.layout, stop_));
    progress_.advance("writing layers", 1, out.packages.front());
    return out;
  }

  // A layer that holds no package.
  Result<image::EnvironmentLayer> make_plain_layer(std::string contents,
                                                   const blob::Segment& segment) {
    const NamedSegment one{.name = "", .segment = segment};
    image::EnvironmentLayer out =
        TRY(build::make_layer({&one, 1}, segments_, request_.layout, stop_));
    out.packages.clear();
    out.package_bytes.clear();
    out.contents = std::move(contents);
    return out;
  }

  // Of the packages' scripts only post-link is run: pre-link cannot be any more, and nothing is
  // ever unlinked in an image.
  Status run_scripts(const source::PackageSegments& made,
                     std::vector<image::EnvironmentLayer>& layers, BuildOutcome& out) {
    std::vector<conda::PackageRecord> wanted;
    for (const source::LinkScript& one : made.scripts) {
      if (one.action == "post-link" && request_.scripts) {
        wanted.push_back(*std::ranges::find(records_, one.package, &conda::PackageRecord::name));
        out.scripts_run.push_back(one.package);
      } else if (one.action != "pre-unlink") {
        out.scripts.push_back(one);
      }
    }
    if (wanted.empty()) {
      return {};
    }
    const ScriptsRequest scripts{.base = request_.base,
                                 .layers = layers,
                                 .layout = request_.layout,
                                 .packages = wanted,
                                 .compression = request_.compression,
                                 .cache = channels_.cache_directory};
    Result<blob::Segment> segment =
        runs_here(request_.lock.platform)
            ? run_link_scripts(scripts, segments_, pool_, stop_, progress_)
            : fail(ErrorKind::kUnsupported, "the image is for another machine");
    if (!segment && segment.error().kind == ErrorKind::kUnsupported) {
      return fail(ErrorKind::kUnsupported, "the post-link scripts of {} cannot be run: {}",
                  printable(join(out.scripts_run, ", ")), segment.error().message)
          .with_hint("--no-scripts builds an image without what they do");
    }
    layers.push_back(TRY(make_plain_layer("post-link scripts of " + join(out.scripts_run, ", "),
                                          TRY(std::move(segment)))));
    return {};
  }

  Result<std::string> compile(const source::BytecodeBatch& batch) {
    Result<std::string> tag = compile_bytecode_contained(batch, {.engine = *engine_,
                                                                 .base = request_.base,
                                                                 .layout = request_.layout,
                                                                 .segments = segments_,
                                                                 .cache = channels_.cache_directory,
                                                                 .pool = pool_,
                                                                 .stop = stop_,
                                                                 .progress = progress_});
    if (!tag && tag.error().kind == ErrorKind::kUnsupported) {
      not_compiled_ = tag.error().message;
    }
    return tag;
  }

  const BuildRequest& request_;
  const Channels& channels_;
  const runtime::Engine* engine_;
  const std::stop_token& stop_;
  Progress& progress_;
  blob::SegmentStore segments_;
  io::ThreadPool pool_;
  std::vector<conda::PackageRecord> records_;
  std::vector<source::Channel> known_channels_;
  std::string not_compiled_;
};

Result<std::optional<BuildOutcome>> look_up(const BuildRequest& request) {
  std::optional<BuildOutcome> out;
  if (request.from_nothing) {
    return out;
  }
  if (auto found = TRY(find_build(request))) {
    out.emplace();
    out->manifest = std::move(*found);
    out->key = Digest::of(build_inputs(request).canonical());
    out->found = true;
    out->packages = request.lock.conda.packages.size() + request.lock.debian.packages.size();
  }
  return out;
}

// `why` is filled where the environment's Python does not run on the base.
Result<BuildOutcome> build_under_lock(const BuildRequest& request, const Channels& channels,
                                      const std::stop_token& stop, Progress& progress,
                                      std::string& why) {
  const Digest key = Digest::of(build_inputs(request).canonical());
  const blob::WorkLock lock = TRY(blob::WorkLock::hold(
      request.layout.root(), key.hex(),
      fmt::format("building the image of {} packages",
                  request.lock.conda.packages.size() + request.lock.debian.packages.size()),
      stop, progress));
  // Somebody may have built it since the caller's look, also when this lock was free at once.
  if (auto found = TRY(look_up(request))) {
    return std::move(*found);
  }
  std::optional<runtime::Engine> engine;
  if (compiles_bytecode(request)) {
    engine.emplace(TRY(runtime::Engine::find(channels.cache_directory, stop, progress)));
  }
  std::optional<io::TemporaryDirectory> apart;
  if (request.from_nothing) {
    apart.emplace(TRY(io::TemporaryDirectory::create(channels.cache_directory)));
  }
  Builder builder(request, channels, engine ? &*engine : nullptr,
                  apart ? apart->path() : channels.cache_directory + "/segments", stop, progress);
  Result<BuildOutcome> out = builder.run();
  why = builder.not_compiled();
  if (out) {
    out->key = key;
    if (!request.from_nothing) {
      TRY(remember_build(request, key, out->manifest));
    }
  }
  return out;
}

}  // namespace

Result<std::string> why_no_bytecode(const BuildRequest& request, const std::string& cache,
                                    const std::stop_token& stop, Progress& progress) {
  if (!compiles_bytecode(request)) {
    return std::string();
  }
  const Result<runtime::Engine> engine = runtime::Engine::find(cache, stop, progress);
  if (!engine && engine.error().kind != ErrorKind::kUnsupported) {
    return engine.error();
  }
  return engine ? std::string() : engine.error().message;
}

Result<BuildOutcome> build_environment(const BuildRequest& wanted, const Channels& channels,
                                       const std::stop_token& stop, Progress& progress) {
  TRY(check_supported(wanted));
  if (auto found = TRY(look_up(wanted))) {
    return std::move(*found);
  }
  TRY(wanted.layout.create());
  const blob::Lease lease = TRY(blob::Lease::take(wanted.layout.root()));
  const auto packages_lease =
      TRY(blob::Lease::take_where_writable(channels.cache_directory + "/packages"));
  const auto segments_lease =
      TRY(blob::Lease::take_where_writable(channels.cache_directory + "/segments"));
  std::string why = TRY(why_no_bytecode(wanted, channels.cache_directory, stop, progress));
  if (why.empty()) {
    Result<BuildOutcome> out = build_under_lock(wanted, channels, stop, progress, why);
    if (out || why.empty()) {
      return out;
    }
  }
  BuildRequest request = wanted;
  request.bytecode = false;
  if (auto found = TRY(look_up(request))) {
    found->without_bytecode = std::move(why);
    return std::move(*found);
  }
  std::string nothing;
  BuildOutcome out = TRY(build_under_lock(request, channels, stop, progress, nothing));
  out.without_bytecode = std::move(why);
  return out;
}

}  // namespace cloche::build
