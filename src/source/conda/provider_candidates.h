// The candidates of a name, the most wanted first: docs/formats/solving.md, "conda". For the files
// of the provider only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "package/conda/record.h"
#include "source/conda/provider_tables.h"

namespace cloche::source::conda_solving {

class Candidates {
 public:
  explicit Candidates(Tables& tables);

  // Fills the name's row, once.
  Status load(resolve::NameId id);
  // The names that are about to be loaded: their channels may fetch them together.
  Status prefetch(std::span<const resolve::NameId> wanted);

  // What still tells tied candidates apart, greatest first: one order whatever their records'.
  std::tuple<bool, std::int64_t, std::string_view, std::string_view> late_key(
      const SolvableRow& one) const;

 private:
  struct SortKey;

  Status find_records(resolve::NameId id, std::vector<SolvableRow>& out);
  void order_versions(NameRow& name, std::vector<SolvableRow>& found) const;
  bool is_favoured(const SolvableRow& one, std::string_view name) const;
  SortKey sort_key(const SolvableRow& one, const NameRow& name) const;
  void add_virtual_package(resolve::NameId id, NameRow& name,
                           std::vector<SolvableRow>& found) const;
  Status load_extra(resolve::NameId id);

  Tables& tables_;
  std::unordered_map<std::string_view, std::vector<const conda::PackageRecord*>> favoured_;
};

}  // namespace cloche::source::conda_solving
