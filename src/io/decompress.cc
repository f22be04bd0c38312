#include "io/decompress.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <bzlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace cloche::io {

namespace {

constexpr std::size_t kInputBytes = std::size_t{128} * 1024;
constexpr int kMaxWindowLog = 27;

class PlainReader : public Reader {
 public:
  explicit PlainReader(Reader& source) : source_(source) {}
  Result<std::size_t> read(std::span<char> buffer) override { return source_.read(buffer); }

 private:
  Reader& source_;
};

class ZstdReader : public Reader {
 public:
  explicit ZstdReader(Reader& source)
      : source_(source), stream_(ZSTD_createDCtx()), input_(kInputBytes) {
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  Result<std::size_t> read(std::span<char> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !held_back_) {
        const std::size_t count = TRY(source_.read(input_));
        if (count == 0) {
          if (within_frame_) {
            return fail(ErrorKind::kCorrupt, "the zstd data ends too early");
          }
          return 0;
        }
        in_ = {input_.data(), count, 0};
      }
      const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (ZSTD_isError(left) != 0U) {
        const bool window = ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge;
        return fail(window ? ErrorKind::kUnsupported : ErrorKind::kCorrupt,
                    "the zstd data cannot be read: {}", ZSTD_getErrorName(left));
      }
      within_frame_ = left != 0;
      // A full output buffer may hide more that the decoder holds already.
      held_back_ = out.pos == out.size && within_frame_;
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* stream) const { ZSTD_freeDCtx(stream); }
  };
  Reader& source_;
  std::unique_ptr<ZSTD_DCtx, Free> stream_;
  std::vector<char> input_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool within_frame_ = false;
  bool held_back_ = false;
};

class Bzip2Reader : public Reader {
 public:
  explicit Bzip2Reader(Reader& source) : source_(source), input_(kInputBytes) {}
  ~Bzip2Reader() override { end(); }
  Bzip2Reader(const Bzip2Reader&) = delete;
  Bzip2Reader& operator=(const Bzip2Reader&) = delete;

  Result<std::size_t> read(std::span<char> buffer) override {
    stream_.next_out = buffer.data();
    stream_.avail_out = static_cast<unsigned>(std::min<std::size_t>(buffer.size(), 1U << 30U));
    const unsigned wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        const std::size_t count = TRY(source_.read(input_));
        if (count == 0 && !active_) {
          return 0;
        }
        if (count == 0) {
          return fail(ErrorKind::kCorrupt, "the bzip2 data ends too early");
        }
        stream_.next_in = input_.data();
        stream_.avail_in = static_cast<unsigned>(count);
      }
      TRY(step());
    }
    return wanted - stream_.avail_out;
  }

 private:
  Status step() {
    if (!active_) {
      if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) {
        return fail(ErrorKind::kUnavailable, "no memory for reading bzip2 data");
      }
      active_ = true;
    }
    const int result = BZ2_bzDecompress(&stream_);
    if (result == BZ_STREAM_END) {
      end();
    } else if (result != BZ_OK) {
      return fail(ErrorKind::kCorrupt, "the bzip2 data cannot be read (code {})", result);
    }
    return {};
  }

  void end() {
    if (std::exchange(active_, false)) {
      BZ2_bzDecompressEnd(&stream_);
    }
  }

  Reader& source_;
  std::vector<char> input_;
  bz_stream stream_{};
  bool active_ = false;
};

}  // namespace

Compression compression_of(std::string_view name) {
  if (name.ends_with(".zst")) {
    return Compression::kZstd;
  }
  return name.ends_with(".bz2") ? Compression::kBzip2 : Compression::kNone;
}

std::unique_ptr<Reader> decompress(Reader& source, Compression compression) {
  switch (compression) {
    case Compression::kZstd:
      return std::make_unique<ZstdReader>(source);
    case Compression::kBzip2:
      return std::make_unique<Bzip2Reader>(source);
    case Compression::kNone:
      break;
  }
  return std::make_unique<PlainReader>(source);
}

}  // namespace cloche::io
