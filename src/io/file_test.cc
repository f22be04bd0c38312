#include "io/file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/testing.h"
#include "io/disk_files.h"
#include "io/temporary.h"
#include "io/testing.h"

namespace cloche::io {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest() : directory_(test_directory()) {}

  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string content(const std::string& name) {
    return DiskFiles().read(path(name), 1 << 20).value_or("(none)");
  }
  std::size_t entry_count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator()));
  }

  TemporaryDirectory directory_;
};

TEST_F(FileTest, WritesAndReplacesWithMissingParents) {
  ASSERT_TRUE(write_file_atomically(path("a/b/c.txt"), "one").has_value());
  EXPECT_EQ(content("a/b/c.txt"), "one");
  ASSERT_TRUE(write_file_atomically(path("a/b/c.txt"), "two").has_value());
  EXPECT_EQ(content("a/b/c.txt"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(path("a/b")), fs::directory_iterator()), 1);
}

TEST_F(FileTest, GivesTheModeThatTheUmaskLeaves) {
  const mode_t before = ::umask(022);
  ASSERT_TRUE(write_file_atomically(path("run.sh"), "#!/bin/sh\n", 0777).has_value());
  ::umask(before);
  struct stat info{};
  ASSERT_EQ(::stat(path("run.sh").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0755U);
}

TEST_F(FileTest, ReplacesALinkInsteadOfWritingThroughIt) {
  ASSERT_TRUE(write_file_atomically(path("target"), "kept").has_value());
  fs::create_symlink("target", path("link"));
  ASSERT_TRUE(write_file_atomically(path("link"), "new").has_value());
  EXPECT_EQ(content("target"), "kept");
  EXPECT_EQ(content("link"), "new");
}

TEST_F(FileTest, RefusesADirectoryAndANulByte) {
  EXPECT_EQ(write_file_atomically(directory_.path(), "x").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(write_file_atomically(path(std::string("a\0b", 3)), "x").error().kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(entry_count(), 0U);
}

TEST_F(FileTest, KeepsTheOldContentWhenTheNewDoesNotFit) {
  ASSERT_TRUE(write_file_atomically(path("a"), "old").has_value());
  {
    const LowerLimit limit(RLIMIT_FSIZE, 1000);
    const auto status = write_file_atomically(path("a"), std::string(5000, 'x'));
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
    EXPECT_NE(status.error().hint.find("ulimit -f"), std::string::npos);
  }
  EXPECT_EQ(content("a"), "old");
  EXPECT_EQ(entry_count(), 1U) << "the temporary file must be gone";
}

TEST_F(FileTest, SaysThatTheDiskIsFull) {
  const auto disk = SmallDisk::create(64 << 10);
  if (!disk) {
    GTEST_SKIP() << "mounting is not allowed here";
  }
  const auto status = write_file_atomically(disk->path() + "/a", std::string(1 << 20, 'x'));
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(status.error().hint.find("disk is full"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(disk->path()));
}

TEST_F(FileTest, SaysThatADirectoryIsNotOurs) {
  fs::permissions(directory_.path(), fs::perms(0755));
  const Unprivileged nobody;
  if (::getuid() != 0) {
    GTEST_SKIP() << "the directory is ours";
  }
  const auto status = write_file_atomically(path("a"), "x");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind, ErrorKind::kPermission);
  EXPECT_EQ(make_directories(path("b")).error().kind, ErrorKind::kPermission);
}

TEST_F(FileTest, MakesDirectoriesOnceAndNamesAFileInTheWay) {
  EXPECT_TRUE(make_directories(path("a/b/c")).has_value());
  EXPECT_TRUE(make_directories(path("a/b/c/")).has_value());
  EXPECT_TRUE(fs::is_directory(path("a/b/c")));
  std::ofstream(path("file")) << "x";
  EXPECT_EQ(make_directories(path("file")).error().kind, ErrorKind::kConflict);
  EXPECT_FALSE(make_directories(path("file/below")).has_value());
}

TEST_F(FileTest, ATemporaryFileGoesWithItsOwner) {
  {
    ASSERT_VALUE(file, TemporaryFile::create(directory_.path()));
    EXPECT_EQ(entry_count(), 1U);
    const TemporaryFile moved = std::move(file);
    EXPECT_EQ(entry_count(), 1U);
  }
  EXPECT_EQ(entry_count(), 0U);
}

TEST_F(FileTest, ATemporaryDirectoryGoesWithWhatIsInIt) {
  std::string place;
  {
    ASSERT_VALUE(directory, TemporaryDirectory::create(directory_.path()));
    place = directory.path();
    ASSERT_TRUE(write_file_atomically(place + "/a/b", "x").has_value());
  }
  EXPECT_FALSE(fs::exists(place));
}

}  // namespace
}  // namespace cloche::io
