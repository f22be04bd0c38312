#include "cli/run/environment.h"

#include <utility>

#include <fmt/format.h>

#include "blob/lease.h"
#include "cli/env/building.h"
#include "cli/interrupt.h"
#include "cli/progress_display.h"
#include "cli/run/session.h"
#include "io/system.h"
#include "io/thread_pool.h"
#include "runtime/engine.h"
#include "runtime/unpacked_layers.h"

namespace cloche::cli {
namespace {

Result<Subject> registered_subject(const std::string& text, Context& context) {
  Subject subject = TRY(find_subject(text, context));
  if (subject.from_file) {
    TRY(TRY(context.workspace())->create_anonymous(subject.entry.environment));
  }
  return subject;
}

struct Prepared {
  runtime::ContainerSpec spec;
  runtime::Engine engine;
};

// All that may take long, and be interrupted; no thread of it is left when it returns.
Result<Prepared> prepare(const RunOptions& options, Context& context) {
  const Interrupt interrupt;
  runtime::ContainerSpec spec = TRY(container_spec(options, io::current_directory()));
  const Subject subject = TRY(registered_subject(options.subject, context));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  const EnvironmentImage image =
      TRY(find_or_build_image(subject, options, *access, interrupt.token(), context));
  const image::Layout layout(TRY(context.workspace())->directory());
  const image::Manifest manifest = TRY(image::read_manifest(layout.blobs(), image.manifest.digest));
  const image::ImageConfig config = TRY(image::read_image_config(layout.blobs(), manifest.config));
  take_image_config(config, spec);
  if (!spec.gpus.empty()) {
    spec.cuda = runtime::cuda_needs(manifest, config);
  }
  ProgressDisplay progress(context.terminal(), access->clock(), progress_form(context));
  io::ThreadPool pool;
  auto layers = runtime::UnpackedLayers(access->cache_directory())
                    .get(manifest, config, layout.blobs(), pool, interrupt.token(), progress);
  auto engine = layers
                    ? runtime::Engine::find(access->cache_directory(), interrupt.token(), progress)
                    : Result<runtime::Engine>(layers.error());
  progress.clear();
  spec.lower = TRY(std::move(layers));
  return Prepared{std::move(spec), TRY(std::move(engine))};
}

}  // namespace

Result<Report> run_in_environment(const RunOptions& options, Context& context) {
  Prepared prepared = TRY(prepare(options, context));
  const runtime::ExitStatus status = TRY(attend(prepared.engine, std::move(prepared.spec)));
  if (const std::string reason = status.reason(); !reason.empty() && status.code != 0) {
    Diagnostics diagnostics;
    diagnostics.warn("limit-reached", {}, reason, "raise it: --memory, --pids");
    context.say(diagnostics);
  }
  Report report;
  report.silent = true;
  report.exit_code = status.code;
  return report;
}

}  // namespace cloche::cli
