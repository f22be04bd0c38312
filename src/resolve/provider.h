// What the solver asks of an ecosystem. source/conda, source/pypi and source/debian implement it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "resolve/ids.h"

namespace cloche::resolve {

// "Needs requirement", perhaps only when the solution also satisfies a condition (CEP 43's `when`).
struct Dependency {
  RequirementId requirement{};
  std::optional<RequirementId> condition;
};

struct Dependencies {
  std::vector<Dependency> requirements;
  // Say nothing about whether the names are there; only that, if they are, they must match (conda's
  // constrains).
  std::vector<RequirementId> constraints;
};

// Called by one thread at a time. Ids are dense: small numbers from 0, handed out when first
// needed. What a span points to stays as it is until the provider ends. Every answer is a function
// of its argument: asked again, it is the same.
class Provider {
 public:
  virtual ~Provider() = default;

  // The names whose candidates are about to be asked for: the time to fetch them together.
  virtual Status prefetch(std::span<const NameId> /*names*/) { return {}; }

  // All that is known of a name, in any order.
  virtual Result<std::span<const SolvableId>> candidates(NameId name) = 0;

  // The names that can satisfy a requirement: one, unless the ecosystem has alternatives. Never
  // empty.
  virtual std::span<const NameId> names(RequirementId requirement) = 0;

  // The candidates of names() that satisfy it, the most wanted first.
  virtual Result<std::span<const SolvableId>> matching(RequirementId requirement) = 0;

  // Whether two candidates of a name, neighbours in matching(), differ only in what a closer look
  // tells: prefer() then decides. For ecosystems where that look is dear.
  virtual bool tied(SolvableId /*a*/, SolvableId /*b*/) { return false; }

  // The most wanted of candidates that are tied, by one order for all calls.
  virtual Result<SolvableId> prefer(std::span<const SolvableId> candidates) {
    return candidates.front();
  }

  // Asked for solvables that a search has chosen and, to explain a conflict, for the candidates of
  // its requirements.
  virtual Result<Dependencies> dependencies(SolvableId solvable) = 0;

  virtual NameId name(SolvableId solvable) = 0;

  // For explanations: "numpy", "numpy 1.26.4", "numpy >=1.26".
  virtual std::string to_string(NameId name) = 0;
  virtual std::string to_string(SolvableId solvable) = 0;
  virtual std::string to_string(RequirementId requirement) = 0;

  // Several candidates of one name in few words: "numpy 1.26.0 to 1.26.4". Never empty.
  virtual std::string to_string(std::span<const SolvableId> solvables);

  // Requirements about the same names, any of which: "python 3.11.*, 3.12.* or 3.13.*". Never
  // empty.
  virtual std::string to_string(std::span<const RequirementId> requirements);

  // Why a name has no candidates at all: "there is no package numpyy".
  virtual std::string why_absent(NameId name);

  // Why nothing matches a requirement: the above, or "nothing fits numpy >=9: there is numpy 1 to
  // 8".
  virtual Result<std::string> why_none(RequirementId requirement);
};

}  // namespace cloche::resolve
