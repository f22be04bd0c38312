#include "jobs/wake.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/system_error.h"

namespace cloche::jobs {

Result<Wake> Wake::create() {
  io::Descriptor changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  io::Descriptor woken(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!changes.valid() || !woken.valid()) {
    return io::system_error(errno, "watch", "files");
  }
  return Wake(std::move(changes), std::move(woken));
}

Status Wake::watch(const std::string& path) {
  constexpr std::uint32_t kChanges =
      IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE;
  if (::inotify_add_watch(changes_.get(), path.c_str(), kChanges | IN_DONT_FOLLOW) < 0) {
    return io::system_error(errno, "watch", path);
  }
  return {};
}

void Wake::watch_process(pid_t pid) {
  process_ = io::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process_.valid()) {
    wake();
  }
}

void Wake::wake() const { ::eventfd_write(woken_.get(), 1); }

Result<bool> Wake::wait(const std::stop_token& stop,
                        std::optional<std::chrono::milliseconds> limit) {
  const std::stop_callback stopped(stop, [this] { wake(); });
  std::array<struct pollfd, 3> wanted = {
      {{changes_.get(), POLLIN, 0}, {woken_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}}};
  constexpr std::int64_t kLongest = 3'600'000;
  const int wait_ms =
      limit ? static_cast<int>(std::clamp<std::int64_t>(limit->count(), 0, kLongest)) : -1;
  if (::poll(wanted.data(), wanted.size(), wait_ms) < 0 && errno != EINTR) {
    return io::system_error(errno, "wait for", "changes");
  }
  if (wanted[2].revents != 0) {
    process_.close();  // told once
  }
  std::array<char, 65536> ignored{};
  while (::read(changes_.get(), ignored.data(), ignored.size()) > 0) {
  }
  eventfd_t count = 0;
  ::eventfd_read(woken_.get(), &count);
  return !stop.stop_requested();
}

}  // namespace cloche::jobs
