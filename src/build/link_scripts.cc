#include "build/link_scripts.h"

#include <utility>

#include <fmt/format.h>

#include "build/step_output.h"
#include "core/files.h"
#include "core/text.h"
#include "io/directory_tree.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/temporary.h"
#include "runtime/changes.h"
#include "runtime/container_spec.h"
#include "runtime/engine.h"
#include "runtime/unpacked_layers.h"

namespace cloche::build {
namespace {

constexpr std::string_view kPrefix = image::kEnvironmentPrefix;
constexpr std::string_view kFormat = "1";  // a change of what is run or kept is a new one
constexpr std::size_t kMaxMessageBytes = std::size_t{64} << 10U;

class Scripts {
 public:
  Scripts(const ScriptsRequest& request, blob::SegmentStore& store, io::ThreadPool& pool,
          const std::stop_token& stop, Progress& progress)
      : request_(request), store_(store), pool_(pool), stop_(stop), progress_(progress) {}

  blob::SegmentKey key() const {
    std::string layers;
    for (const image::EnvironmentLayer& layer : request_.layers) {
      layers += layer.diff_id.to_string() + "\n";
    }
    std::vector<std::string> names;
    names.reserve(request_.packages.size());
    for (const conda::PackageRecord& one : request_.packages) {
      names.push_back(one.name);
    }
    blob::SegmentKey key("conda-scripts", request_.compression);
    key.add("scripts", join(names, " "))
        .add("step", kFormat)
        .add("base", request_.base.digest.to_string())
        .add("layers", Digest::of(layers).to_string());
    return key;
  }

  Result<blob::Segment> run() {
    const runtime::Engine engine = TRY(runtime::Engine::find(request_.cache, stop_, progress_));
    const std::vector<std::string> lower = TRY(lower_directories());
    const io::TemporaryDirectory work = TRY(io::TemporaryDirectory::create(request_.cache));
    const std::string upper = join_path(work.path(), "upper");
    progress_.begin("running scripts", request_.packages.size(), Progress::Unit::kItems);
    for (const conda::PackageRecord& one : request_.packages) {
      TRY(run_script(engine, lower, upper, one));
      TRY(tell(upper, one));
      progress_.advance("running scripts", 1, one.name);
    }
    progress_.end("running scripts");
    blob::SegmentWriter segment =
        TRY(blob::SegmentWriter::create(store_.blobs(), request_.compression, pool_));
    TRY(runtime::write_changes(upper, {.newest_s = blob::kFixedTime}, segment, stop_));
    return std::move(segment).finish();
  }

 private:
  Result<std::vector<std::string>> lower_directories() {
    image::Manifest manifest = request_.base.manifest;
    image::ImageConfig config = request_.base.config;
    for (const image::EnvironmentLayer& layer : request_.layers) {
      manifest.layers.push_back(layer.blob);
      config.diff_ids.push_back(layer.diff_id);
    }
    const runtime::UnpackedLayers unpacked(request_.cache);
    return unpacked.get(manifest, config, request_.layout.blobs(), pool_, stop_, progress_);
  }

  // conda: conda/core/link.py, run_script
  Status run_script(const runtime::Engine& engine, const std::vector<std::string>& lower,
                    const std::string& upper, const conda::PackageRecord& package) {
    const std::string prefix(kPrefix);
    const StepOutput output = TRY(StepOutput::create());
    runtime::ContainerSpec spec;
    spec.lower = lower;
    spec.upper = upper;
    spec.env = {
        {"CONDA_PREFIX", prefix},
        {"HOME", "/root"},
        {"LANG", "C.UTF-8"},
        {"PATH", prefix + "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"PKG_BUILDNUM", std::to_string(package.build_number)},
        {"PKG_NAME", package.name},
        {"PKG_VERSION", package.version},
        {"PREFIX", prefix},
        {"PYTHONDONTWRITEBYTECODE", "1"},
        {"PYTHONHASHSEED", "0"},
        {"ROOT_PREFIX", prefix},
        {"SOURCE_DATE_EPOCH", std::to_string(blob::kFixedTime)},
        {"TZ", "UTC"}};
    spec.cwd = prefix + "/bin";
    spec.hostname = "localhost";
    spec.network = runtime::Network::kNone;
    spec.host_names = false;
    spec.out = output.descriptor();
    spec.err = output.descriptor();
    const std::string script = fmt::format("{}/bin/.{}-post-link.sh", prefix, package.name);
    spec.args = {"bash", script};
    Result<runtime::ExitStatus> status = engine.run(spec, stop_);
    if (!status && status.error().kind == ErrorKind::kNotFound) {
      spec.args = {"sh", script};
      status = engine.run(spec, stop_);
    }
    if (!status && status.error().kind == ErrorKind::kNotFound) {
      return fail(ErrorKind::kUnsupported, "the image has no shell for the post-link script of {}",
                  printable(package.name));
    }
    if (const runtime::ExitStatus ended = TRY(std::move(status)); ended.code != 0) {
      return fail(ErrorKind::kInvalid, "the post-link script of {} ended with {}: {}",
                  printable(package.name), ended.code, printable(output.text()));
    }
    return {};
  }

  // What it left for the user, which conda shows and removes.
  Status tell(const std::string& upper, const conda::PackageRecord& package) {
    const std::string path = std::string(kPrefix.substr(1)) + "/.messages.txt";
    const io::DirectoryTree tree = TRY(io::DirectoryTree::open(upper));
    const Result<io::Descriptor> file = tree.open_file(path);
    if (!file) {
      return {};
    }
    std::string text(kMaxMessageBytes, '\0');
    text.resize(TRY(io::read_some(*file, text.data(), text.size(), path)));
    for (const std::string_view line : split_lines(text)) {
      if (!trim(line).empty()) {
        progress_.note(fmt::format("{}: {}", package.name, trim(line)));
      }
    }
    return tree.remove(path);
  }

  const ScriptsRequest& request_;
  blob::SegmentStore& store_;
  io::ThreadPool& pool_;
  const std::stop_token& stop_;
  Progress& progress_;
};

}  // namespace

Result<blob::Segment> run_link_scripts(const ScriptsRequest& request, blob::SegmentStore& store,
                                       io::ThreadPool& pool, const std::stop_token& stop,
                                       Progress& progress) {
  Scripts scripts(request, store, pool, stop, progress);
  return TRY(store.find_or_make(
                 scripts.key(), "running the scripts of packages", [&] { return scripts.run(); },
                 stop, progress))
      .segment;
}

}  // namespace cloche::build
