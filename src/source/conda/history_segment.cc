#include "source/conda/history_segment.h"

#include <string>
#include <utility>

#include "core/files.h"
#include "source/conda/prefix_record.h"

namespace cloche::source {
namespace {

constexpr std::int64_t kMsInSecond = 1000;

std::string history_of(const std::vector<conda::PackageRecord>& packages) {
  // No version of ours: another one shall not make another image.
  HistoryEntry entry{.time_ms = blob::kFixedTime * kMsInSecond,
                     .command = "cloche env build",
                     .tool = "cloche",
                     .linked = {},
                     .specs = {}};
  for (const conda::PackageRecord& one : packages) {
    entry.linked.push_back(history_name(one));
  }
  return history_block(entry);
}

}  // namespace

Result<blob::Segment> history_segment(const std::vector<conda::PackageRecord>& packages,
                                      const SegmentOptions& options, blob::SegmentStore& store,
                                      io::ThreadPool& pool, Progress& progress,
                                      const std::stop_token& stop) {
  const std::string text = history_of(packages);
  blob::SegmentKey key("conda-history", options.compression);
  key.add("prefix", options.prefix).add("content", Digest::of(text).to_string());
  const auto make = [&]() -> Result<blob::Segment> {
    blob::SegmentWriter segment =
        TRY(blob::SegmentWriter::create(store.blobs(), options.compression, pool));
    TRY(segment.file(join_path(options.prefix.substr(1), "conda-meta/history"), text));
    return std::move(segment).finish();
  };
  return TRY(store.find_or_make(key, "making the history of the packages", make, stop, progress))
      .segment;
}

}  // namespace cloche::source
