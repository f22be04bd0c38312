// Sharded repodata as a source of records for the provider: each name is an index of its own.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "source/conda/record_source.h"
#include "source/conda/sharded_index.h"

namespace cloche::source {

// One thread; the progress outlives it. What a record source points to lives as long as the source.
class ShardedSource : public RecordSource {
 public:
  ShardedSource(ShardedIndex index, std::stop_token stop, Progress& progress)
      : shards_(std::move(index)), stop_(std::move(stop)), progress_(progress) {}

  Status prefetch(std::span<const std::string_view> names) override {
    return shards_.prefetch(names, stop_, progress_);
  }
  Result<Found> records_of(std::string_view name) override;
  std::vector<std::string_view> names() override { return shards_.names(); }

  const ShardedIndex& shards() const { return shards_; }

 private:
  ShardedIndex shards_;
  std::stop_token stop_;
  Progress& progress_;
  std::map<std::string, RepodataIndex, std::less<>> indexes_;  // nodes stay where they are
};

}  // namespace cloche::source
