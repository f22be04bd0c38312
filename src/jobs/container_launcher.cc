#include "jobs/container_launcher.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "io/descriptor.h"
#include "io/system_error.h"
#include "io/thread_pool.h"
#include "runtime/unpacked_layers.h"

namespace cloche::jobs {
namespace {

void add_variables(const image::ImageConfig& config, const Launch& launch,
                   runtime::ContainerSpec& spec) {
  for (const std::string& one : config.env) {
    const std::size_t equals = one.find('=');
    if (equals != std::string::npos) {
      spec.env[one.substr(0, equals)] = one.substr(equals + 1);
    }
  }
  for (const auto& [name, value] : launch.variables) {
    // What the image puts on the path stays there, behind what the job needs.
    std::string& place = spec.env[name];
    const bool both = name == "PYTHONPATH" && !place.empty();
    place = both ? fmt::format("{}:{}", value, place) : value;
  }
  spec.env.try_emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

}  // namespace

Result<const runtime::Engine*> ContainerLauncher::engine() {
  const std::scoped_lock lock(mutex_);
  if (!engine_) {
    engine_ = TRY(runtime::Engine::find(cache_, {}, progress_));
  }
  return &*engine_;
}

Status ContainerLauncher::start(const Launch& launch) {
  const runtime::Engine* const found = TRY(engine());
  const Digest digest = TRY(Digest::parse(launch.image));
  const image::Manifest manifest = TRY(image::read_manifest(layout_.blobs(), digest));
  const image::ImageConfig config = TRY(image::read_image_config(layout_.blobs(), manifest.config));
  runtime::ContainerSpec spec;
  {
    io::ThreadPool pool;
    const runtime::UnpackedLayers layers(cache_);
    spec.lower = TRY(layers.get(manifest, config, layout_.blobs(), pool, {}, progress_));
  }  // no thread of ours lives when the keeper is forked
  const io::Descriptor log(
      ::open(launch.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!log.valid()) {
    return io::system_error(errno, "write", launch.log);
  }
  add_variables(config, launch, spec);
  spec.gpus = launch.gpus;
  if (!spec.gpus.empty()) {
    spec.cuda = runtime::cuda_needs(manifest, config);
  }
  spec.args = launch.args;
  spec.cwd = launch.cwd;
  // Root, as in Azure, whatever the image says: the places for outputs are the submitter's.
  spec.hostname = launch.hostname;
  spec.network_namespace = launch.network;
  for (const LaunchMount& mount : launch.mounts) {
    spec.mounts.push_back(
        {.source = mount.source, .target = mount.target, .read_only = mount.read_only});
  }
  spec.shm_bytes = launch.shm_bytes;
  if (launch.memory_bytes != 0) {
    spec.limits.memory_bytes = launch.memory_bytes;
  }
  if (launch.milli_cpus != 0) {
    spec.limits.cpu_millis = static_cast<std::uint64_t>(launch.milli_cpus);
  }
  spec.out = log.get();
  spec.err = log.get();
  TRY(found->start(spec, runtime::Lifetime::kDetached, launch.id));
  return {};
}

Result<Ending> ContainerLauncher::wait(const std::string& id, const std::stop_token& stop) {
  const runtime::Container container = TRY(TRY(engine())->open(id));
  const runtime::ExitStatus status = TRY(container.wait(stop));
  return Ending{.exit_code = status.code,
                .signal = status.signal,
                .out_of_memory = status.out_of_memory,
                .reason = status.reason(),
                .peak_memory_bytes = status.peak_memory_bytes,
                .cpu_ms = static_cast<std::int64_t>(status.cpu_user_ms + status.cpu_system_ms)};
}

Status ContainerLauncher::signal(const std::string& id, int number) {
  auto container = TRY(engine())->open(id);
  if (!container) {
    return container.error().kind == ErrorKind::kNotFound ? Status() : Status(container.error());
  }
  return container->signal(number, true);
}

Status ContainerLauncher::remove(const std::string& id) {
  auto container = TRY(engine())->open(id);
  if (!container) {
    return container.error().kind == ErrorKind::kNotFound ? Status() : Status(container.error());
  }
  return std::move(*container).remove();
}

}  // namespace cloche::jobs
