#include "lock/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "definition/fingerprint.h"
#include "lock/testing.h"

namespace cloche::lock {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

definition::Definition definition_of(const std::vector<std::string>& specs) {
  definition::Definition out;
  out.base = definition::ImageBase{.reference = "ubuntu:22.04", .at = {}};
  out.conda.emplace();
  out.conda->channels = {{"conda-forge", {}}};
  int line = 4;
  for (const std::string& spec : specs) {
    ++line;
    out.conda->dependencies.push_back({spec, "", {"environment.yml", line, 5}});
  }
  return out;
}

Lock lock_of(std::vector<conda::PackageRecord> records) {
  Lock out;
  out.virtual_packages = {{"__glibc", "2.36", "0"}, {"__unix", "0", "0"}};
  out.conda.channels = {{"defaults", "https://repo.anaconda.com/pkgs/main"},
                        {"conda-forge", "https://conda.anaconda.org/conda-forge"}};
  for (conda::PackageRecord& record : records) {
    out.conda.packages.push_back({.record = std::move(record)});
  }
  sort(out);
  return out;
}

std::vector<std::string> messages(const Lock& lock, const std::vector<std::string>& specs) {
  std::vector<std::string> out;
  for (const Finding& finding : check(lock, definition_of(specs))) {
    out.push_back(std::string(to_string(finding.kind)) + ": " + finding.message);
  }
  return out;
}

TEST(CheckLock, FindsNothingWhereAllIsWell) {
  EXPECT_THAT(messages(sample_lock(), {"python=3.11", "requests", "__glibc>=2.17"}), IsEmpty());
}

TEST(CheckLock, NamesTheLineThatIsNotMet) {
  const auto findings = check(sample_lock(), definition_of({"python=3.12", "nump"}));
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].message,
            "python=3.12 is not met: python 3.11.10 hc5c86c4_3_cpython is locked");
  EXPECT_EQ(findings[0].at, (Location{"environment.yml", 5, 5}));
  EXPECT_EQ(findings[1].message, "nump is not met: no nump is locked");
}

TEST(CheckLock, FollowsDependencies) {
  const Lock lock = lock_of({sample_record("a", "1", {"b >=2", "c", "__glibc >=2.40", "__cuda"}),
                             sample_record("b", "1.9")});
  EXPECT_THAT(messages(lock, {"a"}),
              ElementsAre("dependency: a 1 h0_0 needs b >=2: b 1.9 h0_0 is locked",
                          "dependency: a 1 h0_0 needs c: no c is locked",
                          "dependency: a 1 h0_0 needs __glibc >=2.40: __glibc 2.36 0 is what the "
                          "target has",
                          "dependency: a 1 h0_0 needs __cuda: the target has no __cuda"));
}

TEST(CheckLock, TakesTheTargetForGrantedWhereAnImportedLockNamesNone) {
  Lock lock = lock_of({sample_record("a", "1", {"__glibc >=2.40"})});
  lock.virtual_packages.clear();
  EXPECT_THAT(messages(lock, {"a"}), IsEmpty());
}

TEST(CheckLock, HoldsConstraintsOnlyAgainstWhatIsThere) {
  conda::PackageRecord a = sample_record("a", "1");
  a.constrains = {"b <2", "absent >5"};
  EXPECT_THAT(messages(lock_of({a, sample_record("b", "1")}), {"a"}), IsEmpty());
  EXPECT_THAT(messages(lock_of({a, sample_record("b", "2")}), {"a"}),
              ElementsAre("constraint: a 1 h0_0 does not go with b 2 h0_0: it allows b <2"));
}

TEST(CheckLock, SeesDuplicatesAndWhatItCannotRead) {
  EXPECT_THAT(messages(lock_of({sample_record("a", "1"), sample_record("a", "2")}), {"a=1"}),
              ElementsAre("duplicate: a is locked 2 times: a 1 h0_0, a 2 h0_0"));
  const auto unreadable = messages(lock_of({sample_record("a", "1", {"b >=>1"})}), {"a", "c=="});
  ASSERT_EQ(unreadable.size(), 2U);
  EXPECT_THAT(unreadable, testing::Each(testing::StartsWith("unreadable: ")));
}

