#include "build/lower_root.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/testing.h"
#include "io/testing.h"

namespace cloche::build {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class LowerRootTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& content) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << content;
  }

  io::TemporaryDirectory place_ = io::test_directory();
  std::string low_ = place_.path() + "/low";
  std::string high_ = place_.path() + "/high";
  LowerRoot root_{{low_, high_}};
};

TEST_F(LowerRootTest, TheHighestCounts) {
  write(low_ + "/etc/a", "low");
  write(high_ + "/etc/a", "high");
  write(low_ + "/etc/b", "b");
  fs::create_symlink("usr/bin", low_ + "/bin");
  EXPECT_EQ(root_.read("etc/a", 100).value(), "high");
  EXPECT_EQ(root_.read("etc/b", 100).value(), "b");
  EXPECT_EQ(root_.read("etc/none", 100).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(root_.read("etc", 100).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(root_.link_target("bin"), "usr/bin");
  EXPECT_EQ(root_.link_target("etc/a"), std::nullopt);
  EXPECT_FALSE(root_.look("bin/x"));
  EXPECT_THAT(root_.list("etc"), ElementsAre("a", "b"));
}

TEST_F(LowerRootTest, WhatWasRemovedIsNotThere) {
  write(low_ + "/etc/a", "low");
  write(low_ + "/var/x/y", "low");
  fs::create_directories(high_ + "/etc");
  if (::geteuid() != 0 || ::mknod((high_ + "/etc/a").c_str(), S_IFCHR, makedev(0, 0)) != 0 ||
      ::mknod((high_ + "/var").c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    GTEST_SKIP() << "whiteouts are devices, which need root";
  }
  EXPECT_FALSE(root_.look("etc/a"));
  EXPECT_FALSE(root_.look("var/x/y"));
  EXPECT_THAT(root_.list("etc"), ElementsAre());
}

TEST_F(LowerRootTest, AFileHidesADirectoryBelow) {
  write(low_ + "/a/b", "low");
  write(high_ + "/a", "file");
  EXPECT_FALSE(root_.look("a/b"));
  EXPECT_EQ(root_.read("a", 100).value(), "file");
}

}  // namespace
}  // namespace cloche::build
