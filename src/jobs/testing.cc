#include "jobs/testing.h"

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"

namespace cloche::jobs {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

[[noreturn]] void run_command(const Launch& launch, int log) {
  ::setpgid(0, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (::chdir(launch.cwd.c_str()) != 0) {
    ::_exit(126);
  }
  for (const auto& [name, value] : launch.variables) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> args;
  for (const std::string& arg : launch.args) {
    args.push_back(const_cast<char*>(arg.c_str()));  // NOLINT
  }
  args.push_back(nullptr);
  ::execv(args[0], args.data());
  ::_exit(127);
}

[[noreturn]] void keep(const Launch& launch, const std::string& pid_file,
                       const std::string& end_file) {
  ::setsid();
  ::close_range(3, ~0U, 0);  // a lock that the starter holds must end with the starter
  const int log = ::open(launch.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const pid_t child = ::fork();
  if (child == 0) {
    run_command(launch, log);
  }
  ::setpgid(child, child);
  static_cast<void>(io::write_file_atomically(pid_file, fmt::format("{}\n", child)));
  int status = 0;
  struct rusage usage{};
  ::wait4(child, &status, 0, &usage);
  ::kill(-child, SIGKILL);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const int code = signal != 0 ? 128 + signal : WEXITSTATUS(status);
  static_cast<void>(io::write_file_atomically(
      end_file, fmt::format("{} {} {}\n", code, signal, usage.ru_maxrss * 1024)));
  ::_exit(0);
}

}  // namespace

std::string PlainLauncher::file(const std::string& id, const char* what) const {
  return fmt::format("{}/{}.{}", directory_, id, what);
}

Status PlainLauncher::start(const Launch& launch) {
  if (std::filesystem::exists(file(launch.id, "pid"))) {
    return fail(ErrorKind::kConflict, "there is {}", launch.id);
  }
  // What would be mounted into the working directory.
  for (const LaunchMount& mount : launch.mounts) {
    const std::string name = std::filesystem::path(mount.source).filename();
    if (name == "outputs" || name == "logs") {
      const std::string place = launch.cwd + "/" + name;
      std::filesystem::remove_all(place);
      std::filesystem::create_symlink(mount.source, place);
    }
  }
  const pid_t between = ::fork();
  if (between == 0) {
    const pid_t keeper = ::fork();
    if (keeper == 0) {
      keep(launch, file(launch.id, "pid"), file(launch.id, "end"));
    }
    ::_exit(0);
  }
  ::waitpid(between, nullptr, 0);
  while (!std::filesystem::exists(file(launch.id, "pid"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

Result<Ending> PlainLauncher::wait(const std::string& id, const std::stop_token& stop) {
  if (!std::filesystem::exists(file(id, "pid"))) {
    return fail(ErrorKind::kNotFound, "there is no {}", id);
  }
  while (!std::filesystem::exists(file(id, "end"))) {
    if (stop.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  Ending out;
  std::ifstream end(file(id, "end"));
  end >> out.exit_code >> out.signal >> out.peak_memory_bytes;
  return out;
}

Status PlainLauncher::signal(const std::string& id, int number) {
  const std::string pid = first_line(file(id, "pid"));
  // Never 0, -1 or 1: those are other processes than ours.
  if (const int group = pid.empty() ? 0 : std::stoi(pid); group > 1) {
    ::kill(-group, number);
  }
  return {};
}

Status PlainLauncher::remove(const std::string& id) {
  std::filesystem::remove(file(id, "pid"));
  std::filesystem::remove(file(id, "end"));
  return {};
}

Job command_job(const std::string& name, const std::string& command) {
  Job job;
  job.submission.job.name = name;
  job.submission.job.experiment_name = "tests";
  job.submission.job.command = command;
  job.submission.environment = "none";
  job.row.milli_cpus = 1000;
  return job;
}

}  // namespace cloche::jobs
