#include "blob/segment.h"

#include <gtest/gtest.h>

#include "blob/frame.h"
#include "blob/segment_index.h"
#include "core/testing.h"
#include "io/decompress.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

class SegmentTest : public testing::Test {
 protected:
  SegmentWriter writer(SegmentCompression compression = SegmentCompression::kZstd) {
    return *SegmentWriter::create(store_, compression, pool_);
  }

  std::string tar_of(const Segment& segment) {
    const std::string blob = *store_.read(segment.digest, std::size_t{64} << 20U);
    FrameExpander expander(segment.compression);
    std::string tar;
    for (std::string_view rest = blob; !rest.empty();) {
      tar += *expander.expand(rest);
    }
    return tar;
  }

  // "path kind mode size mtime target", a line each.
  static std::string listing(std::string tar) {
    io::MemoryReader source(tar);
    io::TarReader reader(source);
    io::TarEntry entry;
    std::string out;
    while (*reader.next(entry)) {
      out += fmt::format("{} {} {:o} {} {} {}\n", entry.path, "FDLH"[static_cast<int>(entry.kind)],
                         entry.mode, entry.size_bytes, entry.mtime_s, entry.link_target);
    }
    return out;
  }

  io::TemporaryDirectory place_ = io::test_directory();
  BlobStore store_{place_.path()};
  io::ThreadPool pool_{1};
};

TEST_F(SegmentTest, WritesParentsBeforeWhatLiesInThem) {
  SegmentWriter segment = writer();
  ASSERT_TRUE(segment.file("a/b/one", "1"));
  ASSERT_TRUE(segment.file("a/b/two", "22", 0755));
  ASSERT_TRUE(segment.symlink("a/c", "b"));
  ASSERT_TRUE(segment.file("a-", "3"));
  ASSERT_VALUE(made, std::move(segment).finish());
  EXPECT_EQ(listing(tar_of(made)),
            "a D 755 0 315619200 \n"
            "a/b D 755 0 315619200 \n"
            "a/b/one F 644 1 315619200 \n"
            "a/b/two F 755 2 315619200 \n"
            "a/c L 777 0 315619200 b\n"
            "a- F 644 1 315619200 \n");
  EXPECT_EQ(made.entries, 6U);
}

}  // namespace
}  // namespace cloche::blob
