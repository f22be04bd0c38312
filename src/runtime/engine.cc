#include "runtime/engine.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system.h"
#include "io/system_error.h"
#include "io/temporary.h"
#include "runtime/cdi_registry.h"
#include "runtime/cgroup.h"
#include "runtime/container_directory.h"
#include "runtime/gpus.h"
#include "runtime/init_program.h"
#include "runtime/keeper.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kMaxRecordBytes = 65536;
constexpr std::chrono::seconds kGrace{10};

std::string containers_of(const std::string& cache) { return cache + "/containers"; }

Status check_id(const std::string& id) {
  const bool plain = !id.empty() && id.size() <= kMaxIdBytes && id.front() != '-' &&
                     std::ranges::all_of(id, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_';
                     });
  return plain ? Status()
               : Status(fail(ErrorKind::kInvalid, "'{}' is no id of a container", printable(id)));
}

std::vector<std::string> candidates() {
  std::vector<std::string> folders;
  const std::string path = io::environment_variable("PATH");
  for (const std::string_view folder : split(path, ':')) {
    if (folder.starts_with('/')) {
      folders.emplace_back(folder);
    }
  }
  // Debian has runc in /usr/sbin, which is not in everybody's PATH.
  for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}) {
    folders.emplace_back(folder);
  }
  std::vector<std::string> out;
  for (const char* name : {"crun", "runc"}) {  // crun starts faster
    for (const std::string& folder : folders) {
      std::string program = join_path(folder, name);
      if (::access(program.c_str(), X_OK) == 0) {
        out.push_back(std::move(program));
        break;
      }
    }
  }
  return out;
}

// Whatever may change the answer of a probe.
Json circumstances(const std::string& program) {
  struct stat info{};
  struct utsname system{};
  ::stat(program.c_str(), &info);
  ::uname(&system);
  return Json::object()
      .set("program", program)
      .set("size", static_cast<std::int64_t>(info.st_size))
      .set("changed", static_cast<std::int64_t>(info.st_mtim.tv_sec))
      .set("kernel", std::string(&system.release[0]))
      .set("cgroups", cgroup_host().version)
      .set("user", static_cast<std::int64_t>(::geteuid()));
}

std::optional<std::string> remembered(const std::string& file) {
  const auto text = io::DiskFiles().read(file, kMaxRecordBytes);
  const auto json = text ? parse_json(*text, file) : Result<Json>(text.error());
  if (!json || !json->is_object()) {
    return std::nullopt;
  }
  const std::string program = json->string_or_empty("program");
  return !program.empty() && ::access(program.c_str(), X_OK) == 0 && *json == circumstances(program)
             ? std::optional(program)
             : std::nullopt;
}

// A container with nothing but init's program, which does nothing when it is alone. Not over "/":
// in a namespace of users the kernel lays nothing over a folder in which others have mounted.
Result<ContainerSpec> probe(const std::string& cache) {
  const std::string init = TRY(init_program(cache));
  const std::string root = cache + "/engine-probe";
  TRY(io::make_directories(root));
  const std::string program = root + "/true";
  if (::link(init.c_str(), program.c_str()) != 0 && errno != EEXIST) {
    return io::system_error(errno, "create", program);
  }
  ContainerSpec out;
  out.lower = {root};
  out.args = {"/true"};
  out.network = Network::kNone;
  return out;
}

Result<CdiEdits> devices_of(const ContainerSpec& spec) {
  if (spec.gpus.empty()) {
    return CdiEdits();
  }
  const CdiRegistry registry = CdiRegistry::read(CdiRegistry::folders());
  const std::vector<std::string> names = TRY(find_gpus(spec.gpus, registry));
  CdiEdits edits = TRY(gpu_edits(names, registry));
  if (std::ranges::any_of(names, [](const auto& one) { return one.starts_with("nvidia.com/"); })) {
    const auto proc = io::DiskFiles().read("/proc/driver/nvidia/version", kMaxRecordBytes);
    TRY(check_cuda(spec.cuda, spec.env, nvidia_driver(proc.value_or(""), edits)));
  }
  return edits;
}

}  // namespace

Result<Engine> Engine::find(const std::string& cache, const std::stop_token& stop,
                            Progress& progress) {
  const std::string file = cache + "/engine.json";
  if (auto program = remembered(file)) {
    Engine engine(cache, std::move(*program));
    TRY(engine.clean());
    return engine;
  }
  std::vector<std::string> details;
  for (const std::string& program : candidates()) {
    progress.note(fmt::format("trying whether {} works here", program));
    Engine engine(cache, program);
    TRY(engine.clean());
    const auto status = engine.run(TRY(probe(cache)), stop);
    if (status && status->code == 0) {
      TRY(io::write_file_atomically(file, circumstances(program).dump() + "\n"));
      return engine;
    }
    if (!status && status.error().kind == ErrorKind::kCancelled) {
      return status.error();
    }
    details.push_back(
        fmt::format("  {}: {}", program,
                    status ? fmt::format("exit code {}", status->code) : status.error().message));
  }
  if (details.empty()) {
    return fail(ErrorKind::kUnsupported, "neither runc nor crun is installed")
        .with_hint("apt-get install runc");
  }
  return fail(ErrorKind::kUnsupported, "no container can be started on this host")
      .with_details(std::move(details));
}

