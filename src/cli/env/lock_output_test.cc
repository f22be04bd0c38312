#include "cli/env/lock_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "lock/testing.h"

namespace cloche::cli {
namespace {

using testing::HasSubstr;

TEST(LockOutput, ShowsALock) {
  const Json record = lock_record(lock::sample_lock());
  EXPECT_EQ(record["package_count"].as_integer(), 4);
  EXPECT_EQ(record["packages"].items()[0].string_or_empty("channel"), "conda-forge");
  EXPECT_EQ(lock_text(record, {}),
            "NAME      VERSION    BUILD               CHANNEL      SIZE    WHY\n"
            "certifi   2024.8.30  pyhd8ed1ab_0        conda-forge  1.0 kB  for requests\n"
            "openssl   3.4.0      hb9d3cd8_0          conda-forge  1.0 kB  for python\n"
            "python    3.11.10    hc5c86c4_3_cpython  conda-forge  1.0 kB  python=3.11\n"
            "requests  2.32.3     pyhd8ed1ab_1        conda-forge  1.0 kB  requests\n"
            "not locked: pip torch==2.3.1\n"
            "4 packages, 4.0 kB, linux-64\n");
}

TEST(LockOutput, HasTheSameKeysForEveryPackage) {
  lock::Lock lock = lock::sample_lock();
  lock.pypi.packages.push_back({.name = "torch", .version = "2.3.1"});
  const Json record = lock_record(lock);
  const auto keys = [](const Json& json) {
    std::vector<std::string> out;
    for (const auto& [key, value] : json.members()) {
      out.push_back(key);
    }
    return out;
  };
  const Json::Array& packages = record["packages"].items();
  EXPECT_EQ(keys(packages.front()), keys(packages.back()));
  EXPECT_THAT(lock_text(record, {}), HasSubstr("torch     2.3.1"));
}

TEST(LockOutput, ShowsWhatChanged) {
  const lock::Lock before = lock::sample_lock();
  lock::Lock after = before;
  after.conda.packages[0].record.version = "2025.1.1";
  after.conda.packages[1].record.build = "hb9d3cd8_1";
  after.conda.packages[2].record.sha256 = std::string(64, '0');
  after.conda.packages.pop_back();
  const Json record = lock_diff_record(lock::diff(before, after));
  EXPECT_EQ(lock_diff_text(record, {}),
            "CHANGE    NAME      BEFORE                                          AFTER\n"
            "upgraded  certifi   2024.8.30                                       2025.1.1\n"
            "rebuilt   openssl   3.4.0 hb9d3cd8_0                                3.4.0 hb9d3cd8_1\n"
            "rebuilt   python    3.11.10 hc5c86c4_3_cpython sha256 78d2bbfd4116  3.11.10 "
            "hc5c86c4_3_cpython sha256 000000000000\n"
            "removed   requests  2.32.3\n"
            "4 changed, 0 as before\n");
  EXPECT_TRUE(record["changes"].items().back()["after"].is_null());
  EXPECT_EQ(lock_diff_text(lock_diff_record({}), {}), "nothing changed\n");
}

TEST(LockOutput, ShowsWhatACheckFound) {
  const std::vector<lock::Finding> findings = {
      {.kind = lock::FindingKind::kRequest,
       .package = "",
       .spec = "numpy>=2",
       .message = "numpy>=2 is not met: no numpy is locked",
       .hint = "lock again",
       .at = {"environment.yml", 5, 5}},
      {.kind = lock::FindingKind::kDependency,
       .package = "a",
       .spec = "b\x1b",
       .message = "a needs b\x1b: no b is locked",
       .hint = "lock again",
       .at = {}}};
  const Json record = findings_record(findings);
  EXPECT_EQ(findings_text(record, {}),
            "environment.yml:5:5: error: numpy>=2 is not met: no numpy is locked\n"
            "error: a needs b\\x1b: no b is locked\n"
            "hint: lock again\n");
  EXPECT_EQ(record.items()[0].string_or_empty("kind"), "request");
  EXPECT_TRUE(record.items()[1]["line"].is_null());
  EXPECT_EQ(findings_text(Json::array(), {}), "");
}

}  // namespace
}  // namespace cloche::cli
