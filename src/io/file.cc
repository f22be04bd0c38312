#include "io/file.h"

#include <cerrno>

#include <sys/stat.h>

#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/system_error.h"
#include "io/temporary.h"

namespace cloche::io {
namespace {

bool is_directory(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Status write_file_atomically(const std::string& path, std::string_view content,
                             std::uint32_t mode) {
  TRY(check_path(path));
  if (is_directory(path)) {
    return system_error(EISDIR, "write", path);
  }
  const std::string directory = parent_path(path);
  TRY(make_directories(directory));
  TemporaryFile file = TRY(TemporaryFile::create(directory, mode));
  TRY(file.write(content));
  return std::move(file).rename_to(path);
}

Status make_directories(const std::string& path) {
  if (path.empty() || is_directory(path)) {
    return {};
  }
  const std::string parent = parent_path(normal_path(path));
  TRY(make_directories(parent));
  if (::mkdir(path.c_str(), 0777) == 0) {
    return sync_directory(parent);
  }
  if (errno != EEXIST) {
    return system_error(errno, "create the directory", path);
  }
  if (is_directory(path)) {  // another process was quicker
    return {};
  }
  return fail(ErrorKind::kConflict, "{} is in the way: a directory is needed here",
              printable(path));
}

}  // namespace cloche::io
