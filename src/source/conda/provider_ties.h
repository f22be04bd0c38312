// Candidates of a name with the same version and build number, told apart by their dependencies.
// For the files of the provider only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "source/conda/provider_candidates.h"
#include "source/conda/provider_matching.h"
#include "source/conda/provider_requirements.h"
#include "source/conda/provider_tables.h"

namespace cloche::source::conda_solving {

// docs/formats/solving.md, "conda": by the newest version that each of the names they all depend on
// may have, python first, then in alphabetical order; a package for the platform before noarch; the
// newest; the greatest build string.
class Ties {
 public:
  Ties(Tables& tables, Candidates& candidates, Requirements& requirements, Matching& matching)
      : tables_(tables),
        candidates_(candidates),
        requirements_(requirements),
        matching_(matching) {}

  // Gives all candidates that are tied with this one their place among themselves.
  Status compare(resolve::SolvableId of);

 private:
  // The rank of the newest version that a candidate allows of a name; -1: none.
  using Allowed = std::pair<std::string_view, std::int64_t>;

  Status prefetch_dependencies(std::span<const resolve::SolvableId> group);
  Result<std::vector<Allowed>> newest_allowed(resolve::SolvableId id);
  static std::vector<std::string_view> shared_names(const std::vector<std::vector<Allowed>>& keys);

  Tables& tables_;
  Candidates& candidates_;
  Requirements& requirements_;
  Matching& matching_;
};

}  // namespace cloche::source::conda_solving
