// How a file looks from outside. While this is the same, so are its bytes: whoever writes them
// changes the time of change, which no program can set.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace cloche::source {

struct FileStamp {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;

  bool operator==(const FileStamp&) const = default;

  // Whether it tells the bytes apart from what may be written after `now_ms`: a file that was
  // written within the clock's grain of being looked at may change once more without a new time
  // (git calls such entries racy).
  bool settled_at(std::int64_t now_ms) const;
};

// kNotFound; kInvalid: no regular file.
Result<FileStamp> stamp_of(const std::string& path);

}  // namespace cloche::source
