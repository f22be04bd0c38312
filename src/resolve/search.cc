#include "resolve/search.h"

#include <algorithm>

namespace cloche::resolve::cdcl {

Result<std::variant<Solution, Unsolvable>> Search::run() {
  TRY(begin());
  for (;;) {
    TRY(check_interruption());
    if (have_conflict_ || !propagate()) {
      if (!learn()) {
        return std::variant<Solution, Unsolvable>(Unsolvable{core()});
      }
      count_conflict();
      continue;
    }
    if (TRY(expand()) || have_conflict_) {
      continue;
    }
    if (!TRY(focused_ ? choose_focused() : choose()) && !have_conflict_) {
      if (!focused_) {
        return std::variant<Solution, Unsolvable>(solution());
      }
      has_solution_ = true;
      take_turn(false);
    }
  }
}

Status Search::load_name(NameId id) {
  know_name(id);
  if (name_state(id).loaded) {
    return {};
  }
  const std::span<const SolvableId> candidates = TRY(provider_.candidates(id));
  NameState& state = name_state(id);
  state.loaded = true;
  state.candidates = candidates;
  for (const SolvableId one : candidates) {
    know_var(var_of(one), id);
  }
  return {};
}

Status Search::load_requirement(RequirementId id) {
  know_requirement(id);
  if (requirement_state(id).loaded) {
    return {};
  }
  const std::span<const NameId> names = provider_.names(id);
  for (const NameId name : names) {
    TRY(load_name(name));
  }
  const std::span<const SolvableId> matching = TRY(provider_.matching(id));
  RequirementState& state = requirement_state(id);
  state.loaded = true;
  state.names = names;
  state.matching = matching;
  if (!matching.empty()) {
    const auto [least, most] = std::ranges::minmax(matching);
    state.first = index(least);
    state.bits.resize(index(most) - index(least) + 1);
    for (const SolvableId one : matching) {
      state.bits[index(one) - state.first] = true;
    }
  }
  return {};
}

Status Search::prefetch(const std::vector<Dependencies>& all) {
  std::vector<NameId> wanted;
  const auto want = [&](RequirementId id) {
    for (const NameId name : provider_.names(id)) {
      know_name(name);
      if (!name_state(name).loaded) {
        wanted.push_back(name);
      }
    }
  };
  for (const Dependencies& one : all) {
    for (const Dependency& dependency : one.requirements) {
      want(dependency.requirement);
      if (dependency.condition) {
        want(*dependency.condition);
      }
    }
    std::ranges::for_each(one.constraints, want);
  }
  std::ranges::sort(wanted);
  const auto rest = std::ranges::unique(wanted);
  wanted.erase(rest.begin(), rest.end());
  return wanted.empty() ? Status() : provider_.prefetch(wanted);
}

Status Search::begin() {
  know_var(kRoot, {});
  assign(kRoot, true, {});
  var(kRoot).expanded = true;
  Dependencies root;
  for (const RequirementId id : request_.requirements) {
    root.requirements.push_back({id, std::nullopt});
  }
  root.constraints = request_.constraints;
  TRY(prefetch({root}));
  TRY(add_clauses(kRoot, root));
  return {};
}

Result<bool> Search::expand() {
  std::vector<Var> parents;
  std::vector<Dependencies> all;
  for (; expand_from_ < trail_.size(); ++expand_from_) {
    const Var v = trail_[expand_from_];
    if (values_[v] > 0 && !var(v).expanded) {
      var(v).expanded = true;
      ++statistics_.expanded;
      parents.push_back(v);
      all.push_back(TRY(provider_.dependencies(solvable_of(v))));
    }
  }
  if (!parents.empty()) {
    TRY(prefetch(all));
    for (std::size_t i = 0; i < parents.size(); ++i) {
      TRY(add_clauses(parents[i], all[i]));
    }
  }
  return wake_conditionals() || !parents.empty();
}

bool Search::wake_conditionals() {
  bool woke = false;
  for (std::size_t i = 0; i < conditionals_.size(); ++i) {
    const Conditional conditional = conditionals_[i];
    if (value(conditional.parent) <= 0) {
      continue;
    }
    for (const NameId name : requirement_state(conditional.condition).names) {
      const Var chosen = selected(name);
      if (chosen == kNone || !matches(conditional.condition, solvable_of(chosen))) {
        continue;
      }
      const auto key = std::pair(static_cast<std::uint32_t>(i), chosen);
      const auto place = std::ranges::lower_bound(woken_, key);
      if (place == woken_.end() || *place != key) {
        woken_.insert(place, key);
        add_require(conditional.parent, chosen, conditional.requirement);
        choose_from_start();
        woke = true;
      }
    }
  }
  return woke;
}

Status Search::check_interruption() {
  if (request_.stop.stop_requested()) {
    return fail(ErrorKind::kCancelled, "solving was stopped");
  }
  if (request_.step_limit && statistics_.steps > *request_.step_limit) {
    return fail(ErrorKind::kUnsupported, "no answer within {} steps", *request_.step_limit);
  }
  constexpr std::int64_t kRoundsBetweenLooks = 64;
  if (request_.deadline && ++rounds_ % kRoundsBetweenLooks == 0 &&
      std::chrono::steady_clock::now() > *request_.deadline) {
    return fail(ErrorKind::kUnavailable, "no answer within the time allowed")
        .with_hint("pin more packages, or allow more time");
  }
  return {};
}

Solution Search::solution() {
  Solution out;
  for (const Var v : trail_) {
    if (v != kRoot && values_[v] > 0) {
      out.solvables.push_back(solvable_of(v));
    }
  }
  return out;
}

}  // namespace cloche::resolve::cdcl
