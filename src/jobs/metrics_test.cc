#include "jobs/metrics.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/testing.h"

namespace cloche::jobs {
namespace {

Metrics read(const std::string& text, std::uint64_t* skipped = nullptr) {
  MetricsReader reader;
  for (const char c : text) {
    reader.feed(std::string_view(&c, 1));  // in the smallest parts there are
  }
  reader.finish();
  if (skipped != nullptr) {
    *skipped = reader.skipped();
  }
  return reader.metrics();
}

TEST(Metrics, ReadsBothForms) {
  const Metrics metrics = read(
      "{\"loss\": 0.5, \"accuracy\": 1, \"step\": 3, \"time\": 99}\n"
      "{\"name\": \"loss\", \"value\": 0.25}\n");
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics.at("loss")[0].step, 3);
  EXPECT_EQ(metrics.at("loss")[1].step, 1);
  EXPECT_EQ(metrics.at("loss")[1].value, 0.25);
  EXPECT_EQ(metrics.at("accuracy")[0].value, 1);
}

TEST(Metrics, LeavesOutWhatIsNone) {
  std::uint64_t skipped = 0;
  const Metrics metrics = read("not json\n[1]\n{\"loss\": \"high\"}\n{\"name\": \"x\"}\n\n" +
                                   std::string(100'000, 'x') + "\n{\"loss\": 1}",
                               &skipped);
  EXPECT_EQ(metrics.size(), 1U);
  EXPECT_EQ(metrics.at("loss").size(), 1U);
  EXPECT_EQ(skipped, 4U);
}

TEST(Metrics, ManyValuesAreThinnedEvenly) {
  MetricsReader reader(1000);
  for (int i = 0; i < 2500; ++i) {
    reader.feed("{\"x\":" + std::to_string(i) + "}\n");
  }
  const auto& points = reader.metrics().at("x");
  EXPECT_LT(points.size(), 1000U);
  EXPECT_EQ(points.front().value, 0);
  EXPECT_NEAR(points.back().value, 2500, 10);
}

TEST(Sparkline, EndsWhereTheMetricDoes) {
  std::vector<MetricPoint> points;
  for (int i = 0; i <= 7; ++i) {
    points.push_back({static_cast<double>(i), static_cast<double>(i)});
  }
  EXPECT_EQ(sparkline(points, 40), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline(points, 2), "▄█");
  EXPECT_EQ(sparkline({{0, 5}, {1, 5}}, 8), "▅▅");
  EXPECT_EQ(sparkline({{0, NAN}, {1, 5}}, 8), " ▅");
  EXPECT_EQ(sparkline({}, 8), "");
}

TEST(Metrics, ALinkIsNotFollowed) {
  const auto directory = io::test_directory();
  std::ofstream(directory.path() + "/other") << "{\"x\":1}\n";
  std::filesystem::create_directories(directory.path() + "/outputs");
  std::filesystem::create_symlink("../other", directory.path() + "/outputs/metrics.jsonl");
  EXPECT_TRUE(read_metrics(directory.path() + "/outputs").value().empty());
}

}  // namespace
}  // namespace cloche::jobs
