#include "resolve/ways_out.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace cloche::resolve {
namespace {

constexpr std::size_t kMostConflicts = 8;

// The chosen candidate that satisfies a requirement.
Result<std::optional<SolvableId>> chosen(Provider& provider, RequirementId requirement,
                                         const Solution& solution) {
  const auto matching = TRY(provider.matching(requirement));
  for (const SolvableId one : solution.solvables) {
    if (std::ranges::find(matching, one) != matching.end()) {
      return std::optional(one);
    }
  }
  return std::optional<SolvableId>();
}

class Search {
 public:
  Search(Prober& prober, const Request& request, const std::vector<RequirementId>& relaxed)
      : prober_(prober), request_(request), relaxed_(relaxed) {}

  Result<std::vector<WayOut>> single_changes(const std::vector<std::size_t>& conflict) {
    std::vector<WayOut> keeping;
    std::vector<WayOut> dropping;
    for (const std::size_t one : conflict) {
      const WayOut way{TRY(loosened(all_but({one}), {one}))};
      if (!way.changes.empty()) {
        (way.changes.front().instead ? keeping : dropping).push_back(way);
      }
    }
    keeping.insert(keeping.end(), dropping.begin(), dropping.end());
    return keeping;
  }

  // Gives up one requirement of each conflict in turn until the rest can be had. No changes: the
  // purse was empty before. `conflicts`, when it is not null, gets those behind the first.
  Result<WayOut> several_changes(const MinimalConflict& first, bool last_gives_way,
                                 std::vector<MinimalConflict>* conflicts) {
    MinimalConflict conflict = first;
    std::vector<std::size_t> given_up;
    while (given_up.size() < kMostConflicts) {
      given_up.push_back(last_gives_way ? conflict.requirements.back()
                                        : conflict.requirements.front());
      const std::vector<std::size_t> keep = all_but(given_up);
      auto outcome = TRY(prober_.probe(subset(request_, keep)));
      if (!outcome) {
        break;
      }
      if (is_solved(*outcome)) {
        TRY(take_back(given_up));
        std::ranges::sort(given_up);
        return WayOut{TRY(loosened(all_but(given_up), given_up))};
      }
      conflict =
          TRY(minimal_conflict(prober_, request_, keep, std::get<Unsolvable>(std::move(*outcome))));
      if (conflicts != nullptr) {
        conflicts->push_back(conflict);
      }
    }
    return WayOut{};
  }

 private:
  std::vector<std::size_t> all_but(const std::vector<std::size_t>& left_out) const {
    std::vector<std::size_t> keep;
    for (std::size_t i = 0; i < request_.requirements.size(); ++i) {
      if (std::ranges::find(left_out, i) == left_out.end()) {
        keep.push_back(i);
      }
    }
    return keep;
  }

  // What was given up for one conflict may have a place again once another is resolved.
  Status take_back(std::vector<std::size_t>& given_up) {
    for (std::size_t i = 0; given_up.size() > 1 && i < given_up.size();) {
      std::vector<std::size_t> fewer = given_up;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      const auto outcome = TRY(prober_.probe(subset(request_, all_but(fewer))));
      if (outcome && is_solved(*outcome)) {
        given_up = std::move(fewer);
      } else {
        ++i;
      }
    }
    return {};
  }

  // As many as possible of `given_up` as another candidate of the same name, the others left out;
  // empty when even leaving out all of them does not help. Everything else keeps its place; what is
  // loosened comes last, so that it gives way and nothing else does.
  Result<std::vector<Change>> loosened(const std::vector<std::size_t>& keep,
                                       const std::vector<std::size_t>& given_up) {
    Request changed = subset(request_, keep);
    std::optional<Solution> solution;
    std::vector<std::size_t> kept;
    for (const std::size_t one : given_up) {
      if (relaxed_[one] == request_.requirements[one]) {
        continue;
      }
      changed.requirements.push_back(relaxed_[one]);
      auto outcome = TRY(prober_.probe(changed));
      if (outcome && is_solved(*outcome)) {
        solution = std::get<Solution>(std::move(*outcome));
        kept.push_back(one);
      } else {
        changed.requirements.pop_back();
      }
    }
    std::vector<Change> out;
    if (!solution) {
      const auto outcome = TRY(prober_.probe(std::move(changed)));
      if (!outcome || !is_solved(*outcome)) {
        return out;
      }
    }
    for (const std::size_t one : given_up) {
      const bool is_kept = std::ranges::find(kept, one) != kept.end();
      out.push_back({one, is_kept ? TRY(chosen(prober_.provider(), relaxed_[one], *solution))
                                  : std::nullopt});
    }
    return out;
  }

  Prober& prober_;
  const Request& request_;
  const std::vector<RequirementId>& relaxed_;
};

}  // namespace

Result<WaysOut> find_ways_out(Prober& prober, const Request& request,
                              const std::vector<RequirementId>& relaxed,
                              const MinimalConflict& conflict) {
  Search search(prober, request, relaxed);
  WaysOut out{TRY(search.single_changes(conflict.requirements)), {}};
  if (!out.ways.empty()) {
    return out;
  }
  for (const bool last_gives_way : {true, false}) {
    WayOut way = TRY(
        search.several_changes(conflict, last_gives_way, last_gives_way ? &out.further : nullptr));
    if (!way.changes.empty() && std::ranges::find(out.ways, way) == out.ways.end()) {
      out.ways.push_back(std::move(way));
    }
  }
  return out;
}

}  // namespace cloche::resolve
