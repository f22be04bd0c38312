// The first process of every container: a small static program, brought into it at kInitPath.
//
//   init streams|terminal command arguments...
//
// It starts the command, passes signals on to it, and collects the processes that lose their
// parents, for which a command is not prepared: as the first process of its namespace a program
// that handles no SIGTERM would not be ended by it, and children of children would stay as zombies.
//
// Descriptors: kReportFd, where it tells how the start went and how the command ended
// (init_report.h); with "streams", the command's three streams behind it, so that what runc or crun
// say of a failure is not mixed into them. Uses nothing but the C library: it must run in every
// image.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/init_report.h"

namespace {

using cloche::runtime::InitReport;
using cloche::runtime::kReportFd;
using cloche::runtime::kToEveryone;

constexpr int kNotFound = 127;  // as shells have it
constexpr int kNotExecutable = 126;

void report(InitReport::Kind kind, int value) {
  const InitReport record{.kind = kind, .value = value};
  while (::write(kReportFd, &record, sizeof record) < 0 && errno == EINTR) {
  }
}

void take_streams() {
  for (int stream = 0; stream < 3; ++stream) {
    ::dup2(kReportFd + 1 + stream, stream);
    ::close(kReportFd + 1 + stream);
  }
}

// In the child. Its process group is the terminal's foreground, so that Ctrl-C reaches it and not
// us.
[[noreturn]] void start(char** command, int failed, const sigset_t& mask) {
  ::setpgid(0, 0);
  ::tcsetpgrp(0, ::getpid());  // all signals are blocked, and so SIGTTOU does not stop us
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execvp(command[0], command);
  const int number = errno;
  [[maybe_unused]] const ssize_t written = ::write(failed, &number, sizeof number);
  ::_exit(number == ENOENT ? kNotFound : kNotExecutable);
}

void pass_on(const siginfo_t& signal, pid_t command) {
  if (signal.si_signo == cloche::runtime::keeper_signal()) {
    const int wanted = signal.si_value.sival_int;
    ::kill((wanted & kToEveryone) != 0 ? -1 : command, wanted & ~kToEveryone);
  } else if (signal.si_signo != SIGCHLD) {
    ::kill(command, signal.si_signo);
  }
}

// The command's status; other processes are only collected.
int wait_for(pid_t command, const sigset_t& all) {
  while (true) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended == command) {
        return status;
      }
    }
    siginfo_t signal{};
    if (::sigwaitinfo(&all, &signal) > 0) {
      pass_on(signal, command);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    return argc == 1 ? 0 : kNotExecutable;  // alone it is a program for trying out an engine
  }
  ::fcntl(kReportFd, F_SETFD, FD_CLOEXEC);
  if (std::strcmp(argv[1], "streams") == 0) {
    take_streams();
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  std::array<int, 2> failure{};
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) {
    return kNotExecutable;
  }
  const pid_t command = ::fork();
  if (command == 0) {
    start(argv + 2, failure[1], before);
  }
  ::close(failure[1]);
  int number = command < 0 ? errno : 0;
  if (command > 0 && ::read(failure[0], &number, sizeof number) != sizeof number) {
    number = 0;  // closed by exec: it runs
  }
  ::close(failure[0]);
  report(InitReport::Kind::kStarted, number);
  if (number != 0) {
    return number == ENOENT ? kNotFound : kNotExecutable;
  }
  // The streams are the command's alone: their readers wait for their end.
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream < 3; ++stream) {
    ::dup2(nothing, stream);
  }
  const int status = wait_for(command, all);
  report(InitReport::Kind::kEnded, status);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
