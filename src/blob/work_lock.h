// The same thing is made once: whoever wants to make it holds its lock, and whoever comes later
// waits and then finds it made. Between threads and between processes.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "core/progress.h"
#include "core/result.h"
#include "io/file_lock.h"

namespace cloche::blob {

// The right to make one thing, until it is destroyed. A holder that dies, even by SIGKILL, loses it
// at once. Where the file system has no locks everybody has the right: the work is done twice, and
// is right all the same, since results come by rename.
// Whoever holds several at once takes them in the order of their keys, else two may wait for each
// other.
class WorkLock {
 public:
  // Waits as long as another one makes it, and says so with progress.note(): who, what, since when.
  // `key` names the thing within `root` (any bytes); `what` is for people: "making the segment of
  // numpy 2.1.0". Look again whether the thing is there when it returns: another one
  // may have made it since, whether this one waited or not.
  // kCancelled: stopped while waiting; kPermission, kUnavailable: no lock can be made below `root`.
  static Result<WorkLock> hold(const std::string& root, std::string_view key, std::string_view what,
                               const std::stop_token& stop, Progress& progress);
  ~WorkLock();
  WorkLock(WorkLock&&) noexcept = default;
  WorkLock& operator=(WorkLock&&) = delete;

 private:
  explicit WorkLock(io::FileLock lock) : lock_(std::move(lock)) {}

  std::optional<io::FileLock> lock_;
};

}  // namespace cloche::blob
