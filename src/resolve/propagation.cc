// What follows from what is decided: clauses, their watches, unit propagation.
#include <algorithm>
#include <utility>
#include <vector>

#include "resolve/search.h"

namespace cloche::resolve::cdcl {
namespace {

// A list that was taken out while its members were visited goes back, after what came meanwhile.
void give_back(std::vector<std::uint32_t> visited, std::vector<std::uint32_t>& list) {
  if (list.empty()) {
    list = std::move(visited);
  } else {
    list.insert(list.end(), visited.begin(), visited.end());
  }
}

}  // namespace

Status Search::add_clauses(Var parent, const Dependencies& dependencies) {
  for (const Dependency& dependency : dependencies.requirements) {
    TRY(load_requirement(dependency.requirement));
    if (dependency.condition) {
      TRY(load_requirement(*dependency.condition));
      conditionals_.push_back({parent, dependency.requirement, *dependency.condition});
    } else {
      add_require(parent, kRoot, dependency.requirement);
    }
  }
  for (const RequirementId id : dependencies.constraints) {
    TRY(load_requirement(id));
    add_constrain(parent, id);
  }
  return {};
}

void Search::add_require(Var parent, Var condition, RequirementId requirement) {
  const auto clause_index = static_cast<std::uint32_t>(require_.size());
  RequireClause clause{parent, condition, requirement};
  pick_watches(clause);
  for (const Var v : clause.watched) {
    if (v != kNone) {
      make_clauses(v).watching.push_back(clause_index);
    }
  }
  make_clauses(parent).own.push_back(clause_index);
  if (condition != kRoot) {
    make_clauses(condition).conditional.push_back(clause_index);
  }
  RequirementState& state = requirement_state(requirement);
  if (state.require_clauses.empty()) {
    for (const NameId name : state.names) {
      name_state(name).required.push_back(requirement);
    }
  }
  state.require_clauses.push_back(clause_index);
  require_.push_back(clause);
  check_require(clause_index);
}

void Search::pick_watches(RequireClause& clause) {
  std::int64_t best[2] = {-1, -1};
  for (const SolvableId one : requirement_state(clause.requirement).matching) {
    const Var v = var_of(one);
    const std::int64_t rank = value(v) >= 0 ? INT32_MAX : var(source(v)).level;
    if (rank > best[0]) {
      best[1] = std::exchange(best[0], rank);
      clause.watched[1] = std::exchange(clause.watched[0], v);
    } else if (rank > best[1]) {
      best[1] = rank;
      clause.watched[1] = v;
    }
    if (best[1] == INT32_MAX) {
      return;
    }
  }
}

void Search::add_constrain(Var parent, RequirementId requirement) {
  const auto clause_index = static_cast<std::uint32_t>(constrain_.size());
  constrain_.push_back({parent, requirement});
  make_clauses(parent).own_constraints.push_back(clause_index);
  RequirementState& state = requirement_state(requirement);
  if (state.constrain_clauses.empty()) {
    for (const NameId name : state.names) {
      name_state(name).constrained.push_back(requirement);
    }
  }
  state.constrain_clauses.push_back(clause_index);
  if (value(parent) > 0) {
    apply_constrain(clause_index);
  }
}

void Search::check_require(std::uint32_t clause_index) {
  ++statistics_.steps;
  const RequireClause& clause = require_[clause_index];
  if (value(clause.parent) < 0 || value(clause.condition) < 0) {
    return;
  }
  if (satisfied(clause.requirement)) {
    return;
  }
  const RequirementState& wanted = requirement_state(clause.requirement);
  Var open = kNone;
  // Of a name that is decided otherwise, every candidate is out.
  const bool all_out = wanted.names.size() == 1 && selected(wanted.names.front()) != kNone;
  for (const SolvableId one : all_out ? std::span<const SolvableId>() : wanted.matching) {
    if (value(var_of(one)) == 0) {
      if (open != kNone) {
        return;  // two are still open
      }
      open = var_of(one);
    }
  }
  const Reason reason{Reason::Kind::kRequire, clause_index};
  const bool parent_open = value(clause.parent) == 0;
  const bool condition_open = value(clause.condition) == 0;
  const int open_count = (open != kNone ? 1 : 0) + (parent_open ? 1 : 0) + (condition_open ? 1 : 0);
  if (open_count == 0) {
    set_conflict(reason);
  } else if (open_count == 1) {
    assign(open != kNone ? open
           : parent_open ? clause.parent
                         : clause.condition,
           open != kNone, reason);
  }
}

void Search::apply_constrain(std::uint32_t clause_index) {
  const ConstrainClause clause = constrain_[clause_index];
  const Reason reason{Reason::Kind::kConstrain, clause_index};
  for (const NameId name : requirement_state(clause.requirement).names) {
    // Beside a selected one all others are out already.
    const Var chosen = selected(name);
    const SolvableId only = chosen != kNone ? solvable_of(chosen) : SolvableId{};
    for (const SolvableId one :
         chosen != kNone ? std::span(&only, 1) : name_state(name).candidates) {
      const Var v = var_of(one);
      if (v == clause.parent || value(v) < 0 || matches(clause.requirement, one)) {
        continue;
      }
      if (value(v) > 0) {
        constrained_ = v;
        set_conflict(reason);
        return;
      }
      assign(v, false, reason);
    }
  }
}

bool Search::propagate() {
  while (propagated_ < trail_.size() && !have_conflict_) {
    const Var v = trail_[propagated_++];
    if (values_[v] > 0) {
      became_true(v);
    } else {
      became_false(v);
    }
  }
  return !have_conflict_;
}

void Search::became_true(Var v) {
  if (v != kRoot) {
    const NameId name = name_of(v);
    for (const RequirementId requirement : name_state(name).required) {
      if (!matches(requirement, solvable_of(v))) {
        check_each(requirement_state(requirement).require_clauses);
      }
    }
    forbid_constraining_parents(v, name);
    visit_learned(true, v);
  }
  // Checking makes no clauses.
  const VarClauses& clauses = clauses_of(v);
  check_each(clauses.own);
  if (!clauses.conditional.empty()) {
    choose_from_start();
    check_each(clauses.conditional);
  }
  for (std::size_t i = 0; i < clauses.own_constraints.size() && !have_conflict_; ++i) {
    apply_constrain(clauses.own_constraints[i]);
  }
  visit_learned(false, v);
}

void Search::check_each(const std::vector<std::uint32_t>& clauses) {
  for (std::size_t i = 0; i < clauses.size() && !have_conflict_; ++i) {
    check_require(clauses[i]);
  }
}

void Search::forbid_constraining_parents(Var v, NameId name) {
  for (const RequirementId requirement : name_state(name).constrained) {
    if (matches(requirement, solvable_of(v))) {
      continue;
    }
    for (const std::uint32_t clause_index : requirement_state(requirement).constrain_clauses) {
      const Var parent = constrain_[clause_index].parent;
      if (have_conflict_ || parent == v) {
        continue;
      }
      if (value(parent) > 0) {
        constrained_ = v;
        set_conflict({Reason::Kind::kConstrain, clause_index});
      } else if (value(parent) == 0) {
        assign(parent, false, {Reason::Kind::kConstrain, clause_index});
        forbidding_[parent] = v;
      }
    }
  }
}

void Search::became_false(Var v) {
  std::vector<std::uint32_t> watching;
  if (!clauses_of(v).watching.empty()) {
    watching.swap(make_clauses(v).watching);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < watching.size(); ++i) {
    if (have_conflict_ || !move_watch(watching[i], v)) {
      watching[kept++] = watching[i];
      if (!have_conflict_) {
        check_require(watching[i]);
      }
    }
  }
  watching.resize(kept);
  if (kept > 0) {
    give_back(std::move(watching), make_clauses(v).watching);
  }
  if (!have_conflict_) {
    visit_learned(true, v);
  }
}

bool Search::move_watch(std::uint32_t clause_index, Var v) {
  RequireClause& clause = require_[clause_index];
  const int side = clause.watched[0] == v ? 0 : 1;
  const Var other = clause.watched[1 - side];
  const auto watch = [&](Var candidate) {
    clause.watched[side] = candidate;
    make_clauses(candidate).watching.push_back(clause_index);
    return true;
  };
  const RequirementState& wanted = requirement_state(clause.requirement);
  if (wanted.names.size() == 1) {
    // Of one name: what is selected is the only one that is not false, or what is written counts.
    const Var chosen = selected(wanted.names.front());
    if (chosen != kNone) {
      const bool good =
          chosen != v && chosen != other && matches(clause.requirement, solvable_of(chosen));
      return good && watch(chosen);
    }
    const auto open = std::ranges::find_if(wanted.matching, [&](SolvableId one) {
      const Var candidate = var_of(one);
      return values_[candidate] >= 0 && candidate != v && candidate != other;
    });
    return open != wanted.matching.end() && watch(var_of(*open));
  }
  for (const SolvableId one : wanted.matching) {
    const Var candidate = var_of(one);
    if (candidate != v && candidate != other && value(candidate) >= 0) {
      return watch(candidate);
    }
  }
  return false;
}

void Search::visit_learned(bool positive, Var v) {
  const auto list_of = [&]() -> std::vector<std::uint32_t>& {
    return positive ? name_state(name_of(v)).positive_watches : make_clauses(v).negative_watches;
  };
  if (positive ? name_state(name_of(v)).positive_watches.empty()
               : clauses_of(v).negative_watches.empty()) {
    return;
  }
  std::vector<std::uint32_t> list = std::exchange(list_of(), {});
  const auto rest = std::ranges::remove_if(list, [&](std::uint32_t clause_index) {
    return !have_conflict_ && !visit_one(clause_index, positive, v);
  });
  list.erase(rest.begin(), rest.end());
  give_back(std::move(list), list_of());
}

bool Search::visit_one(std::uint32_t clause_index, bool positive, Var v) {
  ++statistics_.steps;
  std::vector<Literal>& literals = learned_[clause_index].literals;
  const Literal event{v, positive};
  for (std::size_t side = 0; side < 2; ++side) {
    Literal& watched = literals[side];
    const Literal other_side = literals[1 - side];
    if (!same_list(watched, event) || value(watched) >= 0 || value(other_side) > 0) {
      continue;
    }
    const auto open = std::find_if(literals.begin() + 2, literals.end(),
                                   [&](const Literal& one) { return value(one) >= 0; });
    if (open != literals.end()) {
      std::swap(watched, *open);
      if (!same_list(watched, event) && !same_list(watched, other_side)) {
        watch_learned(clause_index, watched);
      }
      continue;
    }
    const Reason reason{Reason::Kind::kLearned, clause_index};
    if (value(other_side) < 0) {
      set_conflict(reason);
    } else {
      assign(other_side.var, other_side.positive, reason);
    }
    return true;
  }
  return same_list(literals[0], event) || same_list(literals[1], event);
}

void Search::watch_learned(std::uint32_t clause_index, const Literal& literal) {
  if (literal.positive) {
    name_state(name_of(literal.var)).positive_watches.push_back(clause_index);
  } else {
    make_clauses(literal.var).negative_watches.push_back(clause_index);
  }
}

}  // namespace cloche::resolve::cdcl
