#include "runtime/cgroup.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/testing.h"

namespace cloche::runtime {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(CgroupHost, OfVersion2HasOneFolder) {
  const CgroupHost host = cgroup_host(
      "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
      "30 23 0:27 / /sys/fs/pstore rw - pstore pstore rw\n",
      "0::/user.slice/user-1000.slice/session-2.scope\n");
  EXPECT_EQ(host.version, 2);
  EXPECT_EQ(host.folders.at(""), "/sys/fs/cgroup");
  EXPECT_EQ(host.own, "/user.slice/user-1000.slice/session-2.scope");
}

TEST(CgroupHost, OfVersion1HasAFolderForEachController) {
  const CgroupHost host = cgroup_host(
      "31 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "32 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "garbage\n1 2 - cgroup\n",
      "4:memory:/\n");
  EXPECT_EQ(host.version, 1);
  EXPECT_EQ(host.folders.at("cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(host.folders.at("memory"), "/sys/fs/cgroup/memory");
}

TEST(CgroupHost, OfAHybridIsVersion1WithTheUnifiedBeside) {
  const CgroupHost host = cgroup_host(
      "31 30 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
      "33 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "0::/\n");
  EXPECT_EQ(host.version, 1);
  EXPECT_EQ(host.folders.at("unified"), "/sys/fs/cgroup/unified");
}

TEST(CgroupHost, MayBeNone) {
  const CgroupHost host = cgroup_host("23 1 0:20 / /proc rw - proc proc rw\n", "");
  EXPECT_EQ(host.version, 0);
  EXPECT_EQ(cgroup_place(host, "x").path, "");
}

// Folders that look like a hierarchy.
class CgroupFiles : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root() + path).parent_path());
    std::ofstream(root() + path) << text;
  }
  std::string root() const { return place_.path(); }
  CgroupHost version2(const std::string& own) const {
    return {.version = 2, .folders = {{"", root()}}, .own = own};
  }

  io::TemporaryDirectory place_ = io::test_directory();
};

TEST_F(CgroupFiles, OfRootAreAtTheTop) {
  write("/cgroup.procs", "");
  write("/cgroup.controllers", "cpuset cpu io memory pids\n");
  write("/cgroup.subtree_control", "");
  const CgroupPlace place = cgroup_place(version2("/"), "x");
  EXPECT_EQ(place.path, "/cloche-x");
  EXPECT_THAT(place.controllers, ElementsAre("cpu", "memory", "pids"));
  EXPECT_TRUE(place.limits_swap);
}

TEST_F(CgroupFiles, ThatCannotBeWrittenAreNone) {
  const CgroupPlace none = cgroup_place(version2("/gone"), "x");
  EXPECT_EQ(none.path, "");
  EXPECT_THAT(none.controllers, IsEmpty());
  const CgroupHost old{.version = 1, .folders = {{"memory", root() + "/nowhere"}}, .own = ""};
  EXPECT_EQ(cgroup_place(old, "x").path, "");
}

TEST_F(CgroupFiles, TellWhatWasUsedAndWhichLimitWasReached) {
  write("/c/memory.peak", "1048576\n");
  write("/c/cpu.stat", "usage_usec 9\nuser_usec 5000\nsystem_usec 3999\n");
  write("/c/memory.events", "low 0\nmax 7\noom 1\noom_kill 1\n");
  write("/c/pids.events", "max 0\n");
  const CgroupUsage usage = cgroup_usage(version2("/"), "/c");
  EXPECT_EQ(usage.peak_memory_bytes, 1048576U);
  EXPECT_EQ(usage.cpu_user_ms, 5U);
  EXPECT_EQ(usage.cpu_system_ms, 3U);
  EXPECT_TRUE(usage.out_of_memory);
  EXPECT_FALSE(usage.out_of_pids);
  const CgroupUsage nothing = cgroup_usage(version2("/"), "/gone");
  EXPECT_FALSE(nothing.peak_memory_bytes.has_value());
  EXPECT_FALSE(nothing.out_of_memory);
}

TEST_F(CgroupFiles, AreReadTheSameInVersion1) {
  write("/memory/c/memory.max_usage_in_bytes", "2097152\n");
  write("/memory/c/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  write("/cpu/c/cpuacct.usage_user", "7000000\n");
  write("/cpu/c/cpuacct.usage_sys", "1000000\n");
  write("/pids/c/pids.events", "max 3\n");
  const CgroupHost host{.version = 1,
                        .folders = {{"memory", root() + "/memory"},
                                    {"cpuacct", root() + "/cpu"},
                                    {"pids", root() + "/pids"}},
                        .own = ""};
  const CgroupUsage usage = cgroup_usage(host, "/c");
  EXPECT_EQ(usage.peak_memory_bytes, 2097152U);
  EXPECT_EQ(usage.cpu_user_ms, 7U);
  EXPECT_TRUE(usage.out_of_memory);
  EXPECT_TRUE(usage.out_of_pids);
}

}  // namespace
}  // namespace cloche::runtime
