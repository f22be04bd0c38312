#include "build/bytecode_step.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "build/environment_layer.h"
#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/system_error.h"
#include "runtime/container_spec.h"
#include "runtime/unpacked_layers.h"

namespace cloche::build {
namespace {

constexpr const char* kPlace = "/mnt/cloche-bytecode";  // of the batch in the container
constexpr std::size_t kMaxOutputBytes = 4096;  // of what it says, which is a word or why not

// What a container writes, in memory.
class Output {
 public:
  static Result<Output> create() {
    io::Descriptor file(::memfd_create("cloche-step", MFD_CLOEXEC));
    if (!file.valid()) {
      return io::system_error(errno, "create", "a file in memory");
    }
    return Output(std::move(file));
  }

  int descriptor() const { return file_.get(); }

  // Its last part.
  std::string text() const {
    const off_t size = ::lseek(file_.get(), 0, SEEK_END);
    const off_t from = std::max<off_t>(0, size - static_cast<off_t>(kMaxOutputBytes));
    std::string out(static_cast<std::size_t>(size - from), '\0');
    const ssize_t count = ::pread(file_.get(), out.data(), out.size(), from);
    out.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
    return out;
  }

 private:
  explicit Output(io::Descriptor file) : file_(std::move(file)) {}

  io::Descriptor file_;
};

// The base's layers and those of each of the interpreter's packages: packages that stand alone in
// the image as well, which are the large ones, are unpacked once for both.
Result<std::vector<std::string>> lower_directories(const source::BytecodeBatch& batch,
                                                   const StepSurroundings& around) {
  image::Manifest manifest = around.base.manifest;
  image::ImageConfig config = around.base.config;
  const std::vector<image::EnvironmentLayer> layers = TRY(around.pool.map(
      batch.runtime.size(),
      [&](std::size_t i) {
        const NamedSegment one{.name = "", .segment = batch.runtime[i]};
        return make_layer({&one, 1}, around.segments, around.layout, around.stop);
      },
      around.stop));
  for (const image::EnvironmentLayer& layer : layers) {
    manifest.layers.push_back(layer.blob);
    config.diff_ids.push_back(layer.diff_id);
  }
  const runtime::UnpackedLayers unpacked(around.cache);
  return unpacked.get(manifest, config, around.layout.blobs(), around.pool, around.stop,
                      around.progress);
}

bool is_tag(std::string_view text) {
  return text.size() <= 32 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

Result<std::string> compile_bytecode_contained(const source::BytecodeBatch& batch,
                                               const StepSurroundings& around) {
  TRY(io::write_file_atomically(batch.directory + "/program.py", source::image_bytecode_program()));
  const Output out = TRY(Output::create());
  const Output err = TRY(Output::create());
  const std::string interpreter = join_path(batch.prefix, batch.interpreter);
  const unsigned processes = std::max(1U, std::thread::hardware_concurrency());
  runtime::ContainerSpec spec;
  spec.lower = TRY(lower_directories(batch, around));
  spec.args = {interpreter,
               "-E",
               "-s",
               "-S",
               "-B",
               "-W",
               "ignore",
               std::string(kPlace) + "/program.py",
               kPlace,
               batch.prefix,
               std::to_string(batch.packages),
               std::to_string(processes)};
  // Nothing of this machine: what is hashed or compared would differ elsewhere.
  spec.env = {{"LANG", "C.UTF-8"}, {"PATH", "/usr/bin:/bin"}, {"PYTHONHASHSEED", "0"}};
  spec.hostname = "cloche";
  spec.mounts = {{.source = batch.directory, .target = kPlace}};
  spec.network = runtime::Network::kNone;
  spec.host_names = false;
  spec.out = out.descriptor();
  spec.err = err.descriptor();
  around.progress.begin("compiling bytecode", 0, Progress::Unit::kNone);
  const Result<runtime::ExitStatus> status = around.engine.run(spec, around.stop);
  around.progress.end("compiling bytecode");
  if (!status && status.error().kind != ErrorKind::kNotFound) {
    return status.error();
  }
  std::string tag(trim(out.text()));
  if (!status || status->code != 0 || !is_tag(tag)) {
    const std::string why = !status             ? status.error().message
                            : status->code != 0 ? std::string(trim(err.text()))
                                                : "it says '" + tag + "'";
    return fail(ErrorKind::kUnsupported, "{} does not run on the base {}: {}",
                printable(batch.interpreter), printable(around.base.reference), printable(why));
  }
  return tag;
}

}  // namespace cloche::build
