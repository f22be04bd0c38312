// Bytes that come one after another: a file, a download, what a decompressor makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::io {

// One thread at a time.
class Reader {
 public:
  virtual ~Reader() = default;

  // Fills the buffer from its start and returns how much; less than asked says nothing, 0 is the
  // end. `buffer` is never empty.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

// A regular file from its beginning.
class FileReader : public Reader {
 public:
  static Result<FileReader> open(const std::string& path);
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  FileReader(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string path_;
  Descriptor file_;
};

// A part of an open file, which outlives the reader; several may read one file. kCorrupt while
// reading: the file ends within the part.
class FileRangeReader : public Reader {
 public:
  // `path` is for messages.
  FileRangeReader(const Descriptor& file, std::string path, std::uint64_t offset,
                  std::uint64_t bytes);
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  int fd_;
  std::string path_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

// Bytes in memory, which outlive the reader.
class MemoryReader : public Reader {
 public:
  explicit MemoryReader(std::string_view bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  std::string_view rest_;
};

// Until the buffer is full or the end: returns less than its size only at the end.
Result<std::size_t> read_full(Reader& reader, std::span<char> buffer);

// Everything; kInvalid when it is more than the limit.
Result<std::string> read_all(Reader& reader, std::size_t limit_bytes);

}  // namespace cloche::io
