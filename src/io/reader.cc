#include "io/reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "core/text.h"
#include "io/system_error.h"

namespace cloche::io {

Result<FileReader> FileReader::open(const std::string& path) {
  Descriptor file = TRY(open_for_reading(path));
  return FileReader(path, std::move(file));
}

Result<std::size_t> FileReader::read(std::span<char> buffer) {
  return read_some(file_, buffer.data(), buffer.size(), path_);
}

FileRangeReader::FileRangeReader(const Descriptor& file, std::string path, std::uint64_t offset,
                                 std::uint64_t bytes)
    : fd_(file.get()), path_(std::move(path)), offset_(offset), left_(bytes) {}

Result<std::size_t> FileRangeReader::read(std::span<char> buffer) {
  const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), left_);
  while (wanted > 0) {
    const ssize_t count = ::pread(fd_, buffer.data(), wanted, static_cast<off_t>(offset_));
    if (count > 0) {
      offset_ += static_cast<std::uint64_t>(count);
      left_ -= static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
    if (count == 0) {
      return fail(ErrorKind::kCorrupt, "{} ends too early", printable(path_));
    }
    if (errno != EINTR) {
      return system_error(errno, "read", path_);
    }
  }
  return 0;
}

Result<std::size_t> MemoryReader::read(std::span<char> buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::memcpy(buffer.data(), rest_.data(), count);
  rest_.remove_prefix(count);
  return count;
}

Result<std::size_t> read_full(Reader& reader, std::span<char> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t count = TRY(reader.read(buffer.subspan(filled)));
    if (count == 0) {
      break;
    }
    filled += count;
  }
  return filled;
}

Result<std::string> read_all(Reader& reader, std::size_t limit_bytes) {
  constexpr std::size_t kStep = std::size_t{256} * 1024;
  std::string all;
  while (true) {
    const std::size_t before = all.size();
    all.resize(before + kStep);
    const std::size_t count = TRY(read_full(reader, std::span(all).subspan(before)));
    all.resize(before + count);
    if (all.size() > limit_bytes) {
      return fail(ErrorKind::kInvalid, "more than {} bytes", limit_bytes);
    }
    if (count < kStep) {
      return all;
    }
  }
}

}  // namespace cloche::io
