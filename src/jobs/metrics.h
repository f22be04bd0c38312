// What a job measured: the lines of its outputs/metrics.jsonl.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::jobs {

struct MetricPoint {
  double step = 0;  // as written, else the number of the value, from 0
  double value = 0;
};

// By name; each in the order of the file.
using Metrics = std::map<std::string, std::vector<MetricPoint>>;

// A line is a JSON object of numbers, {"loss": 0.5, "step": 3, "time": 1732.5}, or names one value:
// {"name": "loss", "value": 0.5, "step": 3}. Other lines and values are left out and counted. At
// most 1000 names; of a name with more than `most_points` values every second one is kept, again
// and again. Pure: feed() takes the file in parts.
class MetricsReader {
 public:
  explicit MetricsReader(std::size_t most_points = 100'000) : most_points_(most_points) {}

  void feed(std::string_view bytes);
  void finish();  // a last line without its end

  const Metrics& metrics() const { return metrics_; }
  std::uint64_t skipped() const { return skipped_; }

 private:
  void line(std::string_view text);
  void add(const std::string& name, double value, const double* step);

  struct Thinning {
    std::uint64_t seen = 0;
    std::uint64_t keep_every = 1;
  };
  std::size_t most_points_;
  Metrics metrics_;
  std::map<std::string, Thinning> thinning_;
  std::string pending_;
  bool too_long_ = false;
  std::uint64_t skipped_ = 0;
};

// The metrics of a run directory; none where the job wrote none. A link is not followed.
Result<Metrics> read_metrics(const std::string& outputs);

// The values as one line of at most `width` block characters; values that are not finite are gaps.
std::string sparkline(const std::vector<MetricPoint>& points, std::size_t width);

}  // namespace cloche::jobs
