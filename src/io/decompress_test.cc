#include "io/decompress.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <bzlib.h>
#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <zstd.h>

#include "core/testing.h"

namespace cloche::io {
namespace {

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string bzip2(std::string text) {
  unsigned size = static_cast<unsigned>(text.size() + text.size() / 50 + 600);
  std::string out(size, '\0');
  BZ2_bzBuffToBuffCompress(out.data(), &size, text.data(), static_cast<unsigned>(text.size()), 9, 0,
                           0);
  out.resize(size);
  return out;
}

// Hands out one byte at a time, or as many as are wanted.
class Dripping : public Reader {
 public:
  explicit Dripping(std::string_view bytes, std::size_t step) : rest_(bytes), step_(step) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    return rest_.read(buffer.first(std::min(step_, buffer.size())));
  }

 private:
  MemoryReader rest_;
  std::size_t step_;
};

Result<std::string> through(std::string_view bytes, Compression how, std::size_t step = 1 << 20) {
  Dripping source(bytes, step);
  const std::unique_ptr<Reader> reader = decompress(source, how);
  return read_all(*reader, std::size_t{64} << 20U);
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    text += std::to_string(i * 7919);
  }
  return text;
}

TEST(Decompress, GivesBackWhatWasCompressed) {
  const std::string text = sample();
  EXPECT_EQ(*through(zstd(text), Compression::kZstd), text);
  EXPECT_EQ(*through(bzip2(text), Compression::kBzip2), text);
  EXPECT_EQ(*through(text, Compression::kNone), text);
  EXPECT_EQ(*through("", Compression::kZstd), "");
  EXPECT_EQ(*through("", Compression::kBzip2), "");
}

TEST(Decompress, ReadsHoweverTheBytesArrive) {
  const std::string text = sample().substr(0, 20'000);
  EXPECT_EQ(*through(zstd(text), Compression::kZstd, 1), text);
  EXPECT_EQ(*through(bzip2(text), Compression::kBzip2, 1), text);
}

TEST(Decompress, ReadsSeveralFramesAsOne) {
  EXPECT_EQ(*through(zstd("one ") + zstd("") + zstd("two"), Compression::kZstd), "one two");
  EXPECT_EQ(*through(bzip2("one ") + bzip2("two"), Compression::kBzip2), "one two");
}

TEST(Decompress, RefusesWhatIsDamagedOrCutShort) {
  const std::string text = sample();
  for (const auto& [how, bytes] :
       {std::pair(Compression::kZstd, zstd(text)), std::pair(Compression::kBzip2, bzip2(text))}) {
    for (const std::size_t cut : {std::size_t{1}, bytes.size() / 2, bytes.size() - 1}) {
      const Result<std::string> result = through(std::string_view(bytes).substr(0, cut), how);
      ASSERT_FALSE(result) << cut;
      EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
    }
    std::string damaged = bytes;
    damaged[0] = static_cast<char>(damaged[0] ^ 1);
    EXPECT_EQ(through(damaged, how).error().kind, ErrorKind::kCorrupt);
  }
}

TEST(Decompress, KnowsTheKindByTheName) {
  EXPECT_EQ(compression_of("repodata.json.zst"), Compression::kZstd);
  EXPECT_EQ(compression_of("repodata.json.bz2"), Compression::kBzip2);
  EXPECT_EQ(compression_of("repodata.json"), Compression::kNone);
}

std::string gzip(std::string text) {
  std::vector<std::uint8_t> level(ISAL_DEF_LVL1_DEFAULT);
  isal_zstream stream{};
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = level.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  std::string out(text.size() + text.size() / 8 + 1000, '\0');
  stream.next_in = reinterpret_cast<std::uint8_t*>(text.data());
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  isal_deflate(&stream);
  out.resize(stream.total_out);
  return out;
}

TEST(Decompress, ReadsGzipInAnyPieces) {
  const std::string text = sample();
  const std::string packed = gzip(text);
  for (const std::size_t step : {1UL, 7UL, 1000UL, 1UL << 20U}) {
    ASSERT_VALUE(out, through(packed, Compression::kGzip, step));
    EXPECT_EQ(out, text);
  }
}

TEST(Decompress, ReadsGzipMembersOneAfterAnother) {
  std::string packed;
  std::string text;
  for (int i = 0; i < 100; ++i) {
    const std::string part(static_cast<std::size_t>(i) * 37 % 400, static_cast<char>('a' + i % 26));
    packed += gzip(part);
    text += part;
  }
  for (const std::size_t step : {1UL, 7UL, 1000UL, 1UL << 20U}) {
    ASSERT_VALUE(out, through(packed, Compression::kGzip, step));
    EXPECT_EQ(out, text);
  }
}

TEST(Decompress, RefusesDamagedGzip) {
  const std::string packed = gzip(sample().substr(0, 5000));
  for (std::size_t cut = 1; cut < packed.size(); ++cut) {
    const auto out = through(packed.substr(0, cut), Compression::kGzip);
    ASSERT_FALSE(out.has_value()) << cut;
    EXPECT_EQ(out.error().kind, ErrorKind::kCorrupt);
  }
  for (std::size_t i = packed.size() - 8; i < packed.size() - 4; ++i) {  // the checksum
    std::string bad = packed;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_EQ(through(bad, Compression::kGzip).error().kind, ErrorKind::kCorrupt) << i;
  }
  EXPECT_EQ(through(packed + "garbage that follows", Compression::kGzip).error().kind,
            ErrorKind::kCorrupt);
}

std::string xz(const std::string& text, lzma_check check = LZMA_CHECK_CRC64) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  lzma_easy_buffer_encode(6, check, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()),
                          text.size(), reinterpret_cast<std::uint8_t*>(out.data()), &size,
                          out.size());
  out.resize(size);
  return out;
}

