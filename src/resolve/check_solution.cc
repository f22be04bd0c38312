// Reads the definition of a solution straight from the header, and shares no code with the search.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "resolve/solver.h"

namespace cloche::resolve {
namespace {

class Checker {
 public:
  Checker(Provider& provider, const std::vector<SolvableId>& solvables)
      : provider_(provider), chosen_(solvables.begin(), solvables.end()) {}

  Status one_per_name() {
    std::map<NameId, SolvableId> by_name;
    for (const SolvableId one : chosen_) {
      const auto [place, first] = by_name.emplace(provider_.name(one), one);
      if (!first) {
        return fail(ErrorKind::kInvalid, "both {} and {} are in",
                    provider_.to_string(place->second), provider_.to_string(one));
      }
    }
    return {};
  }

  // `self`: whose dependencies they are; nothing for the request.
  Status holds(std::optional<SolvableId> self, const Dependencies& dependencies) {
    const std::string who = self ? provider_.to_string(*self) : "the request";
    for (const Dependency& one : dependencies.requirements) {
      if (one.condition && !TRY(met(*one.condition))) {
        continue;
      }
      if (!TRY(met(one.requirement))) {
        return fail(ErrorKind::kInvalid, "{} needs {}, which nothing in the solution is", who,
                    provider_.to_string(one.requirement));
      }
    }
    for (const RequirementId one : dependencies.constraints) {
      const auto matching = TRY(provider_.matching(one));
      for (const NameId name : provider_.names(one)) {
        for (const SolvableId candidate : TRY(provider_.candidates(name))) {
          if (chosen_.contains(candidate) &&
              std::ranges::find(matching, candidate) == matching.end() && candidate != self) {
            return fail(ErrorKind::kInvalid, "{} allows only {}, but {} is in", who,
                        provider_.to_string(one), provider_.to_string(candidate));
          }
        }
      }
    }
    return {};
  }

 private:
  Result<bool> met(RequirementId id) {
    const auto matching = TRY(provider_.matching(id));
    return std::ranges::any_of(matching, [&](SolvableId one) { return chosen_.contains(one); });
  }

  Provider& provider_;
  std::set<SolvableId> chosen_;
};

}  // namespace

Status check_solution(Provider& provider, const Request& request,
                      const std::vector<SolvableId>& solvables) {
  Checker checker(provider, solvables);
  TRY(checker.one_per_name());
  Dependencies root;
  for (const RequirementId id : request.requirements) {
    root.requirements.push_back({id, std::nullopt});
  }
  root.constraints = request.constraints;
  TRY(checker.holds(std::nullopt, root));
  for (const SolvableId one : solvables) {
    TRY(checker.holds(one, TRY(provider.dependencies(one))));
  }
  return {};
}

}  // namespace cloche::resolve
