#include "io/reader.h"

#include <algorithm>
#include <cstring>

namespace cloche::io {

Result<FileReader> FileReader::open(const std::string& path) {
  Descriptor file = TRY(open_for_reading(path));
  return FileReader(path, std::move(file));
}

Result<std::size_t> FileReader::read(std::span<char> buffer) {
  return read_some(file_, buffer.data(), buffer.size(), path_);
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
