#include "runtime/container.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/system_error.h"
#include "runtime/container_directory.h"
#include "runtime/init_report.h"

namespace cloche::runtime {

Container::Container(std::string id, std::string directory)
    : id_(std::move(id)), directory_(std::move(directory)), keeper_(find_keeper()) {}

Container::Container(Container&& other) noexcept
    : id_(std::move(other.id_)),
      directory_(std::exchange(other.directory_, {})),
      keeper_(std::move(other.keeper_)),
      console_(std::move(other.console_)),
      child_(std::exchange(other.child_, -1)) {}

Container::~Container() {
  if (child_ > 0) {
    (void)signal(SIGKILL);
    (void)wait();
    (void)ContainerDirectory(directory_).remove_left();
  }
}

// The number may be another process's by now. It is the keeper's if the lock is still held after
// the process was opened: then the keeper lived when it was.
io::Descriptor Container::find_keeper() const {
  const ContainerDirectory directory(directory_);
  const std::string text = directory.read(directory.keeper());
  pid_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number <= 0) {
    return {};
  }
  io::Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, number, 0)));
  const auto lock = directory.lock_if_dead();
  return process.valid() && lock && !lock->has_value() ? std::move(process) : io::Descriptor();
}

io::Descriptor Container::keeper() const {
  struct pollfd ended = {keeper_.get(), POLLIN, 0};
  if (!keeper_.valid() || ::poll(&ended, 1, 0) > 0) {
    return {};
  }
  return io::Descriptor(::fcntl(keeper_.get(), F_DUPFD_CLOEXEC, 0));
}

bool Container::running() const { return keeper().valid(); }

Status Container::signal(int number, bool everyone) const {
  const io::Descriptor process = keeper();
  if (!process.valid()) {
    return {};
  }
  siginfo_t what{};
  what.si_signo = keeper_signal();
  what.si_code = SI_QUEUE;
  what.si_pid = ::getpid();
  what.si_uid = ::getuid();
  what.si_value.sival_int = number | (everyone ? kToEveryone : 0);
  if (::syscall(SYS_pidfd_send_signal, process.get(), keeper_signal(), &what, 0) != 0 &&
      errno != ESRCH) {
    return io::system_error(errno, "send a signal to", "the container " + id_);
  }
  return {};
}

Result<ExitStatus> Container::wait(const std::stop_token& stop) const {
  const io::Descriptor process = keeper();
  if (process.valid()) {
    const io::Descriptor stopped(::eventfd(0, EFD_CLOEXEC));
    const std::stop_callback wake(stop, [&] { ::eventfd_write(stopped.get(), 1); });
    std::array<struct pollfd, 2> wanted = {
        {{process.get(), POLLIN, 0}, {stopped.get(), POLLIN, 0}}};
    while (wanted[0].revents == 0) {
      if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) {
        return io::system_error(errno, "wait for", "the container " + id_);
      }
      if (wanted[0].revents == 0 && wanted[1].revents != 0) {
        return fail(ErrorKind::kCancelled, "stopped");
      }
    }
  }
  reap();
  auto status = ContainerDirectory(directory_).read_exit();
  if (!status && status.error().kind == ErrorKind::kNotFound) {
    return fail(
        ErrorKind::kUnavailable,
        "nobody knows how the container {} ended: the process that watched it was killed, or "
        "the machine was restarted",
        id_);
  }
  return status;
}

bool Container::ends_within(std::chrono::milliseconds time) const {
  const io::Descriptor process = keeper();
  if (!process.valid()) {
    return true;
  }
  const auto until = std::chrono::steady_clock::now() + time;
  struct pollfd wanted = {process.get(), POLLIN, 0};
  while (wanted.revents == 0) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return false;
    }
    ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000)));
  }
  return true;
}

void Container::reap() const {
  while (child_ > 0 && ::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Status Container::remove() && {
  if (running()) {
    return fail(ErrorKind::kConflict, "the container {} runs", id_);
  }
  reap();
  child_ = -1;
  return ContainerDirectory(directory_).remove_left();
}

}  // namespace cloche::runtime
