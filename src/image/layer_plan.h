// Which segments stand together in a layer. docs/decisions/0019-*.md has what was measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cloche::image {

struct PlannedSegment {
  std::string name;              // the package's; what decides, with the size, where it stands
  std::uint64_t size_bytes = 0;  // compressed
};

struct LayerLimits {
  std::size_t layers = 80;         // in all; an engine takes about 127 with the base's
  std::size_t shared_layers = 16;  // of them, for the many small packages together
};

// The largest segments have a layer of their own; of the others, those whose names hash alike share
// one. So a changed package re-sends itself and at most a few small neighbours, and two
// environments with mostly the same packages have mostly the same layers. Indexes into `segments`;
// within a layer by name; layers of one segment first, by name, then shared ones. The answer does
// not depend on the order of `segments`.
std::vector<std::vector<std::size_t>> plan_layers(std::span<const PlannedSegment> segments,
                                                  const LayerLimits& limits = {});

}  // namespace cloche::image
