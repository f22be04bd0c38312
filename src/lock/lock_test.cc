#include "lock/lock.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lock/testing.h"

namespace cloche::lock {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Lock lock_of(std::vector<conda::PackageRecord> records) {
  Lock out;
  for (conda::PackageRecord& record : records) {
    out.conda.packages.push_back({.record = std::move(record)});
  }
  return out;
}

std::vector<std::string> names_in_order(const Lock& lock) {
  std::vector<std::string> out;
  for (const std::size_t place : install_order(lock)) {
    out.push_back(lock.conda.packages[place].record.name);
  }
  return out;
}

TEST(DependencyName, IsWhatTheSpecIsAbout) {
  EXPECT_EQ(dependency_name("python"), "python");
  EXPECT_EQ(dependency_name("python >=3.11,<3.12.0a0"), "python");
  EXPECT_EQ(dependency_name("__glibc >=2.17"), "__glibc");
  EXPECT_EQ(dependency_name("python_abi 3.11.* *_cp311"), "python_abi");
  EXPECT_EQ(dependency_name("python=3.11"), "python");
  EXPECT_EQ(dependency_name("conda-forge::numpy[version='>=1']"), "numpy");
  EXPECT_EQ(dependency_name("PyYAML>=5"), "pyyaml");
  EXPECT_EQ(dependency_name(""), "");
  EXPECT_EQ(dependency_name("=="), "");
}

TEST(Why, NamesTheSpecsAndThePackagesThatNeedOne) {
  const auto reasons = why(sample_lock());
  EXPECT_THAT(reasons.at("python").requested, ElementsAre("python=3.11"));
  EXPECT_THAT(reasons.at("python").needed_by, ElementsAre("certifi", "requests"));
  EXPECT_THAT(reasons.at("openssl").requested, IsEmpty());
  EXPECT_THAT(reasons.at("openssl").needed_by, ElementsAre("python"));
  EXPECT_FALSE(reasons.contains("__glibc"));
}

TEST(InstallOrder, PutsEachAfterWhatItNeeds) {
  EXPECT_THAT(names_in_order(sample_lock()),
              ElementsAre("openssl", "python", "certifi", "requests"));
}

TEST(InstallOrder, PutsPythonBeforePipAndNoarchPackagesThatDoNotNameIt) {
  conda::PackageRecord noarch = sample_record("attrs", "1");
  noarch.noarch = conda::Noarch::kPython;
  const Lock lock =
      lock_of({noarch, sample_record("pip", "24", {"python", "wheel"}),
               sample_record("python", "3.8", {"pip"}), sample_record("wheel", "1", {"python"})});
  EXPECT_THAT(names_in_order(lock), ElementsAre("python", "attrs", "wheel", "pip"));
}

TEST(InstallOrder, BreaksCirclesTheSameWayWhateverTheOrderGiven) {
  std::vector<conda::PackageRecord> records = {sample_record("a", "1", {"b"}),
                                               sample_record("b", "1", {"c"}),
                                               sample_record("c", "1", {"a", "c"})};
  do {
    EXPECT_THAT(names_in_order(lock_of(records)), ElementsAre("c", "b", "a"));
  } while (std::ranges::next_permutation(records, {}, &conda::PackageRecord::name).found);
}

TEST(InstallOrder, HasNoTroubleWithALongChain) {
  std::vector<conda::PackageRecord> records;
  for (int i = 0; i < 20'000; ++i) {
    records.push_back(sample_record("p" + std::to_string(i), "1", {"p" + std::to_string(i + 1)}));
  }
  const Lock lock = lock_of(std::move(records));
  EXPECT_EQ(install_order(lock).front(), 19'999U);
}

RC_GTEST_PROP(InstallOrderProperty, HoldsEveryDependencyWithoutCircles, ()) {
  const int count = *rc::gen::inRange(1, 12);
  std::vector<conda::PackageRecord> records;
  for (int i = 0; i < count; ++i) {
    std::vector<std::string> depends;
    for (const int j : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, count))) {
      if (j < i) {
        depends.push_back("p" + std::to_string((j * 7) % 13));
      }
    }
    records.push_back(sample_record("p" + std::to_string((i * 7) % 13), "1", depends));
  }
  const Lock lock = lock_of(records);
  const auto order = install_order(lock);
  RC_ASSERT(order.size() == records.size());
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[records[order[i]].name] = i;
  }
  for (const conda::PackageRecord& record : records) {
    for (const std::string& needed : record.depends) {
      RC_ASSERT(place.at(needed) < place.at(record.name));
    }
  }
}

TEST(DigestOf, DoesNotDependOnTheOrderThatPackagesAreGivenIn) {
  Lock lock = sample_lock();
  const Digest digest = digest_of(lock);
  std::ranges::reverse(lock.conda.packages);
  std::ranges::reverse(lock.virtual_packages);
  EXPECT_EQ(digest_of(lock), digest);
  lock.conda.packages[0].record.build_number += 1;
  EXPECT_NE(digest_of(lock), digest);
}

TEST(ContentsDigest, IsTheSameForDefinitionsThatLeadToTheSamePackages) {
  Lock lock = sample_lock();
  const Digest digest = contents_digest_of(lock);
  Lock other = lock;
  other.fingerprint = std::string(32, '0');
  other.conda.requested = {"requests", "python 3.11.*"};
  set_reasons(other);
  EXPECT_NE(digest_of(other), digest_of(lock));
  EXPECT_EQ(contents_digest_of(other), digest);
  other.pypi.requirements.pop_back();
  EXPECT_NE(contents_digest_of(other), digest);
  lock.base_image->digest = Digest::of("an image").to_string();
  EXPECT_NE(contents_digest_of(lock), digest);
}

TEST(PackagesDigest, IsTheSameOnAnyBase) {
  Lock lock;
  lock.base_image = BaseImage{"ubuntu:22.04", ""};
  lock.conda.packages.emplace_back().record.name = "python";
  Lock other = lock;
  other.base_image = BaseImage{"debian:12", ""};
  EXPECT_NE(contents_digest_of(other), contents_digest_of(lock));
  EXPECT_EQ(packages_digest_of(other), packages_digest_of(lock));
  other.conda.packages[0].record.version = "3.12";
  EXPECT_NE(packages_digest_of(other), packages_digest_of(lock));
}

TEST(TargetDigest, IgnoresTheOrder) {
  const VirtualPackage glibc = {"__glibc", "2.36", "0"};
  const VirtualPackage cuda = {"__cuda", "12.4", "0"};
  EXPECT_EQ(target_digest_of({glibc, cuda}), target_digest_of({cuda, glibc}));
  EXPECT_NE(target_digest_of({glibc, cuda}), target_digest_of({glibc}));
}

}  // namespace
}  // namespace cloche::lock
