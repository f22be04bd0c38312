// What a candidate needs and allows. For the files of the provider only.
#pragma once

#include <optional>

#include "core/result.h"
#include "resolve/provider.h"
#include "source/conda/provider_conditions.h"
#include "source/conda/provider_matching.h"
#include "source/conda/provider_requirements.h"
#include "source/conda/provider_tables.h"

namespace cloche::source::conda_solving {

class DependencyReader {
 public:
  DependencyReader(Tables& tables, Requirements& requirements, Matching& matching)
      : tables_(tables), requirements_(requirements), matching_(matching) {}

  Result<resolve::Dependencies> of(resolve::SolvableId id);
  // Adds a requirement and its extras, with their conditions.
  Status add(resolve::Dependencies& out, resolve::RequirementId requirement);

 private:
  Result<resolve::Dependencies> of_extra(const SolvableRow& one);
  Status add_conditional(resolve::Dependencies& out, resolve::RequirementId requirement,
                         const Alternatives& when);
  Result<std::optional<bool>> decided(resolve::RequirementId condition);
  bool python_needs_pip(const SolvableRow& one) const;

  Tables& tables_;
  Requirements& requirements_;
  Matching& matching_;
};

}  // namespace cloche::source::conda_solving
