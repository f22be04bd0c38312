// The design, in short.
//
// A variable is a solvable; variable 0 is the request itself and always true. Three kinds of
// clause:
//   require     not parent, or not condition, or one of the matching candidates    (made when the
//   parent is chosen) constrain   not parent, or not c                for each candidate c of the
//   name that does not match learned     what a conflict taught
// "One of a name" is no clause: a name knows which of its candidates is selected, and the others
// count as false without being written down (value()). With hundreds of candidates a name this is
// most of what a solver would otherwise do. Such an implied falsehood has one reason, the
// selection, so conflict analysis puts "not selected" in its place (push_false).
//
// Watches: a require clause watches two candidates, a learned clause two literals. What becomes
// false without being written (the rest of a name) is found through the name's own lists.
//
// A clause that is added in mid-search may be unit below the current level; its consequence is then
// lost when the search jumps back between the two. That weakens propagation but not the answer:
// choose() looks at every requirement of every chosen package, so an unmet one is found there.
//
// Turns: the fixed order of decisions makes the answer the best one, but says nothing about where a
// contradiction lies; among thousands of packages it may run into the same one from ever new sides.
// So when conflicts mount up, the search turns for a while to the names that took part in them
// (choose_focused()). What it learns there holds in the fixed order too. A contradiction is a
// proof wherever it is found; a solution found there only says that there is one, and then the
// fixed order has all further turns.
#include "resolve/solver.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/check.h"

namespace cloche::resolve {
namespace {

using Var = std::uint32_t;  // 0 is the request, solvable s is index(s) + 1
constexpr Var kRoot = 0;
constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::int64_t kFirstTurnConflicts = 1000;  // an ordinary request has a few hundred
constexpr std::int64_t kFocusedShare = 4;           // of a focused turn, against the one before it
constexpr std::int64_t kConflictsBetweenRestarts = 50;

Var var_of(SolvableId id) { return index(id) + 1; }
SolvableId solvable_of(Var v) { return static_cast<SolvableId>(v - 1); }

// A literal: a variable, wanted true or false.
struct Literal {
  Var var = kRoot;
  bool positive = true;
};

// Where a value comes from.
struct Reason {
  enum class Kind : std::uint8_t { kDecision, kRequire, kConstrain, kLearned };
  Kind kind = Kind::kDecision;
  std::uint32_t index = 0;
};

struct RequireClause {
  Var parent = kRoot;
  Var condition = kRoot;  // kRoot: none
  RequirementId requirement{};
  Var watched[2] = {kNone, kNone};
};

struct ConstrainClause {
  Var parent = kRoot;
  RequirementId requirement{};
};

struct LearnedClause {
  std::vector<Literal> literals;  // the first two are watched
  std::vector<Reason> antecedents;
  std::vector<Var> level_zero;  // facts that the derivation used without naming them
};

struct NameState {
  bool loaded = false;
  std::span<const SolvableId> candidates;
  // Those of clauses about this name. Many clauses share one, and what a chosen candidate meets is
  // passed over with all its clauses.
  std::vector<RequirementId> required;
  std::vector<RequirementId> constrained;
  std::vector<std::uint32_t>
      positive_watches;  // learned clauses that watch a candidate of this name
  double activity = 0;   // how much and how lately it was in conflicts
};

struct RequirementState {
  bool loaded = false;
  std::span<const NameId> names;
  std::span<const SolvableId> matching;
  // The same as a set: bit i is solvable first + i.
  std::uint32_t first = 0;
  std::vector<bool> bits;
  std::vector<std::uint32_t> require_clauses;
  std::vector<std::uint32_t> constrain_clauses;
};

// What is looked at less often than a variable's value and name.
struct VarState {
  bool expanded = false;
  std::int32_t level = 0;
  Reason reason;
  std::vector<std::uint32_t> own_clauses;        // require clauses with this parent
  std::vector<std::uint32_t> condition_clauses;  // require clauses with this condition
  std::vector<std::uint32_t> watching;           // require clauses that watch this candidate
  std::vector<std::uint32_t> own_constraints;
  std::vector<std::uint32_t> negative_watches;  // learned clauses that watch "not this"
};

// A conditional dependency of a chosen package, waiting for its condition to come true.
struct Conditional {
  Var parent = kRoot;
  RequirementId requirement{};
  RequirementId condition{};
};

class Search {
 public:
  Search(Provider& provider, const Request& request, Statistics& statistics)
      : provider_(provider), request_(request), statistics_(statistics) {}

