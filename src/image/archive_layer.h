// A layer's tar becoming a blob, and back. For archive_import.cc and archive_export.cc only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "blob/blob_store.h"
#include "core/result.h"
#include "image/descriptor.h"
#include "io/reader.h"
#include "io/temporary.h"

namespace cloche::image {

// Bytes of a foreign file, up to a limit; a compressed file gives at most so many times its size.
class BoundedReader : public io::Reader {
 public:
  // kInvalid while reading: more than `limit_bytes`. kCancelled: stopped.
  BoundedReader(io::Reader& source, std::uint64_t limit_bytes, std::stop_token stop)
      : source_(source), left_(limit_bytes), stop_(std::move(stop)) {}
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  io::Reader& source_;
  std::uint64_t left_;
  std::stop_token stop_;
};

// Bytes of which the first were read already.
class ContinuedReader : public io::Reader {
 public:
  ContinuedReader(std::string head, io::Reader& rest) : head_(std::move(head)), rest_(rest) {}
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  std::string head_;
  std::size_t taken_ = 0;
  io::Reader& rest_;
};

// What a decompressor may make of a file of so many bytes, within `limit_bytes`. DEFLATE's best is
// 1032 to 1; honest layers stay below 20 to 1.
std::uint64_t expanded_limit(std::uint64_t file_bytes, std::uint64_t limit_bytes);

struct StoredLayer {
  Descriptor blob;
  Digest diff_id;
};

// Gzip and zstd are stored as they come; a plain tar, or bzip2, as zstd frames, the same bytes for
// the same tar.
Result<StoredLayer> store_layer(io::Reader& source, std::uint64_t limit_bytes,
                                const blob::BlobStore& store, const std::stop_token& stop);

// The layer's tar in a file; kCorrupt: it is not what the diff_id says.
struct ExpandedLayer {
  io::TemporaryFile file;
  std::uint64_t size_bytes = 0;
};
Result<ExpandedLayer> expand_layer(const Descriptor& blob, const Digest& diff_id,
                                   const blob::BlobStore& store, const std::stop_token& stop);

}  // namespace cloche::image
