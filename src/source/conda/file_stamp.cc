#include "source/conda/file_stamp.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include "core/text.h"
#include "io/descriptor.h"
#include "io/system_error.h"

namespace cloche::source {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kGrainMs = 2000;

std::int64_t nanoseconds(const timespec& time) {
  return (static_cast<std::int64_t>(time.tv_sec) * kNsPerSecond) + time.tv_nsec;
}

}  // namespace

bool FileStamp::settled_at(std::int64_t now_ms) const {
  return now_ms - (std::max(mtime_ns, ctime_ns) / kNsPerMs) > kGrainMs;
}

Result<FileStamp> stamp_of(const std::string& path) {
  TRY(io::check_path(path));
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    return io::system_error(errno, "read", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorKind::kInvalid, "{} is no file", printable(path));
  }
  return FileStamp{static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim),
                   nanoseconds(info.st_ctim), info.st_ino, info.st_dev};
}

}  // namespace cloche::source
