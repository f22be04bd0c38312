#include "blob/segment_index.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/digest.h"
#include "core/testing.h"

namespace cloche::blob {
namespace {

SegmentIndex sample() {
  return {
      .frames = {{100, 4194304}, {7, 512}},
      .entries = {
          {.path = "a", .kind = io::TarKind::kDirectory, .mode = 0755, .mtime_s = 1},
          {.path = std::string("a/\xff", 3),
           .mode = 0644,
           .size_bytes = std::uint64_t{1} << 40U,
           .offset = 1024,
           .mtime_s = -1,
           .sha256 = Digest::of("x").hex()},
          {.path = "a/link", .kind = io::TarKind::kSymlink, .mode = 0777, .link_target = "../b"}}};
}

TEST(SegmentIndex, IsReadBack) {
  ASSERT_VALUE(index, parse_index(print_index(sample())));
  EXPECT_EQ(index, sample());
  EXPECT_EQ(*parse_index(print_index({})), SegmentIndex());
}

TEST(SegmentIndex, AnythingCutShortOrLongerIsDamaged) {
  const std::string whole = print_index(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_index(whole.substr(0, size)).error().kind,
              size >= 8 && size < 12 ? ErrorKind::kUnsupported : ErrorKind::kCorrupt)
        << size;
  }
  EXPECT_EQ(parse_index(whole + "x").error().kind, ErrorKind::kCorrupt);
}

TEST(SegmentIndex, CountsBeyondTheFileAreRefusedBeforeMemoryIsTaken) {
  std::string text = print_index({});
  text.replace(12, 8, std::string(8, '\xff'));
  EXPECT_EQ(parse_index(text).error().kind, ErrorKind::kCorrupt);
}

TEST(SegmentIndex, OtherVersionsAndKindsAreRefused) {
  std::string text = print_index(sample());
  text[8] = 2;
  EXPECT_EQ(parse_index(text).error().kind, ErrorKind::kUnsupported);
  text = print_index(sample());
  text[20 + 16] = '3';
  EXPECT_EQ(parse_index(text).error().kind, ErrorKind::kCorrupt);
}

RC_GTEST_PROP(SegmentIndexProperty, GarbageIsRefusedOrReadBackTheSame, ()) {
  std::string text = print_index(sample());
  const int changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes; ++i) {
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
  }
  const Result<SegmentIndex> index = parse_index(text);
  if (index) {
    RC_ASSERT(*parse_index(print_index(*index)) == *index);
  }
}

}  // namespace
}  // namespace cloche::blob
