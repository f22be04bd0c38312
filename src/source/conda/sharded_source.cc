#include "source/conda/sharded_source.h"

#include "source/conda/repodata_index_builder.h"

namespace cloche::source {

ShardedIndex& ShardGroup::add(ShardedIndex index) {
  asked_.clear();  // the new one was not asked
  indexes_.push_back(std::make_unique<ShardedIndex>(std::move(index)));
  return *indexes_.back();
}

Status ShardGroup::prefetch(std::span<const std::string_view> names) {
  std::vector<std::string_view> wanted;
  for (const std::string_view name : names) {
    if (asked_.find(name) == asked_.end()) {
      wanted.push_back(name);
    }
  }
  std::vector<ShardedIndex*> all;
  all.reserve(indexes_.size());
  for (const auto& index : indexes_) {
    all.push_back(index.get());
  }
  TRY(ShardedIndex::prefetch(all, wanted, stop_, progress_));
  asked_.insert(wanted.begin(), wanted.end());
  return {};
}

Result<RecordSource::Found> ShardedSource::records_of(std::string_view name) {
  auto found = indexes_.find(name);
  if (found == indexes_.end()) {
    if (!shards_.contains(name)) {
      return Found{};
    }
    RepodataIndexBuilder builder;
    builder.set_subdir(shards_.file().subdir);
    builder.set_base_url(shards_.base_url());
    const std::vector<conda::PackageRecord> records = TRY(shards_.records(name));
    for (const conda::PackageRecord& record : records) {
      builder.add(record);
    }
    found = indexes_.emplace(name, TRY(std::move(builder).finish())).first;
  }
  return Found{&found->second, found->second.records_of(name)};
}

}  // namespace cloche::source
