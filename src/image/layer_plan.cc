#include "image/layer_plan.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/digest.h"

namespace cloche::image {

namespace {

// The same for a name on every machine and in every environment.
std::size_t shared_layer_of(const std::string& name, std::size_t count) {
  constexpr std::size_t kDigits = 8;
  return std::stoul(Digest::of(name).hex().substr(0, kDigits), nullptr, 16) % count;
}

}  // namespace

std::vector<std::vector<std::size_t>> plan_layers(std::span<const PlannedSegment> segments,
                                                  const LayerLimits& limits) {
  std::vector<std::size_t> order;
  order.reserve(segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    order.push_back(i);
  }
  const std::size_t shared_count =
      std::clamp<std::size_t>(limits.shared_layers, 1, std::max<std::size_t>(1, limits.layers));
  const bool all_alone = segments.size() <= limits.layers;
  const std::size_t alone =
      all_alone ? segments.size() : std::max(limits.layers, shared_count) - shared_count;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::tie(segments[b].size_bytes, segments[a].name) <
           std::tie(segments[a].size_bytes, segments[b].name);
  });
  const auto by_name = [&](std::size_t i) -> const std::string& { return segments[i].name; };
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(alone),
            [&](std::size_t a, std::size_t b) { return by_name(a) < by_name(b); });

  std::vector<std::vector<std::size_t>> out;
  std::map<std::size_t, std::vector<std::size_t>> shared;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i < alone) {
      out.push_back({order[i]});
    } else {
      shared[shared_layer_of(segments[order[i]].name, shared_count)].push_back(order[i]);
    }
  }
  for (auto& [number, members] : shared) {
    std::ranges::sort(members, {}, by_name);
    out.push_back(std::move(members));
  }
  return out;
}

}  // namespace cloche::image
