// What the provider says of requirements and candidates in explanations. For the files of the
// provider only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "source/conda/provider_tables.h"

namespace cloche::source::conda_solving {

// Why nothing meets an evaluated requirement whose name has candidates.
std::string why_none(const Tables& tables, const RequirementRow& wanted);

// Why a name has no candidates.
std::string why_absent(Tables& tables, const NameRow& name);

// Several candidates of one name, by versions: forty builds of one version are one thing to a
// person. Never none.
std::string text_of_candidates(const Tables& tables,
                               std::span<const resolve::SolvableId> solvables);

// The versions that any of the requirements accepts, in runs of those that there are: "python
// 3.10.0 to 3.14.7". Nothing when that says less than the requirements do.
std::optional<std::string> accepted_versions(const Tables& tables,
                                             std::span<const resolve::RequirementId> all);

// The nearest names that there are; none when there is nothing near.
std::vector<std::string> nearest_names(Tables& tables, std::string_view name);

}  // namespace cloche::source::conda_solving
