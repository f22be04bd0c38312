#include "blob/blob_store.h"

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t count_in(const std::string& directory) {
  return std::distance(fs::directory_iterator(directory), fs::directory_iterator());
}

class BlobStoreTest : public testing::Test {
 protected:
  BlobStoreTest() : directory_(io::test_directory()), store_(directory_.path()) {}

  std::string place(const Digest& digest) const {
    return directory_.path() + "/blobs/sha256/" + digest.hex();
  }

  io::TemporaryDirectory directory_;
  BlobStore store_;
};

TEST_F(BlobStoreTest, GivesBackWhatWasPut) {
  ASSERT_VALUE(digest, store_.put("content"));
  EXPECT_EQ(digest, Digest::of("content"));
  EXPECT_TRUE(store_.contains(digest));
  EXPECT_EQ(store_.read(digest, 100).value(), "content");
  EXPECT_EQ(store_.path(digest).value(), place(digest));
  EXPECT_TRUE(fs::is_regular_file(place(digest)));
}

TEST_F(BlobStoreTest, StoresTheSameContentOnce) {
  ASSERT_TRUE(store_.put("content").has_value());
  ASSERT_TRUE(store_.put("content").has_value());
  ASSERT_TRUE(io::write_file_atomically(directory_.path() + "/a", "content").has_value());
  EXPECT_EQ(store_.put_file(directory_.path() + "/a").value(), Digest::of("content"));
  EXPECT_EQ(count_in(directory_.path() + "/blobs/sha256"), 1);
  EXPECT_EQ(count_in(directory_.path() + "/tmp"), 0);
}

TEST_F(BlobStoreTest, StreamsALargeFile) {
  const std::string large(1'000'003, 'x');
  ASSERT_TRUE(io::write_file_atomically(directory_.path() + "/a", large).has_value());
  EXPECT_EQ(store_.put_file(directory_.path() + "/a").value(), Digest::of(large));
  EXPECT_EQ(store_.read(Digest::of(large), large.size()).value(), large);
  EXPECT_EQ(store_.read(Digest::of(large), large.size() - 1).error().kind, ErrorKind::kInvalid);
}

TEST_F(BlobStoreTest, NamesWhatIsMissing) {
  EXPECT_FALSE(store_.contains(Digest::of("x")));
  EXPECT_FALSE(store_.contains(Digest()));
  EXPECT_EQ(store_.read(Digest::of("x"), 10).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(store_.path(Digest::of("x")).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(store_.put_file("/no/such/file").error().kind, ErrorKind::kNotFound);
}

TEST_F(BlobStoreTest, RefusesAFileThatIsNotWhatItShouldBe) {
  ASSERT_TRUE(io::write_file_atomically(directory_.path() + "/a", "changed").has_value());
  const auto result = store_.put_file(directory_.path() + "/a", Digest::of("original"));
  EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
  EXPECT_FALSE(store_.contains(Digest::of("original")));
  EXPECT_FALSE(store_.contains(Digest::of("changed")));
  EXPECT_EQ(count_in(directory_.path() + "/tmp"), 0);
}

TEST_F(BlobStoreTest, NoticesADamagedBlob) {
  ASSERT_VALUE(digest, store_.put("content"));
  fs::permissions(place(digest), fs::perms(0644));
  std::ofstream(place(digest)) << "c0ntent";
  EXPECT_EQ(store_.read(digest, 100).error().kind, ErrorKind::kCorrupt);
}

TEST_F(BlobStoreTest, LeavesNothingOfAnUnfinishedBlob) {
  {
    ASSERT_VALUE(writer, store_.writer());
    ASSERT_TRUE(writer.append("half").has_value());
  }
  EXPECT_FALSE(store_.contains(Digest::of("half")));
  EXPECT_EQ(count_in(directory_.path() + "/tmp"), 0);
}

TEST_F(BlobStoreTest, AdoptsAFile) {
  for (int i = 0; i < 2; ++i) {  // the second time it is present
    const std::string path = directory_.path() + "/file";
    std::ofstream(path) << "content";
    ASSERT_TRUE(store_.adopt(path, Digest::of("content")).has_value());
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_EQ(store_.read(Digest::of("content"), 100).value(), "content");
  }
  EXPECT_EQ(store_.adopt(directory_.path() + "/none", Digest::of("x")).error().kind,
            ErrorKind::kNotFound);
}

TEST_F(BlobStoreTest, SharesABlobWithAnotherStore) {
  const io::TemporaryDirectory elsewhere = io::test_directory();
  const BlobStore other(elsewhere.path());
  ASSERT_VALUE(digest, other.put("content"));
  for (int i = 0; i < 2; ++i) {  // the second time it is present
    ASSERT_TRUE(store_.link_from(other, digest).has_value());
  }
  EXPECT_EQ(fs::hard_link_count(place(digest)), 2U);
  EXPECT_EQ(store_.link_from(other, Digest::of("x")).error().kind, ErrorKind::kNotFound);
}

TEST_F(BlobStoreTest, CopiesABlobFromAnotherFileSystem) {
  auto disk = io::SmallDisk::create(1 << 20);
  if (!disk) {
    GTEST_SKIP() << "mounting is not allowed";
  }
  const BlobStore other(disk->path());
  ASSERT_VALUE(good, other.put("content"));
  ASSERT_VALUE(bad, other.put("damaged"));
  fs::permissions(other.path(bad).value(), fs::perms(0644));
  std::ofstream(other.path(bad).value()) << "damAged";
  ASSERT_TRUE(store_.link_from(other, good).has_value());
  EXPECT_EQ(store_.read(good, 100).value(), "content");
  EXPECT_EQ(store_.link_from(other, bad).error().kind, ErrorKind::kCorrupt);
  EXPECT_FALSE(store_.contains(bad));
}

TEST_F(BlobStoreTest, AFullDiskLeavesNoBlob) {
  const std::string large(100'000, 'x');
  {
    const io::LowerLimit limit(RLIMIT_FSIZE, 10'000);
    EXPECT_EQ(store_.put(large).error().kind, ErrorKind::kUnavailable);
  }
  EXPECT_FALSE(store_.contains(Digest::of(large)));
  EXPECT_TRUE(store_.put(large).has_value());
}

TEST_F(BlobStoreTest, ManyWritersOfTheSameBlobsAgree) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(store_.put("blob " + std::to_string(i)).has_value());
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(count_in(directory_.path() + "/blobs/sha256"), 20);
  EXPECT_EQ(count_in(directory_.path() + "/tmp"), 0);
  EXPECT_EQ(store_.read(Digest::of("blob 7"), 100).value(), "blob 7");
}

}  // namespace
}  // namespace cloche::blob
