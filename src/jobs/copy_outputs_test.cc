#include "jobs/copy_outputs.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/testing.h"
#include "io/testing.h"
#include "jobs/testing.h"

namespace cloche::jobs {
namespace {

namespace fs = std::filesystem;

class CopyOutputs : public testing::Test {
 protected:
  CopyOutputs() {
    fs::create_directories(directory_.outputs());
    fs::create_directories(outside_);
    write(outside_ + "/victim", "untouched");
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  Result<CopiedOutputs> copy() {
    return copy_outputs(command_job("one", "true"), directory_, {.all = true}, target_);
  }

  io::TemporaryDirectory place_ = io::test_directory();
  RunDirectory directory_{place_.path(), "one"};
  std::string outside_ = place_.path() + "/outside";
  std::string target_ = place_.path() + "/got";
};

// CVE-2018-15664: what is copied out of a container is the container's to arrange.
TEST_F(CopyOutputs, FollowsNoLinkOfTheJob) {
  write(directory_.outputs() + "/model", "weights");
  fs::create_symlink(outside_ + "/victim", directory_.outputs() + "/file");
  fs::create_symlink(outside_, directory_.outputs() + "/folder");
  fs::create_symlink("../../../outside", directory_.outputs() + "/up");
  ASSERT_EQ(::mkfifo((directory_.outputs() + "/pipe").c_str(), 0600), 0);
  ASSERT_VALUE(copied, copy());
  EXPECT_EQ(copied.files, 1U);
  EXPECT_EQ(fs::read_symlink(target_ + "/outputs/file"), outside_ + "/victim");
  EXPECT_EQ(fs::read_symlink(target_ + "/outputs/folder"), outside_);
  EXPECT_EQ(fs::read_symlink(target_ + "/outputs/up"), "../../../outside");
  EXPECT_FALSE(fs::exists(fs::symlink_status(target_ + "/outputs/pipe")));
}

TEST_F(CopyOutputs, WritesOnlyIntoANewFolder) {
  fs::create_symlink(outside_, target_);
  EXPECT_EQ(copy().error().kind, ErrorKind::kConflict);
  EXPECT_FALSE(fs::exists(outside_ + "/outputs"));
}

}  // namespace
}  // namespace cloche::jobs
