#include "io/directory_tree.h"

#include <cerrno>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/testing.h"
#include "io/tree_entry.h"

namespace cloche::io {
namespace {

namespace fs = std::filesystem;

class DirectoryTreeTest : public testing::Test {
 protected:
  DirectoryTreeTest() { fs::create_directory(root()); }
  std::string root() const { return place_.path() + "/root"; }
  DirectoryTree tree() const { return std::move(*DirectoryTree::open(root())); }

  TemporaryDirectory place_ = test_directory();
};

TEST_F(DirectoryTreeTest, MakesFilesWithTheirModeWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  const DirectoryTree made = tree();
  ASSERT_TRUE(made.make_directory("bin"));
  ASSERT_TRUE(made.create_file("bin/tool", 0755));
  ::umask(before);
  EXPECT_EQ(fs::status(root() + "/bin/tool").permissions(), static_cast<fs::perms>(0755));
  EXPECT_EQ(fs::status(root() + "/bin").permissions(), static_cast<fs::perms>(0755));
  const auto again = made.create_file("bin/tool", 0644);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
}

TEST_F(DirectoryTreeTest, ADirectoryMayBeThereAlreadyAFileMayNot) {
  const DirectoryTree made = tree();
  EXPECT_TRUE(made.make_directory("lib"));
  EXPECT_TRUE(made.make_directory("lib"));
  ASSERT_TRUE(made.create_file("file", 0644));
  const Status status = made.make_directory("file");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kConflict);
}

TEST_F(DirectoryTreeTest, FollowsLinksInsideOnly) {
  fs::create_directory(place_.path() + "/outside");
  const DirectoryTree made = tree();
  ASSERT_TRUE(made.make_directory("lib"));
  ASSERT_TRUE(made.make_symlink("lib64", "lib"));
  ASSERT_TRUE(made.make_symlink("out", "../outside"));
  ASSERT_TRUE(made.make_symlink("absolute", place_.path() + "/outside"));

  EXPECT_TRUE(made.create_file("lib64/a.so", 0644));
  EXPECT_TRUE(fs::exists(root() + "/lib/a.so"));
  EXPECT_EQ(*made.real_path("lib64/a.so"), "lib/a.so");
  EXPECT_EQ(*made.real_path("lib64"), "lib64");

  for (const std::string name : {"out", "absolute"}) {
    const auto file = made.create_file(name + "/evil", 0644);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind, ErrorKind::kInvalid);
    EXPECT_FALSE(made.make_directory(name + "/evil"));
    EXPECT_FALSE(made.make_symlink(name + "/evil", "x"));
    EXPECT_FALSE(made.make_hardlink(name + "/evil", "lib/a.so"));
  }
  EXPECT_TRUE(fs::is_empty(place_.path() + "/outside"));
}

TEST_F(DirectoryTreeTest, FollowsNoLinkWhereTheKernelIsOld) {
  constexpr int kSkip = 77;
  const pid_t child = ::fork();
  if (child == 0) {
    if (!forget_openat2()) {
      ::_exit(kSkip);
    }
    const DirectoryTree made = tree();
    bool good = made.make_directory("lib").has_value() && made.make_directory("lib").has_value();
    good = good && made.make_directory("lib/sub").has_value();
    good = good && made.create_file("lib/sub/a", 0644).has_value();
    good = good && made.open_file("lib/sub/a").has_value();
    good = good && made.make_symlink("lib64", "lib").has_value();
    good = good && !made.create_file("lib64/b", 0644).has_value();
    good = good && !made.make_directory("lib64").has_value();
    good = good && !made.make_directory("lib64/c").has_value();
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kSkip) {
    GTEST_SKIP() << "no system call filters here";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(DirectoryTreeTest, NeverWritesThroughALinkOfThatName) {
  const DirectoryTree made = tree();
  ASSERT_TRUE(made.make_symlink("link", "target"));
  EXPECT_FALSE(made.create_file("link", 0644));
  EXPECT_FALSE(fs::exists(root() + "/target"));
}

TEST_F(DirectoryTreeTest, LinksAndRemoves) {
  const DirectoryTree made = tree();
  ASSERT_TRUE(made.create_file("a", 0644));
  ASSERT_TRUE(made.make_hardlink("b", "a"));
  EXPECT_TRUE(fs::equivalent(root() + "/a", root() + "/b"));
  EXPECT_TRUE(made.remove("a"));
  EXPECT_TRUE(made.make_directory("d"));
  EXPECT_TRUE(made.remove("d"));
  EXPECT_FALSE(made.remove("d"));
}

TEST_F(DirectoryTreeTest, RemovesWhatNobodyMayEnterAndWhatAnEarlierRemovalLeft) {
  fs::permissions(place_.path(), fs::perms::all);
  fs::permissions(root(), fs::perms::all);
  const Unprivileged user;
  fs::create_directories(root() + "/all/.cloche-removed-0/deep/er");
  fs::create_directories(root() + "/all/.cloche-removed-1/x");
  fs::create_directories(root() + "/all/work/work/inner/most");
  fs::permissions(root() + "/all/work/work", fs::perms::none);
  const DirectoryTree made = tree();
  const auto place = made.place_of("all");
  ASSERT_TRUE(place.has_value());
  const Status removed = TreeEntry(*place, "all").remove_all();
  EXPECT_TRUE(removed.has_value()) << (removed ? "" : removed.error().to_string());
  EXPECT_FALSE(fs::exists(root() + "/all"));
}

}  // namespace
}  // namespace cloche::io
