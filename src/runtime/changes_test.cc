#include "runtime/changes.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "blob/segment_store.h"
#include "core/testing.h"
#include "io/decompress.h"
#include "io/reader.h"
#include "io/tar_reader.h"
#include "io/testing.h"

namespace cloche::runtime {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ChangesTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return upper_.path() + "/" + name; }

  void write(const std::string& name, const std::string& content) {
    std::ofstream(path(name)) << content;
  }

  Result<blob::Segment> pack(const ChangeOptions& options = {}) {
    auto writer =
        TRY(blob::SegmentWriter::create(store_.blobs(), blob::SegmentCompression::kZstd, pool_));
    TRY(write_changes(upper_.path(), options, writer, {}));
    return std::move(writer).finish();
  }

  std::vector<io::TarEntry> entries(const blob::Segment& segment) {
    std::vector<io::TarEntry> out;
    auto file = io::FileReader::open(*store_.blobs().path(segment.digest));
    const auto plain = io::decompress(*file, io::Compression::kZstd);
    io::TarReader tar(*plain);
    io::TarEntry entry;
    while (*tar.next(entry)) {
      out.push_back(entry);
    }
    return out;
  }

  std::vector<std::string> names(const blob::Segment& segment) {
    std::vector<std::string> out;
    for (const io::TarEntry& entry : entries(segment)) {
      out.push_back(entry.path);
    }
    return out;
  }

  io::TemporaryDirectory upper_ = io::test_directory();
  io::TemporaryDirectory root_ = io::test_directory();
  blob::SegmentStore store_{root_.path()};
  io::ThreadPool pool_{1};
};

TEST_F(ChangesTest, HoldsWhatIsThereInItsOrder) {
  fs::create_directories(path("usr/bin"));
  write("usr/bin/b", "content");
  ::chmod(path("usr/bin/b").c_str(), 04755);
  fs::create_hard_link(path("usr/bin/b"), path("usr/bin/a"));
  fs::create_symlink("b", path("usr/bin/c"));
  write("usr-x", "");
  ::mkfifo(path("fifo").c_str(), 0600);
  ASSERT_VALUE(segment, pack({.newest_s = 1'000'000'000}));
  const auto all = entries(segment);
  EXPECT_THAT(names(segment),
              ElementsAre("usr", "usr/bin", "usr/bin/a", "usr/bin/b", "usr/bin/c", "usr-x"));
  EXPECT_EQ(all[2].kind, io::TarKind::kFile);
  EXPECT_EQ(all[2].mode, 04755U);
  EXPECT_EQ(all[2].size_bytes, 7U);
  EXPECT_EQ(all[2].mtime_s, 1'000'000'000);
  EXPECT_EQ(all[3].kind, io::TarKind::kHardlink);
  EXPECT_EQ(all[3].link_target, "usr/bin/a");
  EXPECT_EQ(all[4].link_target, "b");
  ASSERT_VALUE(again, pack({.newest_s = 1'000'000'000}));
  EXPECT_EQ(again, segment);
}

TEST_F(ChangesTest, OwnersAndRemovalsAreKept) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "devices and owners need root";
  }
  fs::create_directories(path("etc/new"));
  write("etc/shadow", "root:*:1::::::\n");
  ASSERT_EQ(::chown(path("etc/shadow").c_str(), 0, 42), 0);
  ASSERT_EQ(::mknod(path("etc/gone").c_str(), S_IFCHR, makedev(0, 0)), 0);
  ASSERT_EQ(::mknod(path("top").c_str(), S_IFCHR, makedev(0, 0)), 0);
  const bool opaque = ::setxattr(path("etc/new").c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0;
  ASSERT_VALUE(segment, pack());
  const auto all = entries(segment);
  std::vector<std::string> wanted = {".wh.top", "etc", "etc/.wh.gone", "etc/new"};
  if (opaque) {
    wanted.emplace_back("etc/new/.wh..wh..opq");
  }
  wanted.emplace_back("etc/shadow");
  EXPECT_EQ(names(segment), wanted);
  EXPECT_EQ(all.back().gid, 42U);
  EXPECT_EQ(all.front().size_bytes, 0U);
  EXPECT_TRUE(all[3].xattrs.empty());
}

TEST_F(ChangesTest, RefusesWhatALayerCannotSay) {
  write(".wh.x", "");
  EXPECT_EQ(pack().error().kind, ErrorKind::kUnsupported);
  fs::remove(path(".wh.x"));
  if (::geteuid() != 0 || ::mknod(path("null").c_str(), S_IFCHR, makedev(1, 3)) != 0) {
    GTEST_SKIP() << "devices need root";
  }
  EXPECT_THAT(pack().error().message, HasSubstr("null is a device"));
}

}  // namespace
}  // namespace cloche::runtime
