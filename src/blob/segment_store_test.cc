#include "blob/segment_store.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "blob/frame.h"
#include "blob/segment_records.h"
#include "core/testing.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;

class SegmentStoreTest : public testing::Test {
 protected:
  static SegmentKey key(std::string_view value,
                        SegmentCompression compression = SegmentCompression::kZstd) {
    SegmentKey key("test", compression);
    key.add("value", value);
    return key;
  }

  Result<SegmentStore::Found> get(const SegmentKey& wanted, const std::string& content = "1") {
    return store_.find_or_make(
        wanted, "making a test's segment",
        [&]() -> Result<Segment> {
          ++made_;
          SegmentWriter writer =
              TRY(SegmentWriter::create(store_.blobs(), wanted.compression(), pool_));
          TRY(writer.file("a/" + content, content));
          return std::move(writer).finish();
        },
        {}, progress_);
  }

  fs::path record(const SegmentKey& wanted) const {
    return fs::path(place_.path()) / "segments" / (wanted.digest().hex() + ".json");
  }

  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static void write(const fs::path& path, const std::string& text) {
    fs::permissions(path, fs::perms::owner_all);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }

  io::TemporaryDirectory place_ = io::test_directory();
  SegmentStore store_{place_.path()};
  io::ThreadPool pool_{1};
  Progress progress_;
  std::atomic<int> made_ = 0;
};

TEST_F(SegmentStoreTest, MakesASegmentOnceForAKey) {
  EXPECT_FALSE(store_.find(key("x")));
  ASSERT_VALUE(first, get(key("x")));
  EXPECT_TRUE(first.made);
  ASSERT_VALUE(second, get(key("x")));
  EXPECT_FALSE(second.made);
  EXPECT_EQ(second.segment, first.segment);
  SegmentStore other(place_.path());
  EXPECT_EQ(other.find(key("x")), first.segment);
  EXPECT_FALSE(other.find(key("y")));
  EXPECT_FALSE(other.find(key("x", SegmentCompression::kGzip)));
}

TEST_F(SegmentStoreTest, ManyThreadsWaitForOne) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(get(key("x"))); });
  }
  threads.clear();
  EXPECT_EQ(made_, 1);
}

TEST_F(SegmentStoreTest, AFailureIsNotRememberedAndNamesNothing) {
  const auto failing = [&] {
    return store_.find_or_make(
        key("x"), "failing",
        [&]() -> Result<Segment> { return fail(ErrorKind::kUnavailable, "the disk is full"); }, {},
        progress_);
  };
  EXPECT_EQ(failing().error().kind, ErrorKind::kUnavailable);
  ASSERT_VALUE(found, get(key("x")));
  EXPECT_TRUE(found.made);
}

TEST_F(SegmentStoreTest, DamagedRecordsAndBlobsAreMadeAgain) {
  ASSERT_VALUE(first, get(key("x")));
  const std::string good = read(record(key("x")));
  const std::string blob = *store_.blobs().path(first.segment.digest);
  const std::string index = *store_.blobs().path(first.segment.index);
  const std::vector<std::pair<fs::path, std::string>> damages = {
      {record(key("x")), ""},
      {record(key("x")), good.substr(0, good.size() - 3)},
      {record(key("x")), good.substr(0, 100) + "0" + good.substr(101)},
      {record(key("x")), "sha256:" + std::string(64, '0') + "\n{}"},
      {blob, ""},
      {blob, read(blob) + "x"},
      {index, "clocheSI"}};
  for (const auto& [path, text] : damages) {
    write(path, text);
    ASSERT_VALUE(again, get(key("x")));
    EXPECT_TRUE(again.made) << path << text;
    EXPECT_EQ(again.segment, first.segment);
    EXPECT_EQ(read(record(key("x"))), good);
    EXPECT_TRUE(store_.blobs().read(first.segment.digest, 1U << 20U));
    EXPECT_TRUE(store_.index(first.segment));
  }
  fs::remove(blob);
  ASSERT_VALUE(again, get(key("x")));
  EXPECT_TRUE(again.made);
}

TEST_F(SegmentStoreTest, ARecordUnderAnothersNameIsNotBelieved) {
  ASSERT_TRUE(get(key("x")));
  fs::copy_file(record(key("x")), record(key("y")));
  EXPECT_FALSE(store_.find(key("y")));
}

TEST_F(SegmentStoreTest, TheIndexSaysWhatTheSegmentHolds) {
  ASSERT_VALUE(made, get(key("x"), "hello"));
  ASSERT_VALUE(index, store_.index(made.segment));
  ASSERT_EQ(index.entries.size(), 2U);
  EXPECT_EQ(index.entries[1].path, "a/hello");
  EXPECT_EQ(index.entries[1].sha256, Digest::of("hello").hex());
  EXPECT_EQ(index.entries[1].offset, 1024U);
  ASSERT_EQ(index.frames.size(), 1U);
  EXPECT_EQ(index.frames[0].compressed_bytes,
            made.segment.size_bytes - layer_end(made.segment.compression).size());
  EXPECT_EQ(index.frames[0].tar_bytes, made.segment.tar_bytes);
}

