#include "io/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.h"
#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/system_error.h"

namespace cloche::io {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kGrace{2};

// posix_spawn's two objects, with an owner.
class SpawnSettings {
 public:
  SpawnSettings() {
    CHECK(posix_spawn_file_actions_init(&actions_) == 0);
    CHECK(posix_spawnattr_init(&attributes_) == 0);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  void set_stream(int child, int ours) {
    CHECK(posix_spawn_file_actions_adddup2(&actions_, ours, child) == 0);
  }
  void set_directory(const std::string& directory) {
    if (!directory.empty()) {
      CHECK(posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str()) == 0);
    }
  }
  // The last of the actions: closes everything else.
  void finish() {
    CHECK(posix_spawn_file_actions_addclosefrom_np(&actions_, 3) == 0);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    CHECK(posix_spawnattr_setsigmask(&attributes_, &none) == 0);
    CHECK(posix_spawnattr_setsigdefault(&attributes_, &all) == 0);
    CHECK(posix_spawnattr_setpgroup(&attributes_, 0) == 0);
    CHECK(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETPGROUP) == 0);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "create", "a pipe");
  }
  Pipe made{Descriptor(ends[0]), Descriptor(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);  // our end only: poll() may be wrong once
  return made;
}

// The input as a file in memory: nobody has to feed a pipe, and nobody gets SIGPIPE.
Result<Descriptor> make_input(const std::string& input) {
  Descriptor file(input.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC)
                                : ::memfd_create("cloche-input", MFD_CLOEXEC));
  if (!file.valid()) {
    return system_error(errno, "create", "the standard input");
  }
  if (!input.empty()) {
    TRY(write_all(file, input, "the standard input"));
    ::lseek(file.get(), 0, SEEK_SET);
  }
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    out.push_back(const_cast<char*>(text.c_str()));  // NOLINT: posix_spawn does not write there
  }
  out.push_back(nullptr);
  return out;
}

// The program's file. A name without a slash is looked for in the PATH that the program will have;
// posix_spawnp() would look in ours. The first that may be run; else the first of that name, so
// that starting it tells why not; else nothing. Relative places are passed over.
std::string find_program(const std::string& name, const std::vector<std::string>& environment) {
  constexpr std::string_view kVariable = "PATH=";
  const auto found = std::ranges::find_if(
      environment, [&](const std::string& one) { return one.starts_with(kVariable); });
  const std::string_view places = found == environment.end()
                                      ? std::string_view("/bin:/usr/bin")  // as execvp() has it
                                      : std::string_view(*found).substr(kVariable.size());
  std::string forbidden;
  for (const std::string_view place : split(places, ':')) {
    std::string path = join_path(place, name);
    if (!path.starts_with('/')) {
      continue;
    }
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
    if (forbidden.empty() && ::access(path.c_str(), F_OK) == 0) {
      forbidden = std::move(path);
    }
  }
  return forbidden;
}

Status check_arguments(const Command& command) {
  CHECK(!command.argv.empty());
  for (const std::string& one : command.argv) {
    TRY(check_path(one));
  }
  return check_path(command.directory);
}

// One running program and the streams that it writes.
class Process {
 public:
  static Result<Process> start(const Command& command);
  ~Process() { end_group(SIGKILL); }
  Process(Process&& other) noexcept
      : limit_(other.limit_),
        pid_(std::exchange(other.pid_, -1)),
        ended_(std::move(other.ended_)),
        output_(std::move(other.output_)),
        errors_(std::move(other.errors_)) {}
  Process& operator=(Process&&) = delete;

  Result<ProcessResult> wait(const Command& command, const std::stop_token& stop);

 private:
  Process(std::size_t limit, pid_t pid) : limit_(limit), pid_(pid) {}

  Status watch(const Descriptor& stopped, SteadyClock::time_point until, bool& running);
  void drain(Descriptor& stream, std::string& into);
  void end_group(int signal) const {
    if (pid_ > 0) {
      ::kill(-pid_, signal);
      if (signal == SIGKILL) {
        ::waitpid(pid_, nullptr, 0);
      }
    }
  }

  std::size_t limit_;
  pid_t pid_;
  Descriptor ended_;  // pidfd: readable when the program has ended
  Descriptor output_;
  Descriptor errors_;
  ProcessResult result_;
};

