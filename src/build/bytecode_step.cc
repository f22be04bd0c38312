#include "build/bytecode_step.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "build/environment_layer.h"
#include "build/step_output.h"
#include "core/files.h"
#include "core/text.h"
#include "io/file.h"
#include "runtime/container_spec.h"
#include "runtime/unpacked_layers.h"

namespace cloche::build {
namespace {

constexpr const char* kPlace = "/mnt/cloche-bytecode";  // of the batch in the container
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
  const StepOutput out = TRY(StepOutput::create());
  const StepOutput err = TRY(StepOutput::create());
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
  std::string tag = out.text();
  if (!status || status->code != 0 || !is_tag(tag)) {
    const std::string why = !status             ? status.error().message
                            : status->code != 0 ? err.text()
                                                : "it says '" + tag + "'";
    return fail(ErrorKind::kUnsupported, "{} does not run on the base {}: {}",
                printable(batch.interpreter), printable(around.base.reference), printable(why));
  }
  return tag;
}

}  // namespace cloche::build
