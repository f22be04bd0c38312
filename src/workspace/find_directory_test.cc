#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "io/file.h"
#include "io/testing.h"
#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

namespace fs = std::filesystem;

class FindWorkspaceDirectory : public testing::Test {
 protected:
  FindWorkspaceDirectory() : directory_(io::test_directory()) {
    ::unsetenv("CLOCHE_WORKSPACE");
    ::setenv("XDG_DATA_HOME", "/data", 1);
  }
  ~FindWorkspaceDirectory() override { ::unsetenv("XDG_DATA_HOME"); }

  std::string make(const std::string& path) const {
    const std::string full = directory_.path() + "/" + path;
    EXPECT_TRUE(io::make_directories(full).has_value());
    return full;
  }

  io::TemporaryDirectory directory_;
};

TEST_F(FindWorkspaceDirectory, TakesTheNearestUpwards) {
  make("a/b/c");
  EXPECT_EQ(find_workspace_directory(directory_.path() + "/a/b/c"), "/data/cloche");
  const std::string outer = make(".cloche");
  EXPECT_EQ(find_workspace_directory(directory_.path() + "/a/b/c"), outer);
  const std::string inner = make("a/b/.cloche");
  EXPECT_EQ(find_workspace_directory(directory_.path() + "/a/b/c"), inner);
  EXPECT_EQ(find_workspace_directory(directory_.path() + "/a/b/../.."), outer);
  EXPECT_EQ(find_workspace_directory(directory_.path() + "/a/b/not/there"), inner);
}

TEST_F(FindWorkspaceDirectory, AFileOfTheNameIsNone) {
  ASSERT_TRUE(io::write_file_atomically(directory_.path() + "/.cloche", "x").has_value());
  EXPECT_EQ(find_workspace_directory(directory_.path()), "/data/cloche");
}

TEST_F(FindWorkspaceDirectory, TheVariableWins) {
  make(".cloche");
  ::setenv("CLOCHE_WORKSPACE", "/named", 1);
  EXPECT_EQ(find_workspace_directory(directory_.path()), "/named");
  ::unsetenv("CLOCHE_WORKSPACE");
}

TEST_F(FindWorkspaceDirectory, FallsBackToTheHome) {
  ::setenv("XDG_DATA_HOME", "relative/is/ignored", 1);
  ::setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(find_workspace_directory(directory_.path()), "/home/ada/.local/share/cloche");
}

TEST_F(FindWorkspaceDirectory, PassesByWhatSomebodyElsePutWhereAllMayWrite) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "giving a directory away needs root";
  }
  const std::string planted = make("open/.cloche");
  make("open/project");
  ASSERT_EQ(::chown(planted.c_str(), 65534, 65534), 0);
  EXPECT_EQ(find_workspace_directory(directory_.path() + "/open/project"), planted);
  fs::permissions(directory_.path() + "/open", fs::perms(01777));
  EXPECT_EQ(find_workspace_directory(directory_.path() + "/open/project"), "/data/cloche");
}

}  // namespace
}  // namespace cloche::workspace
