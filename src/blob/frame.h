// The pieces that a segment is compressed in, each on its own: a zstd frame or a gzip member.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "blob/segment.h"
#include "core/result.h"

namespace cloche::blob {

// Bytes of the stream in a piece; the last has what is left. Measured (bench/RESULTS.md): smaller
// ones compress worse, larger ones take more memory and are worse to seek in.
inline constexpr std::size_t kFrameBytes = std::size_t{4} << 20U;

// Where compressed pieces go, one after another; its memory is kept, and never filled with zeros.
class FrameBuffer {
 public:
  // At least so many bytes, with whatever they hold.
  char* room(std::size_t bytes);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

// One thread at a time. Keeps its tables for the next piece.
class FrameCompressor {
 public:
  explicit FrameCompressor(SegmentCompression compression);
  ~FrameCompressor();
  FrameCompressor(FrameCompressor&&) noexcept;

  // A whole piece of at most kFrameBytes; the result is in `buffer`, valid until its next use. The
  // same bytes give the same result, whatever came before. kUnavailable: no memory.
  Result<std::string_view> compress(std::string_view bytes, FrameBuffer& buffer);

 private:
  struct Methods;
  std::unique_ptr<Methods> methods_;
};

// Reads pieces back. One thread at a time.
class FrameExpander {
 public:
  explicit FrameExpander(SegmentCompression compression);
  ~FrameExpander();
  FrameExpander(FrameExpander&&) noexcept;

  // The first piece of `bytes`, which is taken off; the result is valid until the next call.
  // kCorrupt: no piece, or one of more than kFrameBytes.
  Result<std::string_view> expand(std::string_view& bytes);

 private:
  struct Methods;
  std::unique_ptr<Methods> methods_;
};

}  // namespace cloche::blob
