// The part of a repodata.json that is in memory while it is read (repodata_parser.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <simdjson.h>

#include "core/result.h"
#include "io/reader.h"

namespace cloche::source {

// There is always a byte before data(), and room for simdjson's padding behind.
class RepodataWindow {
 public:
  static constexpr int kEnd = -1;  // what stands behind the last byte

  // `source` outlives it.
  RepodataWindow(io::Reader& source, std::size_t bytes)
      : source_(source), buffer_(bytes + kSlack) {}

  char* data() { return buffer_.data() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool at_end() const { return eof_; }  // nothing follows what is in memory
  std::size_t capacity() const { return buffer_.size() - kSlack; }
  std::uint64_t offset() const { return offset_; }  // of data() in the document

  void skip(std::size_t count) {
    begin_ += count;
    offset_ += count;
  }

  // Moves what is left to the front and fills the rest. What the source fails with.
  Status fill();
  // Twice the room; false when it is as big as it may be.
  bool grow();
  // The byte at data(), or kEnd.
  Result<int> peek();

 private:
  static constexpr std::size_t kSlack = 3 + simdjson::SIMDJSON_PADDING;

  io::Reader& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 1;
  std::size_t end_ = 1;
  std::uint64_t offset_ = 0;
  bool eof_ = false;
};

}  // namespace cloche::source
