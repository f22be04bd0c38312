#include "image/layer_plan.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cloche::image {
namespace {

std::vector<PlannedSegment> packages(std::size_t count) {
  std::vector<PlannedSegment> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({"package-" + std::to_string(i), i * i * 100});
  }
  return out;
}

std::set<std::set<std::string>> names(const std::vector<PlannedSegment>& segments,
                                      const LayerLimits& limits = {}) {
  std::set<std::set<std::string>> out;
  for (const auto& layer : plan_layers(segments, limits)) {
    std::set<std::string> members;
    for (const std::size_t i : layer) {
      members.insert(segments[i].name);
    }
    out.insert(members);
  }
  return out;
}

TEST(LayerPlan, FewSegmentsHaveALayerEach) {
  const auto plan = plan_layers(packages(80));
  EXPECT_EQ(plan.size(), 80U);
  EXPECT_TRUE(plan_layers({}).empty());
}

TEST(LayerPlan, TheLargestStandAloneAndTheRestShares) {
  const auto segments = packages(300);
  const auto plan = plan_layers(segments);
  ASSERT_LE(plan.size(), 80U);
  for (std::size_t i = 0; i < 64; ++i) {
    ASSERT_EQ(plan[i].size(), 1U);
    EXPECT_GE(plan[i][0], 300U - 64U);
  }
}

TEST(LayerPlan, OneMorePackageTouchesOneSharedLayer) {
  auto segments = packages(300);
  const auto before = names(segments);
  segments.push_back({"one-more", 10});
  const auto after = names(segments);
  std::vector<std::set<std::string>> changed;
  std::ranges::set_difference(after, before, std::back_inserter(changed));
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_TRUE(changed[0].contains("one-more"));
}

TEST(LayerPlan, KeepsToSmallLimits) {
  EXPECT_EQ(plan_layers(packages(50), {.layers = 1, .shared_layers = 16}).size(), 1U);
  EXPECT_LE(plan_layers(packages(50), {.layers = 5, .shared_layers = 3}).size(), 5U);
}

RC_GTEST_PROP(LayerPlanProperty, EverySegmentStandsOnceWhateverTheirOrder, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(0, 200);
  auto segments = packages(count);
  const auto limits =
      LayerLimits{*rc::gen::inRange<std::size_t>(1, 100), *rc::gen::inRange<std::size_t>(1, 40)};
  const auto before = names(segments, limits);
  std::size_t total = 0;
  for (const auto& members : before) {
    total += members.size();
  }
  RC_ASSERT(total == count);
  RC_ASSERT(before.size() <= std::max<std::size_t>(limits.layers, 1));
  std::ranges::reverse(segments);
  RC_ASSERT(names(segments, limits) == before);
}

}  // namespace
}  // namespace cloche::image