Result<Container> Engine::start(const ContainerSpec& spec, Lifetime lifetime,
                                std::string id) const {
  const bool detached = lifetime == Lifetime::kDetached;
  if (id.empty()) {
    id = io::random_name();
  }
  TRY(check_id(id));
  if (detached && spec.terminal) {
    return fail(ErrorKind::kInvalid, "a container that outlives its caller has no terminal");
  }
  CdiEdits devices = TRY(devices_of(spec));
  const ContainerDirectory directory(join_path(containers_of(cache_), id));
  io::FileLock lock = TRY(directory.create(detached ? "detached" : "attached"));
  std::string lower;
  for (const std::string& one : spec.lower) {
    lower += one + "\n";
  }
  TRY(write_file(directory.layers(), lower));
  const KeeperTask task{.spec = spec,
                        .directory = directory,
                        .id = id,
                        .program = program_,
                        .init = TRY(init_program(cache_)),
                        .devices = std::move(devices),
                        .detached = detached};
  auto started = start_keeper(task, std::move(lock));
  if (!started) {
    (void)directory.remove();
    return std::move(started).error();
  }
  Container out(id, directory.path());
  out.child_ = started->child;
  out.console_ = std::move(started->console);
  return out;
}

Result<ExitStatus> Engine::run(const ContainerSpec& spec, const std::stop_token& stop) const {
  Container container = TRY(start(spec, Lifetime::kWithCaller));
  auto status = container.wait(stop);
  if (!status && status.error().kind == ErrorKind::kCancelled) {
    TRY(container.signal(SIGTERM, true));
    if (!container.ends_within(kGrace)) {
      TRY(container.signal(SIGKILL));
    }
    (void)container.wait();
    TRY(std::move(container).remove());
    return status;
  }
  TRY(std::move(container).remove());
  return status;
}

Result<Container> Engine::open(const std::string& id) const {
  TRY(check_id(id));
  const ContainerDirectory directory(join_path(containers_of(cache_), id));
  if (!directory.exists() || directory.read(directory.kind()) != "detached") {
    return fail(ErrorKind::kNotFound, "there is no container {}", id);
  }
  return Container(id, directory.path());
}

Result<std::vector<std::string>> Engine::list() const {
  std::vector<std::string> out;
  const auto entries = io::DiskFiles().list(containers_of(cache_));
  if (!entries) {
    return entries.error().kind == ErrorKind::kNotFound ? Result<std::vector<std::string>>(out)
                                                        : entries.error();
  }
  for (const FileEntry& one : *entries) {
    const ContainerDirectory directory(join_path(containers_of(cache_), one.name));
    if (directory.read(directory.kind()) == "detached") {
      out.push_back(one.name);
    }
  }
  return out;
}

Result<std::set<std::string>> Engine::layers_in_use(const std::string& cache) {
  std::set<std::string> out;
  const auto entries = io::DiskFiles().list(containers_of(cache));
  if (!entries) {
    return entries.error().kind == ErrorKind::kNotFound ? Result<std::set<std::string>>(out)
                                                        : entries.error();
  }
  for (const FileEntry& one : *entries) {
    const ContainerDirectory directory(join_path(containers_of(cache), one.name));
    if (!directory.exists() || TRY(directory.lock_if_dead())) {
      continue;
    }
    for (const std::string_view line : split_lines(directory.read(directory.layers()))) {
      out.emplace(trim(line));
    }
  }
  return out;
}

Status Engine::clean() const {
  const auto entries = io::DiskFiles().list(containers_of(cache_));
  if (!entries) {
    return entries.error().kind == ErrorKind::kNotFound ? Status() : Status(entries.error());
  }
  for (const FileEntry& one : *entries) {
    const ContainerDirectory directory(join_path(containers_of(cache_), one.name));
    const std::string kind = directory.read(directory.kind());
    if (kind.empty()) {
      continue;  // being made
    }
    const auto lock = TRY(directory.lock_if_dead());
    if (!lock) {
      continue;
    }
    if (const std::string cgroup = directory.read(directory.cgroup()); !cgroup.empty()) {
      remove_cgroup(cgroup_host(), cgroup);
    }
    TRY(kind == "detached" ? directory.remove_contents() : directory.remove_left());
  }
  return {};
}

}  // namespace cloche::runtime
