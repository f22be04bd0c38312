// Where the provider finds the records of a package: one subdir of one channel.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "source/conda/repodata_index.h"

namespace cloche::source {

// One thread. What a call points to lives as long as the source.
class RecordSource {
 public:
  struct Found {
    const RepodataIndex* index = nullptr;  // null: nothing of that name
    std::span<const RepodataIndex::Record> records;
  };

  virtual ~RecordSource() = default;

  // The names that are about to be asked for, to fetch them together.
  virtual Status prefetch(std::span<const std::string_view> /*names*/) { return {}; }
  virtual Result<Found> records_of(std::string_view name) = 0;
  // Every name there is, in any order.
  virtual std::vector<std::string_view> names() = 0;
};

// All records in one index.
class IndexSource : public RecordSource {
 public:
  explicit IndexSource(RepodataIndex index) : index_(std::move(index)) {}

  Result<Found> records_of(std::string_view name) override {
    return Found{&index_, index_.records_of(name)};
  }
  std::vector<std::string_view> names() override;

 private:
  RepodataIndex index_;
};

}  // namespace cloche::source