  Result<std::variant<Solution, Unsolvable>> run() {
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

 private:
  // --- state -------------------------------------------------------------------------------------

  // Every variable and name is made known by load_name() before anything is asked of it.
  VarState& var(Var v) { return vars_[v]; }
  NameState& name_state(NameId id) { return names_[index(id)]; }
  RequirementState& requirement_state(RequirementId id) { return requirements_[index(id)]; }
  NameId name_of(Var v) const { return name_of_[v]; }
  Var selected(NameId id) const { return selected_[index(id)]; }

  void know_var(Var v, NameId name) {
    if (v >= vars_.size()) {
      const std::size_t size = std::max<std::size_t>(v + 1, vars_.size() * 2);
      vars_.resize(size);
      values_.resize(size);
      name_of_.resize(size);
    }
    name_of_[v] = name;
  }

  void know_name(NameId id) {
    if (index(id) >= names_.size()) {
      const std::size_t size = std::max<std::size_t>(index(id) + 1, names_.size() * 2);
      names_.resize(size);
      selected_.resize(size, kNone);
    }
  }

  void know_requirement(RequirementId id) {
    if (index(id) >= requirements_.size()) {
      requirements_.resize(std::max<std::size_t>(index(id) + 1, requirements_.size() * 2));
    }
  }

  std::int32_t level() const { return static_cast<std::int32_t>(level_starts_.size()); }

  // True 1, false -1, open 0; a candidate beside a selected one is false without being on the
  // trail.
  int value(Var v) const {
    if (values_[v] != 0 || v == kRoot) {
      return static_cast<int>(values_[v] > 0) - static_cast<int>(values_[v] < 0);
    }
    const Var chosen = selected(name_of(v));
    return chosen != kNone && chosen != v ? -1 : 0;
  }

  int value(const Literal& literal) const {
    return literal.positive ? value(literal.var) : -value(literal.var);
  }

  // The trail's variable that makes this variable's value: itself, or the selected one beside it.
  Var source(Var v) const { return values_[v] != 0 || v == kRoot ? v : selected(name_of(v)); }

  void assign(Var v, bool is_true, Reason reason) {
    CHECK(values_[v] == 0);
    values_[v] = is_true ? 1 : -1;
    VarState& state = var(v);
    state.level = level();
    state.reason = reason;
    trail_.push_back(v);
    if (is_true && v != kRoot) {
      selected_[index(name_of(v))] = v;
    }
  }

  void undo_to(std::int32_t target) {
    while (level() > target) {
      while (trail_.size() > level_starts_.back()) {
        const Var v = trail_.back();
        trail_.pop_back();
        if (values_[v] > 0 && v != kRoot) {
          selected_[index(name_of(v))] = kNone;
        }
        values_[v] = 0;
      }
      level_starts_.pop_back();
    }
    propagated_ = std::min(propagated_, trail_.size());
    choose_from_start();
    expand_from_ = std::min(expand_from_, trail_.size());
  }

  void choose_from_start() {
    chosen_trail_ = 0;
    chosen_clause_ = 0;
  }

  // --- asking the provider
  // ------------------------------------------------------------------------

  Status load_name(NameId id) {
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

  Status load_requirement(RequirementId id) {
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

  bool matches(RequirementId id, SolvableId solvable) const {
    const RequirementState& state = requirements_[index(id)];
    const std::uint32_t place = index(solvable) - state.first;  // huge when below the first
    return place < state.bits.size() && state.bits[place];
  }

  Status prefetch(const std::vector<Dependencies>& all) {
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

  // --- clauses
  // ------------------------------------------------------------------------------------

  Status begin() {
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

  Status add_clauses(Var parent, const Dependencies& dependencies) {
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

  void add_require(Var parent, Var condition, RequirementId requirement) {
    const auto clause_index = static_cast<std::uint32_t>(require_.size());
    RequireClause clause{parent, condition, requirement};
    pick_watches(clause);
    for (const Var v : clause.watched) {
      if (v != kNone) {
        var(v).watching.push_back(clause_index);
      }
    }
    var(parent).own_clauses.push_back(clause_index);
    if (condition != kRoot) {
      var(condition).condition_clauses.push_back(clause_index);
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

  // Open candidates first; then those that became false last, so that a jump back finds the watches
  // open again.
  void pick_watches(RequireClause& clause) {
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

  void add_constrain(Var parent, RequirementId requirement) {
    const auto clause_index = static_cast<std::uint32_t>(constrain_.size());
    constrain_.push_back({parent, requirement});
    var(parent).own_constraints.push_back(clause_index);
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

  // --- propagation
  // --------------------------------------------------------------------------------

  // Unit or conflicting? Called whenever something that the clause looks at has changed.
  void check_require(std::uint32_t clause_index) {
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
    const int open_count =
        (open != kNone ? 1 : 0) + (parent_open ? 1 : 0) + (condition_open ? 1 : 0);
    if (open_count == 0) {
      set_conflict(reason);
    } else if (open_count == 1) {
      assign(open != kNone ? open
             : parent_open ? clause.parent
                           : clause.condition,
             open != kNone, reason);
    }
  }

  // Whether a matching candidate is selected.
  bool satisfied(RequirementId id) {
    return std::ranges::any_of(requirement_state(id).names, [&](NameId name) {
      const Var chosen = selected(name);
      return chosen != kNone && matches(id, solvable_of(chosen));
    });
  }

  void apply_constrain(std::uint32_t clause_index) {
    const ConstrainClause clause = constrain_[clause_index];
    const Reason reason{Reason::Kind::kConstrain, clause_index};
    for (const NameId name : requirement_state(clause.requirement).names) {
      for (const SolvableId one : name_state(name).candidates) {
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

  void set_conflict(Reason reason) {
    have_conflict_ = true;
    conflict_ = reason;
  }

  bool propagate() {
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

  void became_true(Var v) {
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
    check_each(var(v).own_clauses);
    if (!var(v).condition_clauses.empty()) {
      choose_from_start();
      check_each(var(v).condition_clauses);
    }
    const std::size_t count = var(v).own_constraints.size();
    for (std::size_t i = 0; i < count && !have_conflict_; ++i) {
      apply_constrain(var(v).own_constraints[i]);
    }
    visit_learned(false, v);
  }

  void check_each(const std::vector<std::uint32_t>& clauses) {
    for (std::size_t i = 0; i < clauses.size() && !have_conflict_; ++i) {
      check_require(clauses[i]);
    }
  }

  // A package that constrains this name otherwise cannot be in.
  void forbid_constraining_parents(Var v, NameId name) {
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

  void became_false(Var v) {
    std::vector<std::uint32_t> watching = std::exchange(var(v).watching, {});
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
    std::vector<std::uint32_t>& back = var(v).watching;
    back.insert(back.end(), watching.begin(), watching.end());
    if (!have_conflict_) {
      visit_learned(true, v);
    }
  }

  // Whether the clause found another candidate that is not false to watch instead of v.
  bool move_watch(std::uint32_t clause_index, Var v) {
    RequireClause& clause = require_[clause_index];
    const int side = clause.watched[0] == v ? 0 : 1;
    for (const SolvableId one : requirement_state(clause.requirement).matching) {
      const Var candidate = var_of(one);
      if (candidate != v && candidate != clause.watched[1 - side] && value(candidate) >= 0) {
        clause.watched[side] = candidate;
        var(candidate).watching.push_back(clause_index);
        return true;
      }
    }
    return false;
  }

  // The learned clauses of a watch list after v got a value; those that found another literal to
  // watch leave the list.
  void visit_learned(bool positive, Var v) {
    const auto list_of = [&]() -> std::vector<std::uint32_t>& {
      return positive ? name_state(name_of(v)).positive_watches : var(v).negative_watches;
    };
    std::vector<std::uint32_t> list = std::exchange(list_of(), {});
    const auto rest = std::ranges::remove_if(list, [&](std::uint32_t clause_index) {
      return !have_conflict_ && !visit_one(clause_index, positive, v);
    });
    list.erase(rest.begin(), rest.end());
    list_of().insert(list_of().end(), list.begin(), list.end());
  }

  bool same_list(const Literal& a, const Literal& b) {
    if (a.positive != b.positive) {
      return false;
    }
    return a.positive ? name_of(a.var) == name_of(b.var) : a.var == b.var;
  }

  // Returns whether the clause still watches a literal of this list.
  bool visit_one(std::uint32_t clause_index, bool positive, Var v) {
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

  void watch_learned(std::uint32_t clause_index, const Literal& literal) {
    if (literal.positive) {
      name_state(name_of(literal.var)).positive_watches.push_back(clause_index);
    } else {
      var(literal.var).negative_watches.push_back(clause_index);
    }
  }

  // --- conflicts
  // ----------------------------------------------------------------------------------

  // Appends a literal that is false now; in place of one that is false only because another of its
  // name is selected, that selection.
  void push_false(Var v, bool positive, std::vector<Literal>& out) {
    const Var from = source(v);
    out.push_back(from == v ? Literal{v, positive} : Literal{from, false});
  }

  // The literals of a reason that are false; `implied` is left out (kNone for a conflict).
  void false_literals(const Reason& reason, Var implied, std::vector<Literal>& out) {
    out.clear();
    if (reason.kind == Reason::Kind::kRequire) {
      const RequireClause& clause = require_[reason.index];
      if (clause.parent != implied) {
        out.push_back({clause.parent, false});
      }
      if (clause.condition != kRoot && clause.condition != implied) {
        out.push_back({clause.condition, false});
      }
      for (const SolvableId one : requirement_state(clause.requirement).matching) {
        if (var_of(one) != implied) {
          push_false(var_of(one), true, out);
        }
      }
    } else if (reason.kind == Reason::Kind::kConstrain) {
      const Var parent = constrain_[reason.index].parent;
      if (implied == kNone) {
        out.push_back({parent, false});
        out.push_back({constrained_, false});
      } else if (implied == parent) {
        out.push_back({forbidding_[parent], false});
      } else {
        out.push_back({parent, false});
      }
    } else if (reason.kind == Reason::Kind::kLearned) {
      for (const Literal& literal : learned_[reason.index].literals) {
        if (literal.var != implied) {
          push_false(literal.var, literal.positive, out);
        }
      }
    }
  }

  // First unique implication point. False: there is no solution.
  bool learn() {
    ++statistics_.conflicts;
    have_conflict_ = false;
    std::vector<Literal> current;
    false_literals(conflict_, kNone, current);
    std::int32_t top = 0;
    for (const Literal& literal : current) {
      top = std::max(top, var(literal.var).level);
    }
    LearnedClause clause;
    clause.antecedents.push_back(conflict_);
    if (top == 0) {
      for (const Literal& literal : current) {
        clause.level_zero.push_back(literal.var);
      }
      learned_.push_back(std::move(clause));
      return false;
    }
    undo_to(top);
    const Literal asserting = resolve_to_uip(std::move(current), clause);
    std::int32_t back = 0;
    std::size_t second = 1;
    for (std::size_t i = 1; i < clause.literals.size(); ++i) {
      if (var(clause.literals[i].var).level > back) {
        back = var(clause.literals[i].var).level;
        second = i;
      }
    }
    undo_to(back);
    if (clause.literals.size() > 1) {
      std::swap(clause.literals[1], clause.literals[second]);
      watch_learned(static_cast<std::uint32_t>(learned_.size()), clause.literals[0]);
      if (!same_list(clause.literals[0], clause.literals[1])) {
        watch_learned(static_cast<std::uint32_t>(learned_.size()), clause.literals[1]);
      }
    }
    const Reason reason{Reason::Kind::kLearned, static_cast<std::uint32_t>(learned_.size())};
    learned_.push_back(std::move(clause));
    ++statistics_.learned;
    assign(asserting.var, asserting.positive, reason);
    return true;
  }

  // Fills the clause (the asserting literal first) and returns the asserting literal.
  Literal resolve_to_uip(std::vector<Literal> current, LearnedClause& clause) {
    clause.literals.emplace_back();
    int open = 0;
    std::size_t at = trail_.size();
    std::vector<Var> marked;
    for (;;) {
      for (const Literal& literal : current) {
        VarState& state = var(literal.var);
        if (seen(literal.var)) {
          continue;
        }
        if (state.level == 0) {
          clause.level_zero.push_back(literal.var);
          continue;
        }
        mark(literal.var, marked);
        if (state.level == level()) {
          ++open;
        } else {
          clause.literals.push_back(literal);
        }
      }
      do {
        --at;
      } while (!seen(trail_[at]));
      --open;
      const Var v = trail_[at];
      if (open == 0) {
        clause.literals[0] = {v, values_[v] < 0};
        break;
      }
      clause.antecedents.push_back(var(v).reason);
      false_literals(var(v).reason, v, current);
    }
    note_conflict(marked);
    for (const Var v : marked) {
      seen_[v] = false;
    }
    return clause.literals[0];
  }

  bool seen(Var v) const { return v < seen_.size() && seen_[v]; }

  void mark(Var v, std::vector<Var>& marked) {
    if (v >= seen_.size()) {
      seen_.resize(vars_.size());
    }
    seen_[v] = true;
    marked.push_back(v);
  }

  // The facts behind the last, empty clause: every clause that its derivation used.
  std::vector<Fact> core() {
    std::vector<Fact> facts;
    std::vector<bool> clause_done(learned_.size());
    std::vector<bool> var_done(vars_.size());
    std::vector<bool> require_done(require_.size());
    std::vector<bool> constrain_done(constrain_.size());
    std::vector<Reason> todo = {
        {Reason::Kind::kLearned, static_cast<std::uint32_t>(learned_.size() - 1)}};
    const auto explain_var = [&](Var v) {
      if (v == kRoot || var_done[v]) {
        return;
      }
      var_done[v] = true;
      todo.push_back(var(v).reason);
      std::vector<Literal> others;
      false_literals(var(v).reason, v, others);
      for (const Literal& literal : others) {
        pending_.push_back(literal.var);
      }
    };
    while (!todo.empty() || !pending_.empty()) {
      if (todo.empty()) {
        const Var v = pending_.back();
        pending_.pop_back();
        explain_var(v);
        continue;
      }
      const Reason reason = todo.back();
      todo.pop_back();
      if (reason.kind == Reason::Kind::kRequire && !require_done[reason.index]) {
        require_done[reason.index] = true;
        const RequireClause& clause = require_[reason.index];
        facts.push_back({Fact::Kind::kRequires, parent_of(clause.parent), clause.requirement,
                         parent_of(clause.condition)});
      } else if (reason.kind == Reason::Kind::kConstrain && !constrain_done[reason.index]) {
        constrain_done[reason.index] = true;
        const ConstrainClause& clause = constrain_[reason.index];
        facts.push_back(
            {Fact::Kind::kConstrains, parent_of(clause.parent), clause.requirement, std::nullopt});
      } else if (reason.kind == Reason::Kind::kLearned && !clause_done[reason.index]) {
        clause_done[reason.index] = true;
        const LearnedClause& clause = learned_[reason.index];
        todo.insert(todo.end(), clause.antecedents.begin(), clause.antecedents.end());
        pending_.insert(pending_.end(), clause.level_zero.begin(), clause.level_zero.end());
      }
    }
    return facts;
  }

  static std::optional<SolvableId> parent_of(Var v) {
    return v == kRoot ? std::nullopt : std::optional<SolvableId>(solvable_of(v));
  }

  // --- the search
  // ---------------------------------------------------------------------------------

  Status check_interruption() {
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

  // Asks for the dependencies of everything chosen and not asked yet, all names in one batch. True:
  // there was something.
  Result<bool> expand() {
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

  // Conditional dependencies whose condition holds now become clauses. True: one did.
  bool wake_conditionals() {
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

  // Decides the first requirement, in the order of the header, that nothing satisfies yet. False:
  // all are satisfied.
  Result<bool> choose() {
    for (; chosen_trail_ < trail_.size(); ++chosen_trail_, chosen_clause_ = 0) {
      const Var parent = trail_[chosen_trail_];
      if (values_[parent] < 0) {
        continue;
      }
      const std::vector<std::uint32_t>& clauses = var(parent).own_clauses;
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

  // --- turns
  // -------------------------------------------------------------------------------------

  void take_turn(bool focused) {
    focused_ = focused;
    conflicts_in_turn_ = 0;
    undo_to(0);
  }

  void count_conflict() {
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

  // The names of a conflict count more than all those long ago.
  void note_conflict(const std::vector<Var>& vars) {
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

  // Decides the unmet requirement whose name was in conflicts most and latest; of equal ones the
  // first. False: none is unmet.
  Result<bool> choose_focused() {
    std::uint32_t best = kNone;
    double most = -1;
    for (const Var parent : trail_) {
      if (values_[parent] < 0) {
        continue;
      }
      for (const std::uint32_t clause_index : var(parent).own_clauses) {
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

  // Takes the most wanted candidate; true unless there is none, which is a conflict.
  Result<bool> decide(std::uint32_t clause_index) {
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

  // The most wanted open candidate; kNone when all are false.
  Result<Var> best_open(const RequireClause& clause) {
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

  Solution solution() {
    Solution out;
    for (const Var v : trail_) {
      if (v != kRoot && values_[v] > 0) {
        out.solvables.push_back(solvable_of(v));
      }
    }
    return out;
  }

  Provider& provider_;
  const Request& request_;
  Statistics& statistics_;

  // By variable; by name. Values and names apart: propagation looks at little else.
  std::vector<std::int8_t> values_;  // as written on the trail: 1 true, -1 false, 0 not
  std::vector<NameId> name_of_;
  std::vector<VarState> vars_;
  std::vector<Var> selected_;
  std::vector<NameState> names_;
  std::vector<RequirementState> requirements_;
  std::vector<RequireClause> require_;
  std::vector<ConstrainClause> constrain_;
  std::vector<LearnedClause> learned_;
  std::vector<Conditional> conditionals_;
  std::vector<std::pair<std::uint32_t, Var>> woken_;

  std::vector<Var> trail_;
  std::vector<std::size_t> level_starts_;
  std::size_t propagated_ = 0;
  std::size_t expand_from_ = 0;
  std::size_t chosen_trail_ = 0;  // choose() has found everything before this satisfied
  std::size_t chosen_clause_ = 0;

  bool have_conflict_ = false;
  Reason conflict_;
  Var constrained_ = kNone;        // the chosen candidate in a constrain conflict
  std::map<Var, Var> forbidding_;  // parent made false by a constraint -> the candidate that did it
  std::vector<bool> seen_;
  std::vector<Var> pending_;
  std::int64_t rounds_ = 0;

  bool focused_ = false;
  bool has_solution_ = false;
  std::int64_t conflicts_in_turn_ = 0;
  std::int64_t turn_conflicts_ = kFirstTurnConflicts;
  double activity_step_ = 1;
};

}  // namespace

Result<std::variant<Solution, Unsolvable>> solve(Provider& provider, const Request& request,
                                                 Statistics* statistics) {
  Statistics unused;
  return Search(provider, request, statistics != nullptr ? *statistics : unused).run();
}

}  // namespace cloche::resolve