Result<Process> Process::start(const Command& command) {
  const Descriptor input = TRY(make_input(command.input));
  Pipe output = TRY(make_pipe());
  Pipe errors = TRY(make_pipe());
  SpawnSettings settings;
  settings.set_stream(0, input.get());
  settings.set_stream(1, output.write.get());
  settings.set_stream(2, errors.write.get());
  settings.set_directory(command.directory);
  settings.finish();
  const std::vector<char*> argv = pointers(command.argv);
  const std::vector<std::string> variables =
      command.environment.value_or(std::vector<std::string>());
  const std::vector<char*> environment = pointers(variables);
  const bool search = command.environment && command.argv[0].find('/') == std::string::npos;
  const std::string program = search ? find_program(command.argv[0], variables) : command.argv[0];
  if (program.empty()) {
    return system_error(ENOENT, "run", command.argv[0]);
  }
  pid_t pid = -1;
  const int number =
      ::posix_spawnp(&pid, program.c_str(), settings.actions(), settings.attributes(), argv.data(),
                     command.environment ? environment.data() : ::environ);
  if (number == ENOEXEC) {
    return fail(ErrorKind::kInvalid, "{} is no program for this machine",
                printable(command.argv[0]));
  }
  if (number != 0) {
    return system_error(number, "run", command.argv[0]);
  }
  Process process(command.output_limit_bytes, pid);
  // Not reaped yet, so the number is still this process's.
  process.ended_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.ended_.valid()) {
    return system_error(errno, "watch", command.argv[0]);
  }
  process.output_ = std::move(output.read);
  process.errors_ = std::move(errors.read);
  return process;
}

Result<ProcessResult> Process::wait(const Command& command, const std::stop_token& stop) {
  const Descriptor stopped(::eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(stop, [&] { ::eventfd_write(stopped.get(), 1); });
  const bool endless = command.time_limit == std::chrono::milliseconds::max();
  const SteadyClock::time_point until =
      endless ? SteadyClock::time_point::max() : SteadyClock::now() + command.time_limit;
  bool running = true;
  TRY(watch(stopped, until, running));
  if (running) {
    end_group(SIGTERM);
    const Descriptor nobody(::eventfd(0, EFD_CLOEXEC));
    TRY(watch(nobody, SteadyClock::now() + kGrace, running));
    end_group(SIGKILL);
    pid_ = -1;
    if (stop.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    return fail(ErrorKind::kUnavailable, "{} did not end within {} ms", printable(command.argv[0]),
                command.time_limit.count());
  }
  // What it left in the pipes. Children of its own may hold them open: they are not waited for.
  drain(output_, result_.output);
  drain(errors_, result_.errors);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  result_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  result_.exit_code = WIFSIGNALED(status) ? 128 + result_.signal : WEXITSTATUS(status);
  return std::move(result_);
}

// Reads both streams until the program ends (`running` becomes false), `stopped` is written to, or
// the time is over.
Status Process::watch(const Descriptor& stopped, SteadyClock::time_point until, bool& running) {
  while (true) {
    std::array<struct pollfd, 4> wanted = {{{ended_.get(), POLLIN, 0},
                                            {stopped.get(), POLLIN, 0},
                                            {output_.get(), POLLIN, 0},
                                            {errors_.get(), POLLIN, 0}}};
    int wait_ms = -1;
    if (until != SteadyClock::time_point::max()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }
    if (::poll(wanted.data(), wanted.size(), wait_ms) < 0 && errno != EINTR) {
      return system_error(errno, "wait for", "a program");
    }
    if (wanted[2].revents != 0) {
      drain(output_, result_.output);
    }
    if (wanted[3].revents != 0) {
      drain(errors_, result_.errors);
    }
    if (wanted[0].revents != 0) {
      running = false;
      return {};
    }
    if (wanted[1].revents != 0 || SteadyClock::now() >= until) {
      return {};
    }
  }
}

// What is there now; closes the stream at its end, after which poll() leaves it out.
void Process::drain(Descriptor& stream, std::string& into) {
  std::array<char, 65536> buffer{};
  while (stream.valid()) {
    const ssize_t count = ::read(stream.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno == EAGAIN) {
      return;
    }
    if (count <= 0) {
      stream.close();
      return;
    }
    const std::size_t room = limit_ - std::min(limit_, into.size());
    const std::size_t kept = std::min(room, static_cast<std::size_t>(count));
    into.append(buffer.data(), kept);
    result_.cut_off = result_.cut_off || kept < static_cast<std::size_t>(count);
  }
}

}  // namespace

Result<ProcessResult> run_process(const Command& command, const std::stop_token& stop) {
  TRY(check_arguments(command));
  Process process = TRY(Process::start(command));
  return process.wait(command, stop);
}

}  // namespace cloche::io
