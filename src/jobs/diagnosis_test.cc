#include "jobs/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloche::jobs {
namespace {

using testing::HasSubstr;

std::string of_log(std::string_view log, std::int64_t code = 1) {
  return diagnose({.exit_code = code, .log_tail = log});
}

TEST(Diagnosis, NamesThePackageOfAMissingModule) {
  EXPECT_THAT(of_log("Traceback\nModuleNotFoundError: No module named 'sklearn'\n"),
              HasSubstr("add the package scikit-learn"));
  EXPECT_THAT(of_log("ModuleNotFoundError: No module named 'google.protobuf'"),
              HasSubstr("package protobuf"));
  EXPECT_EQ(package_of_module("cv2"), "opencv");
  EXPECT_EQ(package_of_module("torch.nn"), "pytorch");
  EXPECT_EQ(package_of_module("my_module.sub"), "my-module");
  EXPECT_EQ(package_of_module(""), "");
}

TEST(Diagnosis, KnowsMemoryOfEachKind) {
  EXPECT_THAT(diagnose({.exit_code = 137,
                        .signal = 9,
                        .out_of_memory = true,
                        .memory_limit_bytes = 4'000'000'000,
                        .log_tail = ""}),
              HasSubstr("4.0 GB that resources.memory allows"));
  EXPECT_THAT(of_log("torch.OutOfMemoryError: CUDA out of memory."), HasSubstr("GPU's memory"));
  EXPECT_THAT(of_log("MemoryError"), HasSubstr("out of memory"));
  EXPECT_THAT(diagnose({.exit_code = 135, .signal = 7, .shm_bytes = 64'000'000, .log_tail = ""}),
              HasSubstr("resources.shm_size"));
  EXPECT_THAT(diagnose({.exit_code = 137, .signal = 9, .log_tail = ""}),
              HasSubstr("killed from outside"));
}

TEST(Diagnosis, KnowsFilesProgramsAndDrivers) {
  EXPECT_THAT(of_log("sh: 1: foo: not found\n", 127), HasSubstr("not found in the image: 1: foo"));
  EXPECT_THAT(of_log("", 126), HasSubstr("name its interpreter"));
  EXPECT_THAT(of_log("python: can't open file '/mnt/job/code/trian.py': [Errno 2]", 2),
              HasSubstr("trian.py is not in the code"));
  EXPECT_THAT(of_log("FileNotFoundError: [Errno 2] No such file or directory: 'data/x.csv'"),
              HasSubstr("data/x.csv is not there"));
  EXPECT_THAT(of_log("OSError: [Errno 28] No space left on device"), HasSubstr("disk is full"));
  EXPECT_THAT(diagnose({.exit_code = 1, .disk_full = true, .log_tail = ""}),
              HasSubstr("disk is full"));
  EXPECT_THAT(of_log("CUDA driver version is insufficient for CUDA runtime version"),
              HasSubstr("update the driver"));
  EXPECT_THAT(of_log("ImportError: libGL.so.1: cannot open shared object file: No such file"),
              HasSubstr("libgl1 under apt"));
}

TEST(Diagnosis, SaysNothingWhereNothingIsKnownAndNothingHostile) {
  EXPECT_EQ(of_log("AssertionError", 1), "");
  EXPECT_THAT(of_log("ModuleNotFoundError: No module named '\x1b[31mx'"),
              testing::Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace cloche::jobs
