#include "runtime/seccomp.h"

#include <cerrno>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloche::runtime {
namespace {

// name -> the actions of the rules that have it.
std::map<std::string, std::set<std::string>> rules() {
  std::map<std::string, std::set<std::string>> out;
  const Json filter = seccomp_filter();
  for (const Json& rule : filter["syscalls"].items()) {
    for (const Json& name : rule["names"].items()) {
      out[name.as_string()].insert(rule["action"].as_string() +
                                   (rule.find("args") != nullptr ? " with arguments" : ""));
    }
  }
  return out;
}

TEST(SeccompFilter, RefusesWhatItDoesNotName) {
  const Json filter = seccomp_filter();
  EXPECT_EQ(filter["defaultAction"].as_string(), "SCMP_ACT_ERRNO");
  EXPECT_EQ(filter["defaultErrnoRet"].as_integer(), ENOSYS);
  EXPECT_FALSE(filter["architectures"].items().empty());
}

TEST(SeccompFilter, HasOneActionForEachCall) {
  for (const auto& [name, actions] : rules()) {
    EXPECT_EQ(actions.size(), 1U) << name;
  }
}

TEST(SeccompFilter, AllowsWhatTrainingNeeds) {
  const auto all = rules();
  for (const char* name : {"read", "mmap", "futex", "execve", "clone", "openat", "statx",
                           "getrandom", "rseq", "membarrier", "sched_setaffinity", "mbind",
                           "set_mempolicy", "shmget", "memfd_create", "prlimit64", "socket"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_THAT(*all.at(name).begin(), testing::StartsWith("SCMP_ACT_ALLOW")) << name;
  }
}

TEST(SeccompFilter, RefusesWhatLeadsOutside) {
  const auto all = rules();
  for (const char* name :
       {"mount", "umount2", "pivot_root", "setns", "unshare", "bpf", "keyctl", "add_key",
        "open_by_handle_at", "perf_event_open", "kexec_load", "io_uring_setup", "userfaultfd"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_EQ(*all.at(name).begin(), "SCMP_ACT_ERRNO") << name;
  }
  for (const char* name :
       {"init_module", "finit_module", "delete_module", "swapon", "iopl", "ioperm", "clone3"}) {
    EXPECT_FALSE(all.contains(name)) << name;
  }
  EXPECT_EQ(*all.at("clone").begin(), "SCMP_ACT_ALLOW with arguments");
}

}  // namespace
}  // namespace cloche::runtime
