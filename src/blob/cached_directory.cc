#include "blob/cached_directory.h"

#include <sys/stat.h>

#include "blob/use_stamp.h"

namespace cloche::blob {

bool use_directory(const std::string& root, const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return false;
  }
  // One that belongs to somebody else cannot be stamped, and not be taken away either.
  return stamp(root, path) || ::lstat(path.c_str(), &info) == 0;
}

}  // namespace cloche::blob
