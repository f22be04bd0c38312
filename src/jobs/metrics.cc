#include "jobs/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/json.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"

namespace cloche::jobs {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;
constexpr std::size_t kMaxNames = 1000;

bool as_number(const Json& json, double& out) {
  if (json.is_integer()) {
    out = static_cast<double>(json.as_integer());
    return true;
  }
  if (json.is_double()) {
    out = json.as_double();
    return true;
  }
  return false;
}

}  // namespace

void MetricsReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (pending_.size() + part.size() > kMaxLine) {
      too_long_ = true;
      pending_.clear();
    } else {
      pending_ += part;
    }
    if (end == std::string_view::npos) {
      return;
    }
    finish();
    bytes.remove_prefix(end + 1);
  }
}

void MetricsReader::finish() {
  if (too_long_) {
    ++skipped_;
  } else if (!trim(pending_).empty()) {
    line(pending_);
  }
  pending_.clear();
  too_long_ = false;
}

void MetricsReader::line(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_object()) {
    ++skipped_;
    return;
  }
  double step = 0;
  const double* const known_step = as_number((*json)["step"], step) ? &step : nullptr;
  double value = 0;
  if ((*json)["name"].is_string()) {
    if (as_number((*json)["value"], value)) {
      add((*json)["name"].as_string(), value, known_step);
    } else {
      ++skipped_;
    }
    return;
  }
  for (const auto& [name, one] : json->members()) {
    if (name != "step" && name != "time" && as_number(one, value)) {
      add(name, value, known_step);
    }
  }
}

void MetricsReader::add(const std::string& name, double value, const double* step) {
  if (!metrics_.contains(name) && metrics_.size() >= kMaxNames) {
    ++skipped_;
    return;
  }
  std::vector<MetricPoint>& points = metrics_[name];
  Thinning& thinning = thinning_[name];
  const std::uint64_t number = thinning.seen++;
  if (number % thinning.keep_every != 0) {
    return;
  }
  points.push_back({step != nullptr ? *step : static_cast<double>(number), value});
  if (points.size() >= most_points_) {
    for (std::size_t i = 0; 2 * i < points.size(); ++i) {
      points[i] = points[2 * i];
    }
    points.resize((points.size() + 1) / 2);
    thinning.keep_every *= 2;
  }
}

Result<Metrics> read_metrics(const std::string& outputs) {
  const auto tree = io::DirectoryTree::open(outputs);
  if (!tree) {
    return tree.error().kind == ErrorKind::kNotFound ? Result<Metrics>(Metrics())
                                                     : Result<Metrics>(tree.error());
  }
  auto file = tree->open_file("metrics.jsonl");
  if (!file) {
    return Metrics();
  }
  MetricsReader reader;
  std::vector<char> buffer(std::size_t{1} << 18U);
  while (const std::size_t count =
             TRY(io::read_some(*file, buffer.data(), buffer.size(), "metrics.jsonl"))) {
    reader.feed(std::string_view(buffer.data(), count));
  }
  reader.finish();
  return reader.metrics();
}

std::string sparkline(const std::vector<MetricPoint>& points, std::size_t width) {
  static constexpr std::array<std::string_view, 8> kBlocks = {"▁", "▂", "▃", "▄",
                                                              "▅", "▆", "▇", "█"};
  double low = HUGE_VAL;
  double high = -HUGE_VAL;
  for (const MetricPoint& point : points) {
    if (std::isfinite(point.value)) {
      low = std::min(low, point.value);
      high = std::max(high, point.value);
    }
  }
  std::string out;
  const std::size_t cells = std::min(width, points.size());
  for (std::size_t cell = 0; cell < cells; ++cell) {
    // The last value of each cell, so that the line ends where the metric does.
    const double value = points[((cell + 1) * points.size() / cells) - 1].value;
    if (!std::isfinite(value)) {
      out += ' ';
      continue;
    }
    const double part = high > low ? (value - low) / (high - low) : 0.5;
    out += kBlocks.at(std::min<std::size_t>(7, static_cast<std::size_t>(part * 8)));
  }
  return out;
}

}  // namespace cloche::jobs
