#include "source/conda/sharded_source.h"

#include "source/conda/repodata_index_builder.h"

namespace cloche::source {

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
