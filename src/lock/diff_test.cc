#include "lock/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lock/testing.h"

namespace cloche::lock {
namespace {

Lock lock_of(std::vector<conda::PackageRecord> records) {
  Lock out;
  out.conda.requested = {"numpy"};
  for (conda::PackageRecord& record : records) {
    out.conda.packages.push_back({.record = std::move(record)});
  }
  set_reasons(out);
  return out;
}

std::vector<std::string> shown(const Difference& difference) {
  std::vector<std::string> out;
  for (const Change& change : difference.changes) {
    out.push_back(change.ecosystem + " " + change.name + " " + std::string(to_string(change.kind)));
  }
  return out;
}

TEST(LockDiff, TellsWhatHappenedToEachPackage) {
  const Lock before = lock_of({sample_record("added-not", "1"), sample_record("numpy", "1.9"),
                               sample_record("openssl", "1.0.2h"), sample_record("same", "1"),
                               sample_record("zlib", "1.3", {}, "h0_0")});
  const Lock after = lock_of({sample_record("mkl", "2024"), sample_record("numpy", "1.10"),
                              sample_record("openssl", "1.0.2g"), sample_record("same", "1"),
                              sample_record("zlib", "1.3", {}, "h0_1")});
  const Difference difference = diff(before, after);
  EXPECT_THAT(
      shown(difference),
      testing::ElementsAre("conda added-not removed", "conda mkl added", "conda numpy upgraded",
                           "conda openssl downgraded", "conda zlib rebuilt"));
  EXPECT_EQ(difference.unchanged_count, 1U);
  EXPECT_TRUE(difference.changes[2].requested);
  EXPECT_FALSE(difference.changes[3].requested);
  EXPECT_EQ(difference.changes[2].before.version, "1.9");
  EXPECT_EQ(difference.changes[2].after.version, "1.10");
  EXPECT_EQ(summary(difference), "numpy 1.9 -> 1.10, added-not removed, mkl added, and 2 more");
}

TEST(LockDiff, AnotherHashIsARebuild) {
  const Lock before = lock_of({sample_record("a", "1")});
  Lock after = before;
  after.conda.packages[0].record.sha256 = std::string(64, '0');
  EXPECT_THAT(shown(diff(before, after)), testing::ElementsAre("conda a rebuilt"));
  after.conda.packages[0].record.sha256 = "";
  EXPECT_TRUE(diff(before, after).empty()) << "an import that knows no sha256";
}

TEST(LockDiff, UsesEachEcosystemsOrder) {
  Lock before;
  before.pypi.packages = {{.name = "a", .version = "1.0rc1"}};
  Lock after;
  after.pypi.packages = {{.name = "a", .version = "1.0"}};
  EXPECT_THAT(shown(diff(before, after)), testing::ElementsAre("pypi a upgraded"));
}

RC_GTEST_PROP(LockDiffProperty, IsEmptyForEqualLocksAndTurnsAround, ()) {
  const Lock a = *any_lock();
  const Lock b = *any_lock();
  RC_ASSERT(diff(a, a).empty());
  const Difference there = diff(a, b);
  const Difference back = diff(b, a);
  RC_ASSERT(there.changes.size() == back.changes.size());
  for (std::size_t i = 0; i < there.changes.size(); ++i) {
    RC_ASSERT(there.changes[i].before == back.changes[i].after);
    RC_ASSERT(there.changes[i].after == back.changes[i].before);
  }
}

}  // namespace
}  // namespace cloche::lock
