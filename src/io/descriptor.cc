#include "io/descriptor.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"
#include "io/system_error.h"

namespace cloche::io {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

Result<Descriptor> open_for_reading(const std::string& path) {
  TRY(check_path(path));
  // O_NONBLOCK: opening a FIFO without a writer would wait for ever.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info{};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) {
    return system_error(errno, "read", path);
  }
  if (S_ISDIR(info.st_mode)) {
    return fail(ErrorKind::kInvalid, "{} is a directory", printable(path))
        .with_hint("a file is expected here");
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorKind::kInvalid, "{} is not a regular file", printable(path))
        .with_hint("copy what it gives into a file and name that");
  }
  return file;
}

Result<std::size_t> read_some(const Descriptor& file, char* buffer, std::size_t size,
                              std::string_view path) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(file.get(), buffer + done, size - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return system_error(errno, "read", path);
    }
    if (count == 0) {
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<std::uint64_t> file_size(const Descriptor& file, std::string_view path) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) {
    return system_error(errno, "read", path);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

Status write_all(const Descriptor& file, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return system_error(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status set_mtime(const Descriptor& file, std::int64_t seconds, std::string_view path) {
  const std::array<struct timespec, 2> times = {
      {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = 0}}};
  if (::futimens(file.get(), times.data()) != 0) {
    return system_error(errno, "set the time of", path);
  }
  return {};
}

Status sync(const Descriptor& file, std::string_view path) {
  // EINVAL and EROFS: a file system that has nothing to sync.
  if (::fsync(file.get()) != 0 && errno != EINVAL && errno != EROFS) {
    return system_error(errno, "sync", path);
  }
  return {};
}

Status sync_directory(const std::string& path) {
  const std::string name = path.empty() ? "." : path;
  const Descriptor directory(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!directory.valid()) {
    return system_error(errno, "open the directory", name);
  }
  return sync(directory, name);
}

}  // namespace cloche::io
