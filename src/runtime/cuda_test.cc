#include "runtime/cuda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::runtime {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

TEST(NvidiaDriver, IsReadFromTheKernelOrTheSpec) {
  EXPECT_EQ(nvidia_driver("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 "
                          "01:15:15 UTC 2023\nGCC version:  gcc version 12.2.0\n",
                          {}),
            "535.104.05");
  EXPECT_EQ(nvidia_driver("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  "
                          "Release Build\n",
                          {}),
            "550.54.14");
  CdiEdits edits;
  edits.mounts = {{.host_path = "/usr/lib/libcuda.so.1"},
                  {.host_path = "/usr/lib/x86_64-linux-gnu/libcuda.so.470.57.02"}};
  EXPECT_EQ(nvidia_driver("", edits), "470.57.02");
  EXPECT_EQ(nvidia_driver("something", {}), "");
}

TEST(HighestCuda, IsTheDriverBranchs) {
  EXPECT_EQ(highest_cuda("470.57.02"), "11.4");
  EXPECT_EQ(highest_cuda("550.54.14"), "12.4");
  EXPECT_EQ(highest_cuda("552.1"), "12.4");
  EXPECT_EQ(highest_cuda("580.65.06"), "13.0");
  EXPECT_EQ(highest_cuda("700.1"), "") << "newer than the table";
  EXPECT_EQ(highest_cuda("96.43"), "");
  EXPECT_EQ(highest_cuda(""), "");
}

Status check(const CudaNeeds& needs, const Variables& variables, std::string_view driver) {
  return check_cuda(needs, variables, driver);
}

TEST(CheckCuda, RefusesAnotherMajorVersionWithTheRemedy) {
  const auto refused = check({.packages = {"pytorch-cuda 12.4"}}, {}, "470.57.02");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("CUDA 12.4"));
  EXPECT_THAT(refused.error().message, HasSubstr("470.57.02, has 11.4 at most"));
  EXPECT_THAT(refused.error().hint, HasSubstr("NVIDIA driver 525 or newer"));
  EXPECT_TRUE(check({.packages = {"pytorch-cuda 12.4"}}, {}, "525.60.13").has_value())
      << "minor versions are compatible";
  EXPECT_FALSE(check({.packages = {"cudatoolkit 10.2.89"}}, {}, "418.39").has_value())
      << "before 11 they are not";
  EXPECT_TRUE(check({.packages = {"cuda-version 13.0"}}, {}, "700.1").has_value());
  EXPECT_TRUE(check({.packages = {"cuda-version 13.0"}}, {}, "").has_value());
}

TEST(CheckCuda, ReadsTheImagesVariables) {
  EXPECT_FALSE(check({}, {{"CUDA_VERSION", "12.4.1"}}, "470.57.02").has_value());
  EXPECT_TRUE(check({}, {{"CUDA_VERSION", "12.4.1"}}, "535.1").has_value());
  EXPECT_TRUE(check({}, {{"CUDA_VERSION", "12.4.1"}, {"NVIDIA_DISABLE_REQUIRE", "1"}}, "470.57.02")
                  .has_value());
  const char* const require =
      "cuda>=12.4 brand=tesla,driver>=470,driver<471 brand=unknown,driver>=535,driver<536";
  EXPECT_TRUE(check({}, {{"NVIDIA_REQUIRE_CUDA", require}}, "550.1").has_value());
  EXPECT_TRUE(
      check({}, {{"NVIDIA_REQUIRE_CUDA", require}, {"CUDA_VERSION", "12.4"}}, "470.57").has_value())
      << "the image says that it has what this driver lacks";
  const auto refused =
      check({}, {{"NVIDIA_REQUIRE_CUDA", require}, {"CUDA_VERSION", "12.4.1"}}, "515.1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("needs CUDA 12.4.1"));
  EXPECT_TRUE(check({}, {{"NVIDIA_REQUIRE_CUDA", " "}}, "515.1").has_value());
  EXPECT_TRUE(check({}, {{"NVIDIA_REQUIRE_CUDA", "cuda>= nonsense >="}}, "515.1").has_value());
}

TEST(CheckCuda, TakesCondasSpecsAsConda) {
  EXPECT_FALSE(check({.specs = {"__cuda >=12.4"}}, {}, "525.60.13").has_value());
  EXPECT_TRUE(check({.specs = {"__cuda >=12.4"}}, {}, "550.54.14").has_value());
  EXPECT_TRUE(check({.specs = {"__cuda"}}, {}, "470.1").has_value());
  EXPECT_THAT(check({.specs = {"__cuda >=12.4"}}, {}, "470.1").error().hint,
              HasSubstr("driver 550 or newer"));
}

}  // namespace
}  // namespace cloche::runtime
