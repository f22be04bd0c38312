#include "blob/frame.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <zstd.h>

#include "core/check.h"

namespace cloche::blob {
namespace {

// Measured (bench/RESULTS.md).
constexpr int kZstdLevel = 3;
constexpr int kZstdWindowLog = 22;  // a whole piece
constexpr int kGzipLevel = 6;

struct FreeZstdCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeZstdExpander {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
struct FreeGzipCompressor {
  void operator()(libdeflate_compressor* context) const { libdeflate_free_compressor(context); }
};
struct FreeGzipExpander {
  void operator()(libdeflate_decompressor* context) const { libdeflate_free_decompressor(context); }
};

Error no_memory() { return fail(ErrorKind::kUnavailable, "no memory for compressing"); }
Error damaged() { return fail(ErrorKind::kCorrupt, "the segment's compressed data is damaged"); }

}  // namespace

std::string compression_identity(SegmentCompression compression) {
  return compression == SegmentCompression::kZstd
             ? fmt::format("zstd-{}-level{}-{}", ZSTD_versionString(), kZstdLevel, kFrameBytes)
             : fmt::format("gzip-libdeflate{}-level{}-{}", LIBDEFLATE_VERSION_STRING, kGzipLevel,
                           kFrameBytes);
}

char* FrameBuffer::room(std::size_t bytes) {
  if (size_ < bytes) {
    bytes_ = std::make_unique_for_overwrite<char[]>(bytes);
    size_ = bytes;
  }
  return bytes_.get();
}

struct FrameCompressor::Methods {
  SegmentCompression compression;
  std::unique_ptr<ZSTD_CCtx, FreeZstdCompressor> zstd;
  std::unique_ptr<libdeflate_compressor, FreeGzipCompressor> gzip;

  Result<std::string_view> compress_zstd(std::string_view bytes, FrameBuffer& buffer) {
    if (!zstd) {
      zstd.reset(ZSTD_createCCtx());
      if (!zstd) {
        return no_memory();
      }
      ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_compressionLevel, kZstdLevel);
      ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_windowLog, kZstdWindowLog);
      ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_checksumFlag, 1);
    }
    const std::size_t bound = ZSTD_compressBound(bytes.size());
    char* const out = buffer.room(bound);
    const std::size_t size = ZSTD_compress2(zstd.get(), out, bound, bytes.data(), bytes.size());
    if (ZSTD_isError(size) != 0U) {
      return fail(ErrorKind::kUnavailable, "compressing failed: {}", ZSTD_getErrorName(size));
    }
    return std::string_view(out, size);
  }

  Result<std::string_view> compress_gzip(std::string_view bytes, FrameBuffer& buffer) {
    if (!gzip) {
      gzip.reset(libdeflate_alloc_compressor(kGzipLevel));
      if (!gzip) {
        return no_memory();
      }
    }
    const std::size_t bound = libdeflate_gzip_compress_bound(gzip.get(), bytes.size());
    char* const out = buffer.room(bound);
    const std::size_t size =
        libdeflate_gzip_compress(gzip.get(), bytes.data(), bytes.size(), out, bound);
    CHECK(size > 0);  // the bound is enough
    return std::string_view(out, size);
  }
};

FrameCompressor::FrameCompressor(SegmentCompression compression)
    : methods_(new Methods{.compression = compression, .zstd = {}, .gzip = {}}) {}
FrameCompressor::~FrameCompressor() = default;
FrameCompressor::FrameCompressor(FrameCompressor&&) noexcept = default;

Result<std::string_view> FrameCompressor::compress(std::string_view bytes, FrameBuffer& buffer) {
  CHECK(bytes.size() <= kFrameBytes);
  return methods_->compression == SegmentCompression::kZstd
             ? methods_->compress_zstd(bytes, buffer)
             : methods_->compress_gzip(bytes, buffer);
}

struct FrameExpander::Methods {
  SegmentCompression compression;
  std::unique_ptr<ZSTD_DCtx, FreeZstdExpander> zstd;
  std::unique_ptr<libdeflate_decompressor, FreeGzipExpander> gzip;
  std::string out;

  Result<std::string_view> expand_zstd(std::string_view& bytes) {
    const std::size_t frame = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    if (ZSTD_isError(frame) != 0U) {
      return damaged();
    }
    const std::size_t size =
        ZSTD_decompressDCtx(zstd.get(), out.data(), out.size(), bytes.data(), frame);
    if (ZSTD_isError(size) != 0U) {
      return damaged();
    }
    bytes.remove_prefix(frame);
    return std::string_view(out).substr(0, size);
  }

  Result<std::string_view> expand_gzip(std::string_view& bytes) {
    std::size_t taken = 0;
    std::size_t made = 0;
    if (libdeflate_gzip_decompress_ex(gzip.get(), bytes.data(), bytes.size(), out.data(),
                                      out.size(), &taken, &made) != LIBDEFLATE_SUCCESS) {
      return damaged();
    }
    bytes.remove_prefix(taken);
    return std::string_view(out).substr(0, made);
  }
};

FrameExpander::FrameExpander(SegmentCompression compression)
    : methods_(new Methods{.compression = compression, .zstd = {}, .gzip = {}, .out = {}}) {
  methods_->zstd.reset(ZSTD_createDCtx());
  methods_->gzip.reset(libdeflate_alloc_decompressor());
  CHECK(methods_->zstd && methods_->gzip);
}
FrameExpander::~FrameExpander() = default;
FrameExpander::FrameExpander(FrameExpander&&) noexcept = default;

Result<std::string_view> FrameExpander::expand(std::string_view& bytes) {
  if (methods_->out.empty()) {  // many are made and never asked
    methods_->out.resize(kFrameBytes);
  }
  return methods_->compression == SegmentCompression::kZstd ? methods_->expand_zstd(bytes)
                                                            : methods_->expand_gzip(bytes);
}

}  // namespace cloche::blob
