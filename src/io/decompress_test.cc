#include "io/decompress.h"

#include <string>

#include <bzlib.h>
#include <gtest/gtest.h>
#include <zstd.h>

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

}  // namespace
}  // namespace cloche::io