TEST(Decompress, ReadsXzInAnyPieces) {
  const std::string text = sample().substr(0, 50'000);
  for (const lzma_check check : {LZMA_CHECK_NONE, LZMA_CHECK_CRC32, LZMA_CHECK_SHA256}) {
    for (const std::size_t step : {1UL, 7UL, 1000UL, 1UL << 20U}) {
      ASSERT_VALUE(out, through(xz(text, check), Compression::kXz, step));
      EXPECT_EQ(out, text);
    }
  }
  EXPECT_EQ(through("", Compression::kXz).value(), "");
}

TEST(Decompress, ReadsXzStreamsOneAfterAnother) {
  const std::string padding(8, '\0');
  ASSERT_VALUE(out, through(xz("one ") + padding + xz("") + xz("two"), Compression::kXz, 3));
  EXPECT_EQ(out, "one two");
}

TEST(Decompress, RefusesDamagedXz) {
  const std::string packed = xz(sample().substr(0, 5000));
  for (std::size_t cut = 1; cut < packed.size(); ++cut) {
    const auto out = through(packed.substr(0, cut), Compression::kXz);
    ASSERT_FALSE(out.has_value()) << cut;
    EXPECT_EQ(out.error().kind, ErrorKind::kCorrupt);
  }
  for (std::size_t i = 12; i < packed.size(); i += 7) {
    std::string bad = packed;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(through(bad, Compression::kXz).has_value()) << i;
  }
  EXPECT_EQ(through(packed + "garbage that follows", Compression::kXz).error().kind,
            ErrorKind::kCorrupt);
}

TEST(Decompress, RefusesXzThatWantsMuchMemory) {
  lzma_options_lzma options{};
  lzma_lzma_preset(&options, 0);
  options.dict_size = 512U << 20U;
  const std::array<lzma_filter, 2> filters = {
      {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
  std::string out(10'000, '\0');
  std::size_t size = 0;
  ASSERT_EQ(
      lzma_stream_buffer_encode(const_cast<lzma_filter*>(filters.data()), LZMA_CHECK_CRC32, nullptr,
                                reinterpret_cast<const std::uint8_t*>("text"), 4,
                                reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()),
      LZMA_OK);
  out.resize(size);
  EXPECT_EQ(through(out, Compression::kXz).error().kind, ErrorKind::kUnsupported);
}

TEST(Decompress, KnowsTheCompressionByTheContent) {
  const std::string text = "some content";
  for (const std::string& bytes : {text, zstd(text), bzip2(text), gzip(text), xz(text)}) {
    for (const std::size_t step : {1UL, 1UL << 20U}) {
      Dripping source(bytes, step);
      ASSERT_VALUE(reader, decompress_any(source));
      EXPECT_EQ(read_all(*reader, 100).value(), text);
    }
  }
  MemoryReader nothing("");
  EXPECT_EQ(read_all(*decompress_any(nothing).value(), 100).value(), "");
  EXPECT_EQ(compression_of("layer.tar.gz"), Compression::kGzip);
  EXPECT_EQ(compression_of("layer.tgz"), Compression::kGzip);
  EXPECT_EQ(compression_of("data.tar.xz"), Compression::kXz);
}

}  // namespace
}  // namespace cloche::io
