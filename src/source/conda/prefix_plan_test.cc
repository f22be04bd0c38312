#include "source/conda/prefix_plan.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "core/files.h"

namespace cloche::source {
namespace {

using testing::ElementsAre;

PlacedPath placed(const std::string& path, PathType type = PathType::kHardlink) {
  PlacedPath one;
  one.path = path;
  one.entry.path = path;
  one.entry.type = type;
  return one;
}

TEST(PrefixPlan, WithoutConflictsEverythingIsInTheFirstRound) {
  const std::vector<PlacedPath> a = {placed("bin/a"), placed("lib", PathType::kDirectory)};
  const std::vector<PlacedPath> b = {placed("bin/b"), placed("lib/b")};
  const PrefixPlan plan({{"a", &a}, {"b", &b}});
  EXPECT_TRUE(plan.owns(0, "bin/a"));
  EXPECT_FALSE(plan.owns(1, "bin/a"));
  EXPECT_TRUE(plan.is_directory("lib"));
  EXPECT_EQ(plan.round(0) + plan.round(1), 0U);
  EXPECT_EQ(plan.owner("nothing"), -1);
  EXPECT_THAT(plan.clobbers(), testing::IsEmpty());
}

TEST(PrefixPlan, WhoWritesThroughALinkComesAfterIt) {
  const std::vector<PlacedPath> a = {placed("lib64", PathType::kSoftlink)};
  const std::vector<PlacedPath> b = {placed("lib64/b"), placed("opt", PathType::kSoftlink)};
  const std::vector<PlacedPath> c = {placed("opt/c")};
  const PrefixPlan plan({{"a", &a}, {"b", &b}, {"c", &c}});
  EXPECT_EQ(plan.round(0), 0U);
  EXPECT_EQ(plan.round(1), 1U);
  EXPECT_EQ(plan.round(2), 2U);
  EXPECT_THAT(plan.clobbers(), testing::IsEmpty());
}

TEST(PrefixPlan, ALaterLinkTakesTheDirectorysPlace) {
  const std::vector<PlacedPath> a = {placed("lib64/a"), placed("lib64/b")};
  const std::vector<PlacedPath> b = {placed("lib64", PathType::kSoftlink)};
  const PrefixPlan plan({{"a", &a}, {"b", &b}});
  EXPECT_THAT(plan.clobbers(),
              ElementsAre(Clobber{"lib64/a", "b", {"a"}}, Clobber{"lib64/b", "b", {"a"}}));
}

// Files written one package after another, as the plan promises to be like.
class Model {
 public:
  void write(std::size_t package, const std::string& path) {
    for (std::string parent = parent_path(path); !parent.empty(); parent = parent_path(parent)) {
      owners_.erase(parent);
    }
    std::erase_if(owners_, [&](const auto& one) { return one.first.starts_with(path + "/"); });
    owners_[path] = package;
  }
  const std::map<std::string, std::size_t>& owners() const { return owners_; }

 private:
  std::map<std::string, std::size_t> owners_;
};

RC_GTEST_PROP(PrefixPlan, IsLikeWritingOnePackageAfterAnother, ()) {
  // Few names, so that files and directories of one name come up all the time.
  const auto path = rc::gen::element(std::string("a"), std::string("b"), std::string("a/a"),
                                     std::string("a/b"), std::string("b/a"), std::string("a/a/a"),
                                     std::string("a/b/c"), std::string("ab"), std::string("b/a/c"));
  const auto several = *rc::gen::container<std::vector<std::vector<std::string>>>(
      rc::gen::container<std::vector<std::string>>(path));
  std::vector<std::vector<PlacedPath>> all;
  Model model;
  std::set<std::string> every;
  for (const std::vector<std::string>& some : several) {
    const std::set<std::string> names(some.begin(), some.end());
    all.emplace_back();
    for (const std::string& name : names) {
      // Within a package nothing lies below a file: its reader refuses that.
      const bool below_file = std::ranges::any_of(
          names, [&](const std::string& other) { return name.starts_with(other + "/"); });
      if (!below_file) {
        all.back().push_back(placed(name));
        model.write(all.size() - 1, name);
        every.insert(name);
      }
    }
  }
  std::vector<PrefixPlan::Package> packages;
  for (const std::vector<PlacedPath>& paths : all) {
    packages.push_back({"p", &paths});
  }
  const PrefixPlan plan(packages);
  std::size_t claimed = 0;
  for (const std::string& name : every) {
    const auto expected = model.owners().find(name);
    RC_ASSERT(
        plan.owner(name) ==
        (expected == model.owners().end() ? -1 : static_cast<std::ptrdiff_t>(expected->second)));
  }
  for (const std::vector<PlacedPath>& paths : all) {
    claimed += paths.size();
  }
  std::size_t lost = 0;
  for (const Clobber& clobber : plan.clobbers()) {
    lost += clobber.losers.size();
  }
  RC_ASSERT(claimed == lost + model.owners().size());  // each loss is reported once
}

}  // namespace
}  // namespace cloche::source