TEST_F(SegmentStoreTest, NotesAreKept) {
  EXPECT_FALSE(store_.find_note(key("x")));
  ASSERT_TRUE(store_.put_note(key("x"), std::string("a\0\nb", 4)));
  EXPECT_EQ(store_.find_note(key("x")), std::string("a\0\nb", 4));
}

TEST_F(SegmentStoreTest, ALayerOfOneSegmentIsASecondNameOfIt) {
  ASSERT_VALUE(made, get(key("x"), "hello"));
  const BlobStore target(place_.path() + "/layout");
  ASSERT_VALUE(layer, store_.put_layer({&made.segment, 1}, target));
  EXPECT_EQ(layer.digest, made.segment.digest);
  EXPECT_EQ(layer.diff_id, made.segment.diff_id);
  EXPECT_EQ(layer.size_bytes, made.segment.size_bytes);
  EXPECT_EQ(*target.read(layer.digest, 1U << 20U), *store_.blobs().read(layer.digest, 1U << 20U));
  EXPECT_TRUE(fs::equivalent(*target.path(layer.digest), *store_.blobs().path(layer.digest)));
}

// Both digests, of the tar and the blob as a person would put them together.
TEST_F(SegmentStoreTest, ALayerOfManyIsTheirPiecesAndOneEnd) {
  const BlobStore target(place_.path() + "/layout");
  for (const SegmentCompression one : {SegmentCompression::kZstd, SegmentCompression::kGzip}) {
    std::vector<Segment> segments;
    std::string tar;
    std::string blob;
    for (const std::string content : {"one", "two", "three"}) {
      ASSERT_VALUE(made, get(key(content, one), content));
      segments.push_back(made.segment);
      const std::string own = *store_.blobs().read(made.segment.digest, 1U << 20U);
      blob += own.substr(0, own.size() - layer_end(one).size());
      FrameExpander expander(one);
      std::string_view rest = own;
      tar += *expander.expand(rest);
    }
    blob += layer_end(one);
    tar += std::string(kTarEndBytes, '\0');
    const SegmentStore::Layer expected{
        .digest = Digest::of(blob), .size_bytes = blob.size(), .diff_id = Digest::of(tar)};
    EXPECT_EQ(*store_.put_layer(segments, target), expected);
    EXPECT_EQ(*target.read(expected.digest, 1U << 20U), blob);
  }
}

TEST_F(SegmentStoreTest, ALayerThatIsPresentIsNotReadAgain) {
  ASSERT_VALUE(one, get(key("one"), "one"));
  ASSERT_VALUE(two, get(key("two"), "two"));
  const std::vector<Segment> segments = {one.segment, two.segment};
  const BlobStore target(place_.path() + "/layout");
  ASSERT_VALUE(layer, store_.put_layer(segments, target));
  const std::string place = *store_.blobs().path(two.segment.digest);
  const std::string good = read(place);
  write(place, "garbage");
  EXPECT_EQ(*store_.put_layer(segments, target), layer);
  // Where it is not, or not whole, it is made again.
  const BlobStore other(place_.path() + "/other");
  EXPECT_EQ(store_.put_layer(segments, other).error().kind, ErrorKind::kCorrupt);
  write(place, good);
  write(*target.path(layer.digest), "");
  EXPECT_EQ(*store_.put_layer(segments, target), layer);
  EXPECT_EQ(Digest::of(read(*target.path(layer.digest))), layer.digest);
}

TEST_F(SegmentStoreTest, ALayerIsNotMadeOfDamagedOrMixedSegments) {
  ASSERT_VALUE(one, get(key("one"), "one"));
  ASSERT_VALUE(two, get(key("two"), "two"));
  ASSERT_VALUE(gzip, get(key("two", SegmentCompression::kGzip), "two"));
  const BlobStore target(place_.path() + "/layout");
  const std::vector<Segment> mixed = {one.segment, gzip.segment};
  EXPECT_EQ(store_.put_layer(mixed, target).error().kind, ErrorKind::kInvalid);
  const std::string blob = *store_.blobs().path(two.segment.digest);
  const std::string good = read(blob);
  const std::vector<Segment> segments = {one.segment, two.segment};
  for (const std::string& text :
       {good.substr(0, good.size() - 1), good + good, std::string("garbage"), std::string()}) {
    write(blob, text);
    EXPECT_EQ(store_.put_layer(segments, target).error().kind, ErrorKind::kCorrupt);
  }
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(store_.put_layer(segments, target, stop.get_token()).error().kind,
            ErrorKind::kCancelled);
}

TEST_F(SegmentStoreTest, ForgetsRecordsOfWhatIsGone) {
  ASSERT_VALUE(stays, get(key("stays")));
  ASSERT_VALUE(goes, get(key("goes"), "2"));
  EXPECT_EQ(forget_missing_segments(store_.root()), 0U);
  fs::remove(store_.blobs().path(goes.segment.index).value());
  EXPECT_EQ(forget_missing_segments(store_.root()), 1U);
  EXPECT_FALSE(fs::exists(record(key("goes"))));
  EXPECT_EQ(store_.find(key("stays")), stays.segment);
}

}  // namespace
}  // namespace cloche::blob