TEST(CheckLock, TakesPatternsFromPeopleOnly) {
  EXPECT_THAT(messages(lock_of({sample_record("a", "1", {"b*"})}), {"a*", "z*"}),
              ElementsAre("request: z* is not met: no z* is locked",
                          "unreadable: a says 'b*', which names no package"));
}

TEST(CheckLock, KnowsChannelsByTheNamesOfTheLock) {
  conda::PackageRecord a = sample_record("a", "1");
  a.channel = "https://repo.anaconda.com/pkgs/main";
  EXPECT_THAT(messages(lock_of({a}), {"defaults::a"}), IsEmpty());
  EXPECT_THAT(messages(lock_of({a}), {"conda-forge::a"}), testing::SizeIs(1));
}

TEST(CheckLock, JudgesConditionsAndExtras) {
  conda::PackageRecord a = sample_record("a", "1", {"b[when=\"python <3.10\"]"});
  a.extra_depends["plot"] = {"c"};
  EXPECT_THAT(messages(lock_of({a, sample_record("python", "3.11")}), {"a"}), IsEmpty());
  EXPECT_THAT(messages(lock_of({a, sample_record("python", "3.9")}), {"a"}), testing::SizeIs(1));
  EXPECT_THAT(messages(lock_of({a}), {"a[extras=[plot]]"}),
              ElementsAre("dependency: a 1 h0_0 needs c: no c is locked"));
}

TEST(CheckLock, KnowsThePlatformsAndTheirSelectors) {
  definition::Definition definition = definition_of({"a", "pywin32"});
  definition.conda->dependencies[1].selector = "win";
  EXPECT_THAT(check(lock_of({sample_record("a", "1")}), definition), IsEmpty());
  definition.conda->platforms = {"osx-arm64"};
  const auto findings = check(lock_of({sample_record("a", "1")}), definition);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, FindingKind::kPlatform);
}

TEST(BindLock, TakesEverythingThatTheDefinitionAsksFor) {
  definition::Definition definition = definition_of({"a", "pywin32"});
  definition.conda->dependencies[1].selector = "win";
  definition.pip.emplace();
  definition.pip->lines = {{definition::PipLine::Kind::kOption, "--pre", {}},
                           {definition::PipLine::Kind::kRequirement, "torch", {}},
                           {definition::PipLine::Kind::kConstraint, "urllib3<2", {}}};
  definition.apt.emplace();
  definition.apt->packages = {{"git", {}}};
  Lock lock = lock_of({sample_record("b", "1"), sample_record("a", "1", {"b"})});
  bind(lock, definition);
  EXPECT_EQ(lock.fingerprint, definition::fingerprint(definition));
  EXPECT_EQ(lock.base_image, (BaseImage{"ubuntu:22.04", ""}));
  EXPECT_THAT(lock.conda.requested, ElementsAre("a", "pip")) << "which pip's part needs";
  EXPECT_THAT(lock.pypi.requirements, ElementsAre("torch"));
  EXPECT_THAT(lock.pypi.constraints, ElementsAre("urllib3<2"));
  EXPECT_THAT(lock.pypi.options, ElementsAre("--pre"));
  EXPECT_FALSE(lock.pypi.locked);
  EXPECT_THAT(lock.debian.requirements, ElementsAre("git"));
  EXPECT_THAT(lock.conda.packages[1].reason.needed_by, ElementsAre("a"));
}

TEST(BindLock, KnowsTheDigestThatAReferenceHolds) {
  definition::Definition definition = definition_of({});
  const std::string digest = "sha256:" + std::string(64, 'a');
  definition.base = definition::ImageBase{.reference = "python@" + digest, .at = {}};
  Lock lock;
  bind(lock, definition);
  EXPECT_EQ(lock.base_image, (BaseImage{"python@" + digest, digest}));
  definition.base = definition::ImageBase{.reference = "python:3.11", .at = {}};
  lock.base_image = BaseImage{"python:3.11", digest};
  bind(lock, definition);
  EXPECT_EQ(lock.base_image->digest, digest) << "what was found out stays";
}

}  // namespace
}  // namespace cloche::lock
