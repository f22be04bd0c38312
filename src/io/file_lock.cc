#include "io/file_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/system_error.h"

namespace cloche::io {
namespace {

// Writable where we may: over NFS an exclusive lock asks for it. Another person's file in a store
// that several share can be locked all the same.
Descriptor open_lock(const std::string& path) {
  constexpr int kFlags = O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  Descriptor file(::open(path.c_str(), O_RDWR | kFlags, 0666));
  if (!file.valid() && (errno == EACCES || errno == EROFS)) {
    const int reason = errno;
    file = Descriptor(::open(path.c_str(), O_RDONLY | (kFlags & ~O_CREAT)));
    if (!file.valid() && errno == ENOENT) {
      errno = reason;  // it is not there because it may not be made
    }
  }
  return file;
}

// Whoever had the lock before may have removed the file or renamed it.
bool is_at(const Descriptor& file, const std::string& path) {
  struct stat open{};
  struct stat named{};
  return ::fstat(file.get(), &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

enum class Outcome { kTaken, kBusy, kNoLocks, kFailed };

Outcome lock(const Descriptor& file) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    switch (errno) {
      case EINTR:
        continue;
      case EWOULDBLOCK:
        return Outcome::kBusy;
      case ENOSYS:
      case EOPNOTSUPP:
      case EINVAL:
        return Outcome::kNoLocks;
      default:
        return Outcome::kFailed;
    }
  }
  return Outcome::kTaken;
}

}  // namespace

Result<std::optional<FileLock>> FileLock::try_take(const std::string& path) {
  TRY(check_path(path));
  while (true) {
    Descriptor file = open_lock(path);
    if (!file.valid()) {
      return system_error(errno, "lock", path);
    }
    const Outcome outcome = lock(file);
    if (outcome == Outcome::kFailed) {
      return system_error(errno, "lock", path);
    }
    if (outcome == Outcome::kBusy) {
      return std::optional<FileLock>();
    }
    if (is_at(file, path)) {
      return std::optional(FileLock(path, std::move(file), outcome == Outcome::kTaken));
    }
  }
}

void FileLock::remove() && {
  ::unlink(path_.c_str());  // first: after the lock is gone the file may be another's
  file_.close();
}

}  // namespace cloche::io
