// conda-meta/history of an environment in an image: by this file conda knows a prefix as its own.
#pragma once

#include <stop_token>
#include <vector>

#include "blob/segment_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "package/conda/record.h"
#include "source/conda/package_segment.h"

namespace cloche::source {

// A segment with that file alone: one action that linked the packages, at the fixed time. What was
// asked for is not in it: environments that ask otherwise and get the same packages share an image.
Result<blob::Segment> history_segment(const std::vector<conda::PackageRecord>& packages,
                                      const SegmentOptions& options, blob::SegmentStore& store,
                                      io::ThreadPool& pool, Progress& progress,
                                      const std::stop_token& stop = {});

}  // namespace cloche::source
