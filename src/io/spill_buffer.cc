#include "io/spill_buffer.h"

#include <utility>

#include "io/reader.h"

namespace cloche::io {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

}  // namespace

void SpillBuffer::expect(std::uint64_t bytes) {
  if (bytes <= memory_bytes_) {
    memory_.reserve(bytes);
  }
}

Status SpillBuffer::append(std::string_view bytes) {
  size_ += bytes.size();
  if (file_) {
    return file_->write(bytes);
  }
  memory_ += bytes;
  if (memory_.size() > memory_bytes_) {
    file_.emplace(TRY(TemporaryFile::create(temporary_place(directory_))));
    TRY(file_->write(memory_));
    memory_ = std::string();
  }
  return {};
}

Status SpillBuffer::read_part(std::uint64_t offset, std::uint64_t bytes,
                              const std::function<Status(std::string_view)>& take) {
  if (bytes == 0) {
    return {};
  }
  if (!file_) {
    return take(std::string_view(memory_).substr(offset, bytes));
  }
  if (!parts_.valid()) {
    parts_ = TRY(open_for_reading(file_->path()));
    memory_.resize(kReadBytes);
  }
  FileRangeReader reader(parts_, file_->path(), offset, bytes);
  while (const std::size_t count = TRY(reader.read(memory_))) {
    TRY(take(std::string_view(memory_).substr(0, count)));
  }
  return {};
}

Status SpillBuffer::read(const std::function<Status(std::string_view)>& take) {
  if (!file_) {
    return memory_.empty() ? Status() : take(memory_);
  }
  FileReader reader = TRY(FileReader::open(file_->path()));
  std::string buffer(kReadBytes, '\0');
  while (true) {
    const std::size_t count = TRY(reader.read(buffer));
    if (count == 0) {
      return {};
    }
    TRY(take(std::string_view(buffer).substr(0, count)));
  }
}

}  // namespace cloche::io
