#include "jobs/snapshot.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/testing.h"
#include "io/disk_files.h"
#include "io/testing.h"

namespace cloche::jobs {
namespace {

namespace fs = std::filesystem;

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() : directory_(io::test_directory()), store_(directory_.path() + "/store") {
    fs::create_directories(code());
  }
  std::string code() const { return directory_.path() + "/code"; }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(code() + "/" + path).parent_path());
    std::ofstream(code() + "/" + path) << text;
  }
  Result<Snapshot> take(const SnapshotLimits& limits = {}) {
    return take_snapshot(code(), files_, store_, limits, {});
  }
  // What a snapshot gives back: path to content.
  std::map<std::string, std::string> restored(const Digest& digest) {
    const std::string target = directory_.path() + "/restored";
    fs::remove_all(target);
    fs::create_directories(target);
    EXPECT_TRUE(restore_snapshot(digest, store_, target).has_value());
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(target)) {
      if (entry.is_symlink()) {
        out[entry.path().lexically_relative(target)] = "-> " + fs::read_symlink(entry).string();
      } else if (entry.is_regular_file()) {
        std::ifstream file(entry.path());
        out[entry.path().lexically_relative(target)] = {std::istreambuf_iterator<char>(file),
                                                        std::istreambuf_iterator<char>()};
      }
    }
    return out;
  }

  io::TemporaryDirectory directory_;
  blob::BlobStore store_;
  io::DiskFiles files_;
};

TEST_F(SnapshotTest, GivesBackWhatWasThere) {
  write("train.py", "print(1)\n");
  write("lib/a/b.py", "b");
  write("run.sh", "#!/bin/sh\n");
  fs::permissions(code() + "/run.sh", fs::perms::owner_all);
  fs::create_symlink("lib/a", code() + "/short");
  ASSERT_VALUE(snapshot, take());
  EXPECT_EQ(snapshot.files, 3U);
  EXPECT_EQ(restored(snapshot.digest),
            (std::map<std::string, std::string>{{"train.py", "print(1)\n"},
                                                {"lib/a/b.py", "b"},
                                                {"run.sh", "#!/bin/sh\n"},
                                                {"short", "-> lib/a"}}));
  struct stat found{};
  ASSERT_EQ(::stat((directory_.path() + "/restored/run.sh").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0111U, 0111U);
}

TEST_F(SnapshotTest, TheSameCodeIsTheSameAndIsNotStoredTwice) {
  write("a", "content");
  ASSERT_VALUE(first, take());
  EXPECT_EQ(first.new_bytes, 7U);
  write("ignored/x", "x");
  write(".amlignore", "ignored/\n.amlignore\n");
  ASSERT_VALUE(second, take());
  EXPECT_EQ(second.digest, first.digest);
  EXPECT_EQ(second.new_bytes, 0U);
  write("b", "content");
  ASSERT_VALUE(third, take());
  EXPECT_NE(third.digest, first.digest);
  EXPECT_EQ(third.new_bytes, 0U);
}

TEST_F(SnapshotTest, AmlignoreWinsOverGitignore) {
  write("keep", "1");
  write("data/big", "2");
  write(".gitignore", "keep\n");
  write(".amlignore", "data/*\n");
  write(".git/config", "secret");
  ASSERT_VALUE(snapshot, take());
  const auto files = restored(snapshot.digest);
  EXPECT_TRUE(files.contains("keep"));
  EXPECT_FALSE(files.contains("data/big"));
  EXPECT_FALSE(files.contains(".git/config"));
}

TEST_F(SnapshotTest, RefusesTooMuchAndSaysWhatIsLarge) {
  write("data/big", std::string(2000, 'x'));
  write("small", "x");
  const auto large = take({.bytes = 1000, .entries = 100});
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(large.error().details[0], testing::HasSubstr("data: 2.0 kB in 1 file"));
  EXPECT_THAT(large.error().hint, testing::HasSubstr(".amlignore"));
  const auto many = take({.bytes = 10'000, .entries = 1});
  EXPECT_THAT(many.error().message, testing::HasSubstr("more than 1 files"));
}

TEST_F(SnapshotTest, RefusesLinksThatLeadOutAndOtherThings) {
  write("sub/x", "x");
  fs::create_symlink("../x", code() + "/sub/inside");
  EXPECT_TRUE(take().has_value());
  fs::create_symlink("../../etc/passwd", code() + "/sub/outside");
  EXPECT_THAT(take().error().message, testing::HasSubstr("leads out"));
  fs::remove(code() + "/sub/outside");
  ::mkfifo((code() + "/pipe").c_str(), 0600);
  EXPECT_THAT(take().error().message, testing::HasSubstr("neither a file"));
}

TEST_F(SnapshotTest, AListThatWasTamperedWithIsNotBelieved) {
  for (const char* entry :
       {R"({"path":"../x","link":"y"})", R"({"path":"/x","link":"y"})",
        R"({"path":"x","link":"/etc"})", R"({"path":"a/../../x","link":"y"})",
        R"({"path":"x","digest":"sha256:zz","size":1,"executable":false})", R"({})"}) {
    const std::string list = std::string(R"({"files":[)") + entry + R"(],"snapshot":1})";
    const Digest digest = store_.put(list).value();
    EXPECT_EQ(restore_snapshot(digest, store_, code()).error().kind, ErrorKind::kCorrupt) << entry;
  }
}

TEST_F(SnapshotTest, NamesAllThatMustStay) {
  write("a", "1");
  write("b", "2");
  ASSERT_VALUE(snapshot, take());
  std::set<Digest> seen;
  ASSERT_TRUE(visit_snapshot(snapshot.digest, store_, [&](const Digest& one) {
                seen.insert(one);
              }).has_value());
  EXPECT_EQ(seen, (std::set<Digest>{Digest::of("1"), Digest::of("2"), snapshot.digest}));
}

}  // namespace
}  // namespace cloche::jobs
