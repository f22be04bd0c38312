#include "io/temporary.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check.h"
#include "core/files.h"
#include "io/system.h"
#include "io/system_error.h"

namespace cloche::io {

std::string random_name() {
  std::uint64_t value = 0;
  // Never short and never interrupted for 256 bytes or fewer: getrandom(2).
  CHECK(::getrandom(&value, sizeof value, 0) == sizeof value);
  return fmt::format("{:016x}", value);
}

std::string temporary_place(const std::string& wanted) {
  if (!wanted.empty()) {
    return wanted;
  }
  std::string place = environment_variable("TMPDIR");
  return place.empty() ? "/tmp" : place;
}

Result<TemporaryFile> TemporaryFile::create(const std::string& directory, std::uint32_t mode) {
  std::string path = join_path(directory, ".cloche-" + random_name());
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.valid()) {
    return system_error(errno, "create a file in", directory.empty() ? "." : directory);
  }
  return TemporaryFile(std::move(path), std::move(file));
}

TemporaryFile::TemporaryFile(std::string path, Descriptor file)
    : path_(std::move(path)), file_(std::move(file)) {}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) {
    ::unlink(path_.c_str());
  }
}

Status TemporaryFile::rename_to(const std::string& target) && {
  TRY(sync(file_, path_));
  file_.close();
  if (std::rename(path_.c_str(), target.c_str()) != 0) {
    return system_error(errno, "write", target);
  }
  path_.clear();
  return sync_directory(parent_path(target));
}

Result<TemporaryDirectory> TemporaryDirectory::create(const std::string& parent) {
  const std::string place = temporary_place(parent);
  std::string path = join_path(place, "cloche-" + random_name());
  if (::mkdir(path.c_str(), 0700) != 0) {
    return system_error(errno, "create a directory in", place);
  }
  return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_.empty()) {
    std::error_code ignored;  // what cannot be removed is left to the person who finds it
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace cloche::io
