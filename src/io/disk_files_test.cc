#include "io/disk_files.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/system_error.h"
#include "io/temporary.h"
#include "io/testing.h"

namespace cloche::io {
namespace {

namespace fs = std::filesystem;

class DiskFilesTest : public testing::Test {
 protected:
  DiskFilesTest() : directory_(test_directory()) {}

  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string write(const std::string& name, std::string_view content) const {
    EXPECT_TRUE(write_file_atomically(path(name), content).has_value());
    return path(name);
  }

  TemporaryDirectory directory_;
  DiskFiles files_;
};

TEST_F(DiskFilesTest, ReadsUpToTheLimitAndNoMore) {
  const std::string file = write("a", "12345");
  EXPECT_EQ(files_.read(file, 5).value(), "12345");
  EXPECT_EQ(files_.read(file, 4).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files_.read(write("empty", ""), 0).value(), "");
  const std::string large(300'000, 'x');
  EXPECT_EQ(files_.read(write("large", large), 1 << 20).value(), large);
}

TEST_F(DiskFilesTest, NamesWhatIsMissing) {
  const auto result = files_.read(path("missing"), 10);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(result.error().message,
            "cannot read " + path("missing") + ": no such file or directory");
  EXPECT_EQ(files_.kind(path("missing")).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(files_.list(path("missing")).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(files_.digest(path("missing")).error().kind, ErrorKind::kNotFound);
}

TEST_F(DiskFilesTest, NeverWaitsForAFifoOrADevice) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(files_.read(path("fifo"), 10).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files_.digest(path("fifo")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files_.kind(path("fifo")).value(), FileKind::kOther);
  EXPECT_EQ(files_.read("/dev/zero", 10).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files_.read(directory_.path(), 10).error().kind, ErrorKind::kInvalid);
}

TEST_F(DiskFilesTest, ListsByBytesWithoutFollowingLinks) {
  write("b", "123");
  write("Z", "");
  fs::create_directory(path("a"));
  fs::create_symlink("../outside", path("link"));
  fs::permissions(path("b"), fs::perms(0750));
  ASSERT_VALUE(entries, files_.list(directory_.path()));
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].name, "Z");
  EXPECT_EQ(entries[1].kind, FileKind::kDirectory);
  EXPECT_EQ(entries[2].size_bytes, 3U);
  EXPECT_EQ(entries[2].mode, 0750U);
  EXPECT_EQ(entries[3].kind, FileKind::kSymlink);
  EXPECT_EQ(entries[3].link_target, "../outside");
}

TEST_F(DiskFilesTest, FollowsLinksWhenReading) {
  write("a", "content");
  fs::create_symlink("a", path("link"));
  fs::create_symlink("circle", path("circle"));
  EXPECT_EQ(files_.read(path("link"), 100).value(), "content");
  EXPECT_EQ(files_.kind(path("link")).value(), FileKind::kFile);
  EXPECT_EQ(files_.read(path("circle"), 100).error().kind, ErrorKind::kInvalid);
}

TEST_F(DiskFilesTest, HashesAsTheWholeContentWould) {
  const std::string large(1'000'003, 'x');
  EXPECT_EQ(files_.digest(write("large", large)).value(), Digest::of(large));
  EXPECT_EQ(files_.digest(write("empty", "")).value(), Digest::of(""));
}

TEST_F(DiskFilesTest, ShowsAHostileNameHarmlessly) {
  const auto result = files_.read(path("\x1b]0;owned\a\nx"), 10);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().to_string().find('\x1b'), std::string::npos);
  EXPECT_NE(result.error().message.find("\\x1b]0;owned\\x07\\x0ax"), std::string::npos);
  EXPECT_EQ(files_.read(std::string("/etc/passwd\0.txt", 16), 10).error().kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(files_.kind(std::string("/etc\0", 5)).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files_.list(std::string("/etc\0", 5)).error().kind, ErrorKind::kInvalid);
}

TEST_F(DiskFilesTest, SaysHowToGetMoreOpenFiles) {
  const std::string file = write("a", "x");
  const LowerLimit limit(RLIMIT_NOFILE, 3);
  const auto result = files_.read(file, 10);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(result.error().hint.find("ulimit -n"), std::string::npos);
}

TEST(SystemError, HasAKindAndARemedyForWhatPeopleMeet) {
  EXPECT_EQ(system_error(ENOSPC, "write", "a").kind, ErrorKind::kUnavailable);
  EXPECT_EQ(system_error(EROFS, "write", "a").kind, ErrorKind::kPermission);
  EXPECT_EQ(system_error(EACCES, "write", "a").kind, ErrorKind::kPermission);
  for (const int number : {ENOENT, ENOSPC, EROFS, EACCES, EMFILE}) {
    EXPECT_NE(system_error(number, "write", "a").hint, "") << number;
  }
  EXPECT_EQ(system_error(99999, "write", "a").message, "cannot write a: error 99999");
}

}  // namespace
}  // namespace cloche::io
