// Sharded repodata as a source of records for the provider: each name is an index of its own.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "source/conda/record_source.h"
#include "source/conda/sharded_index.h"

namespace cloche::source {

// The sharded subdirs of a solve: what one of them is to fetch is fetched for all of them at once,
// so that a level of dependencies costs one round trip, not one for each subdir. One thread; the
// progress outlives it.
class ShardGroup {
 public:
  ShardGroup(std::stop_token stop, Progress& progress)
      : stop_(std::move(stop)), progress_(progress) {}

  ShardedIndex& add(ShardedIndex index);
  Status prefetch(std::span<const std::string_view> names);

 private:
  std::stop_token stop_;
  Progress& progress_;
  std::vector<std::unique_ptr<ShardedIndex>> indexes_;
  std::set<std::string, std::less<>> asked_;  // of all of them
};

// What a record source points to lives as long as the source.
class ShardedSource : public RecordSource {
 public:
  // The group is shared by its sources, of which none is the last to go.
  ShardedSource(std::shared_ptr<ShardGroup> group, ShardedIndex index)
      : group_(std::move(group)), shards_(group_->add(std::move(index))) {}

  Status prefetch(std::span<const std::string_view> names) override {
    return group_->prefetch(names);
  }
  Result<Found> records_of(std::string_view name) override;
  std::vector<std::string_view> names() override { return shards_.names(); }

  const ShardedIndex& shards() const { return shards_; }

 private:
  std::shared_ptr<ShardGroup> group_;
  ShardedIndex& shards_;                                       // in the group
  std::map<std::string, RepodataIndex, std::less<>> indexes_;  // nodes stay where they are
};

}  // namespace cloche::source
