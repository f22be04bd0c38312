#include "cli/run/options.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/files.h"
#include "core/text.h"
#include "definition/command_job.h"
#include "io/system.h"
#include "package/conda/environment_prefix.h"

namespace cloche::cli {
namespace {

// Where images have their own files: a directory of the host there would hide them.
constexpr std::array kPlacesOfImages = {"/",    "/bin",   "/boot",  "/dev", "/etc",
                                        "/lib", "/lib32", "/lib64", "/opt", "/proc",
                                        "/run", "/sbin",  "/sys",   "/usr", "/var"};

Status check_directory(const std::string& directory) {
  const bool image = std::ranges::find(kPlacesOfImages, directory) != kPlacesOfImages.end();
  const bool environment = std::string(conda::kEnvironmentPrefix).starts_with(directory + "/") ||
                           directory == conda::kEnvironmentPrefix ||
                           directory.starts_with("/proc/") || directory.starts_with("/sys/") ||
                           directory.starts_with("/dev/");
  if (image || environment) {
    return fail(ErrorKind::kInvalid, "{} cannot be mounted: the image has its own files there",
                printable(directory))
        .with_hint("go to a directory of yours first: cloche -C DIRECTORY run ...");
  }
  return {};
}

Result<runtime::Mount> mount_of(const std::string& text, const std::string& directory) {
  const auto parts = split(text, ':');
  const bool mode = parts.size() == 3 && (parts[2] == "ro" || parts[2] == "rw");
  if ((parts.size() != 2 && !mode) || parts[0].empty() || !parts[1].starts_with('/')) {
    return fail(ErrorKind::kUsage, "'{}' is not of the form SOURCE:TARGET or SOURCE:TARGET:ro",
                printable(text))
        .with_hint("the target is an absolute path in the container");
  }
  runtime::Mount out{.source = normal_path(join_path(directory, parts[0])),
                     .target = std::string(parts[1]),
                     .read_only = mode && parts[2] == "ro"};
  struct stat info{};
  if (::stat(out.source.c_str(), &info) != 0) {
    return fail(ErrorKind::kNotFound, "there is no {} to be mounted", printable(out.source));
  }
  return out;
}

Result<std::uint64_t> size_of(const std::string& text, std::string_view option) {
  auto size = definition::parse_shm_size(text);
  if (!size) {
    return fail(ErrorKind::kUsage, "{} is a size such as 512m or 8g, not '{}'", option,
                printable(text));
  }
  return size;
}

Result<runtime::Limits> limits_of(const RunOptions& options) {
  runtime::Limits out;
  if (!options.memory.empty()) {
    out.memory_bytes = TRY(size_of(options.memory, "--memory"));
  }
  if (!options.cpus.empty()) {
    const auto cpus = definition::parse_cpus(options.cpus);
    if (!cpus || *cpus <= 0) {
      return fail(ErrorKind::kUsage, "--cpus is a number such as 2 or 0.5, not '{}'",
                  printable(options.cpus));
    }
    out.cpu_millis = static_cast<std::uint64_t>(*cpus);
  }
  if (!options.pids.empty()) {
    std::uint64_t pids = 0;
    const char* const last = options.pids.data() + options.pids.size();
    const auto [end, error] = std::from_chars(options.pids.data(), last, pids);
    if (error != std::errc() || end != last || pids == 0) {
      return fail(ErrorKind::kUsage, "--pids is a number of processes, not '{}'",
                  printable(options.pids));
    }
    out.pids = pids;
  }
  return out;
}

// bash where the image has it.
std::vector<std::string> shell_command() {
  return {"/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash || exec sh"};
}

}  // namespace

Result<runtime::ContainerSpec> container_spec(const RunOptions& options,
                                              const std::string& directory) {
  if (options.shell == !options.command.empty()) {
    return fail(ErrorKind::kUsage, "{}",
                options.shell ? "a shell and a command cannot both be run"
                              : "there is no command to run")
        .with_hint("cloche run ENV -- COMMAND, or cloche run ENV --shell");
  }
  TRY(check_directory(directory));
  runtime::ContainerSpec out;
  out.args = options.shell ? shell_command() : options.command;
  out.env = options.env;
  out.cwd = directory;
  // Root's files in the container are the caller's outside: in a namespace of users, and as root.
  out.user = options.user.empty() ? "0:0" : options.user;
  out.mounts.push_back({.source = directory, .target = directory});
  for (const std::string& one : options.mounts) {
    out.mounts.push_back(TRY(mount_of(one, directory)));
  }
  out.network = options.network == "none" ? runtime::Network::kNone : runtime::Network::kHost;
  out.limits = TRY(limits_of(options));
  if (!options.shm_size.empty()) {
    out.shm_bytes = TRY(size_of(options.shm_size, "--shm-size"));
  }
  out.read_only = options.read_only;
  if (options.gpus != "none") {
    out.gpus.push_back(options.gpus);
  }
  return out;
}

void take_image_config(const image::ImageConfig& config, runtime::ContainerSpec& spec) {
  for (const std::string& one : config.env) {
    const std::size_t equals = one.find('=');
    if (equals != std::string::npos && equals != 0) {
      spec.env.emplace(one.substr(0, equals), one.substr(equals + 1));
    }
  }
  spec.env.emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

}  // namespace cloche::cli
