#include "jobs/input_digest.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/disk_files.h"
#include "io/testing.h"

namespace cloche::jobs {
namespace {

namespace fs = std::filesystem;
using definition::JobInput;

class DigestInputs : public testing::Test {
 protected:
  DigestInputs() : directory_(io::test_directory()) {
    fs::create_directories(path("data/a"));
    std::ofstream(path("data/a/x")) << "one";
    std::ofstream(path("data/y")) << "two";
    fs::create_symlink("y", path("data/z"));
  }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  void give(const std::string& name, JobInput::Kind kind, const std::string& value) {
    job_.inputs[name] = {.kind = kind, .value = value, .at = {}};
  }
  std::vector<InputRecord> records(const InputLimits& limits = {}) {
    io::DiskFiles files;
    return digest_inputs(job_, files, limits, {}).value();
  }

  io::TemporaryDirectory directory_;
  definition::CommandJob job_;
};

TEST_F(DigestInputs, FilesByContentAndFoldersByTheirList) {
  give("lr", JobInput::Kind::kLiteral, "0.1");
  give("table", JobInput::Kind::kFile, path("data/y"));
  give("data", JobInput::Kind::kFolder, path("data"));
  const auto before = records();
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0].name, "data");
  EXPECT_EQ(before[0].files, 3U);
  EXPECT_EQ(before[0].bytes, 6U);
  EXPECT_EQ(before[1].digest, Digest::of("two").to_string());
  EXPECT_EQ(records()[0].digest, before[0].digest);
  std::ofstream(path("data/a/x")) << "six";
  EXPECT_NE(records()[0].digest, before[0].digest);
}

TEST_F(DigestInputs, BeyondTheLimitsOnlyTheSizeIsKept) {
  give("data", JobInput::Kind::kFolder, path("data"));
  give("table", JobInput::Kind::kFile, path("data/y"));
  const auto small = records({.bytes = 2, .entries = 100});
  EXPECT_EQ(small[0].digest + small[1].digest, "");
  EXPECT_EQ(small[0].bytes, 6U);
  EXPECT_EQ(records({.bytes = 100, .entries = 2})[0].digest, "");
}

TEST_F(DigestInputs, AnInputThatIsGoneIsAnError) {
  give("data", JobInput::Kind::kFolder, path("gone"));
  io::DiskFiles files;
  EXPECT_EQ(digest_inputs(job_, files, {}, {}).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace cloche::jobs
