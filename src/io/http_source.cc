#include "io/http_source.h"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

#include "core/text.h"
#include "io/system_error.h"

namespace cloche::io {

Status StringSource::rewind() {
  sent_ = 0;
  return {};
}

Result<std::size_t> StringSource::read(std::span<char> buffer) {
  const std::size_t count = content_.copy(buffer.data(), buffer.size(), sent_);
  sent_ += count;
  return count;
}

Status FilePartSource::rewind() {
  sent_ = 0;
  if (!file_.valid()) {
    file_ = TRY(open_for_reading(path_));
  }
  return {};
}

Result<std::size_t> FilePartSource::read(std::span<char> buffer) {
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), bytes_ - sent_));
  if (wanted == 0) {
    return std::size_t{0};
  }
  ssize_t count = 0;
  do {
    count = ::pread(file_.get(), buffer.data(), wanted, static_cast<off_t>(offset_ + sent_));
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return system_error(errno, "read", path_);
  }
  if (count == 0) {
    return fail(ErrorKind::kCorrupt, "{} is shorter than it was", printable(path_));
  }
  sent_ += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

}  // namespace cloche::io
