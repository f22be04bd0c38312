// What is decided next: the fixed order, and the turns to the names in conflict.
#include <algorithm>

#include "resolve/search.h"

namespace cloche::resolve::cdcl {
namespace {

constexpr std::int64_t kFocusedShare = 4;  // of a focused turn, against the one before it
constexpr std::int64_t kConflictsBetweenRestarts = 50;

}  // namespace

Result<bool> Search::choose() {
  for (; chosen_trail_ < trail_.size(); ++chosen_trail_, chosen_clause_ = 0) {
    const Var parent = trail_[chosen_trail_];
    if (values_[parent] < 0) {
      continue;
    }
    const std::vector<std::uint32_t>& clauses = clauses_of(parent).own;
    for (; chosen_clause_ < clauses.size(); ++chosen_clause_) {
      const RequireClause& clause = require_[clauses[chosen_clause_]];
      if (value(clause.condition) <= 0) {
        continue;
      }
      if (satisfied(clause.requirement)) {
        continue;
      }
      return decide(clauses[chosen_clause_]);
    }
  }
  return false;
}

void Search::take_turn(bool focused) {
  focused_ = focused;
  conflicts_in_turn_ = 0;
  undo_to(0);
}

void Search::count_conflict() {
  if (has_solution_) {
    return;
  }
  ++conflicts_in_turn_;
  if (conflicts_in_turn_ >= (focused_ ? kFocusedShare * turn_conflicts_ : turn_conflicts_)) {
    turn_conflicts_ *= focused_ ? 2 : 1;
    take_turn(!focused_);
  } else if (focused_ && conflicts_in_turn_ % kConflictsBetweenRestarts == 0) {
    undo_to(0);
  }
}

void Search::note_conflict(const std::vector<Var>& vars) {
  constexpr double kGrowth = 1.0 / 0.95;
  constexpr double kMost = 1e100;
  for (const Var v : vars) {
    double& activity = name_state(name_of(v)).activity;
    activity += activity_step_;
    if (activity > kMost) {
      for (NameState& one : names_) {
        one.activity /= kMost;
      }
      activity_step_ /= kMost;
    }
  }
  activity_step_ *= kGrowth;
}

Result<bool> Search::choose_focused() {
  std::uint32_t best = kNone;
  double most = -1;
  for (const Var parent : trail_) {
    if (values_[parent] < 0) {
      continue;
    }
    for (const std::uint32_t clause_index : clauses_of(parent).own) {
      const RequireClause& clause = require_[clause_index];
      if (value(clause.condition) <= 0 || satisfied(clause.requirement)) {
        continue;
      }
      const double activity =
          name_state(requirement_state(clause.requirement).names.front()).activity;
      if (activity > most) {
        most = activity;
        best = clause_index;
      }
    }
  }
  return best == kNone ? Result<bool>(false) : decide(best);
}

Result<bool> Search::decide(std::uint32_t clause_index) {
  const Var best = TRY(best_open(require_[clause_index]));
  if (best == kNone) {
    set_conflict({Reason::Kind::kRequire, clause_index});
    return false;
  }
  ++statistics_.decisions;
  level_starts_.push_back(trail_.size());
  assign(best, true, {});
  return true;
}

Result<Var> Search::best_open(const RequireClause& clause) {
  const std::span<const SolvableId> matching = requirement_state(clause.requirement).matching;
  const auto open = [&](SolvableId one) { return value(var_of(one)) == 0; };
  const auto first = std::ranges::find_if(matching, open);
  if (first == matching.end()) {
    return kNone;
  }
  std::vector<SolvableId> tied = {*first};
  for (auto next = first + 1; next != matching.end() && provider_.tied(*first, *next); ++next) {
    if (open(*next)) {
      tied.push_back(*next);
    }
  }
  return var_of(tied.size() == 1 ? *first : TRY(provider_.prefer(tied)));
}

}  // namespace cloche::resolve::cdcl
