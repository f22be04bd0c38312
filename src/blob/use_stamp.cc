#include "blob/use_stamp.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "core/files.h"
#include "core/text.h"
#include "io/file_lock.h"
#include "io/system_error.h"

namespace cloche::blob {
namespace {

constexpr std::uint64_t kStatBlock = 512;  // what st_blocks counts: stat(2)

// <root>/sweep.lock: shared for those who stamp, exclusive for who removes.
io::Descriptor lock_sweep(const std::string& root, int operation) {
  io::Descriptor file(::open(join_path(root, "sweep.lock").c_str(),
                             O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  while (file.valid() && ::flock(file.get(), operation) != 0) {
    if (errno != EINTR) {
      file.close();
    }
  }
  return file;
}

std::optional<Stamp> changed_at(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    return std::nullopt;
  }
  return Stamp{info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

}  // namespace

Result<std::vector<std::string>> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(ErrorKind::kUnavailable, "cannot list {}: {}", printable(folder), error.message());
  }
  std::ranges::sort(names);
  return names;
}

Result<bool> remove_if_dead(const std::string& path) {
  auto lock = TRY(io::FileLock::try_take(path));
  if (!lock) {
    return false;
  }
  if (!lock->excludes()) {
    return fail(ErrorKind::kUnsupported, "{} is on a file system without locks", printable(path))
        .with_hint("running work cannot be seen there: keep the store on another one");
  }
  std::move(*lock).remove();
  return true;
}

Result<std::optional<Stamp>> oldest_lease(const std::string& root) {
  std::optional<Stamp> oldest;
  const std::string folder = join_path(root, "leases");
  for (const std::string& name : TRY(names_in(folder))) {
    const std::string path = join_path(folder, name);
    const std::optional<Stamp> begin = changed_at(path);
    if (begin && !TRY(remove_if_dead(path)) && (!oldest || *begin < *oldest)) {
      oldest = begin;
    }
  }
  return oldest;
}

std::optional<StampedFile> look_at(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::nullopt;
  }
  return StampedFile{.used = {info.st_mtim.tv_sec, info.st_mtim.tv_nsec},
                     .size_bytes = static_cast<std::uint64_t>(info.st_size),
                     .disk_bytes = static_cast<std::uint64_t>(info.st_blocks) * kStatBlock,
                     .links = info.st_nlink};
}

bool stamp(const std::string& root, const std::string& path) {
  // Where no lock can be made (read-only) nobody can sweep either, and the file of another person
  // cannot be stamped: what counts then is that it is there.
  const io::Descriptor lock = lock_sweep(root, LOCK_SH);
  if (::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) == 0) {
    return true;
  }
  return errno != ENOENT && look_at(path).has_value();
}

Result<SweepLock> SweepLock::take(const std::string& root) {
  io::Descriptor file = lock_sweep(root, LOCK_EX);
  if (!file.valid()) {
    return io::system_error(errno, "lock", join_path(root, "sweep.lock"));
  }
  return SweepLock(std::move(file));
}

}  // namespace cloche::blob
