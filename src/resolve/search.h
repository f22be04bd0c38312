// The search behind solve(), in short.
//
// A variable is a solvable; variable 0 is the request itself and always true. Three kinds of
// clause:
//   require: not parent, or not condition, or one of the matching candidates; made when the parent
//     is chosen
//   constrain: not parent, or not c, for each candidate c of the name that does not match
//   learned: what a conflict taught
//
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
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "core/check.h"
#include "core/result.h"
#include "resolve/ids.h"
#include "resolve/provider.h"
#include "resolve/solver.h"

namespace cloche::resolve::cdcl {

using Var = std::uint32_t;  // 0 is the request, solvable s is index(s) + 1
inline constexpr Var kRoot = 0;
inline constexpr std::uint32_t kNone = UINT32_MAX;
inline constexpr std::int64_t kFirstTurnConflicts = 1000;  // an ordinary request has a few hundred

inline Var var_of(SolvableId id) { return index(id) + 1; }
inline SolvableId solvable_of(Var v) { return static_cast<SolvableId>(v - 1); }

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
  std::uint32_t clauses = kNone;  // its place among the VarClauses; most variables have none
};

struct VarClauses {
  std::vector<std::uint32_t> own;          // require clauses with this parent
  std::vector<std::uint32_t> conditional;  // require clauses with this condition
  std::vector<std::uint32_t> watching;     // require clauses that watch this candidate
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

  Result<std::variant<Solution, Unsolvable>> run();

 private:
  // --- state ---

  // Every variable and name is made known by load_name() before anything is asked of it.
  VarState& var(Var v) { return vars_[v]; }
  // Those of a variable that has some; for reading.
  const VarClauses& clauses_of(Var v) const {
    const std::uint32_t place = vars_[v].clauses;
    return place == kNone ? kNoClauses : var_clauses_[place];
  }
  // For writing. Good until the next variable gets its first clause.
  VarClauses& make_clauses(Var v) {
    std::uint32_t& place = vars_[v].clauses;
    if (place == kNone) {
      place = static_cast<std::uint32_t>(var_clauses_.size());
      var_clauses_.emplace_back();
    }
    return var_clauses_[place];
  }
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

  // --- asking the provider ---

  Status load_name(NameId id);
  Status load_requirement(RequirementId id);

  bool matches(RequirementId id, SolvableId solvable) const {
    const RequirementState& state = requirements_[index(id)];
    const std::uint32_t place = index(solvable) - state.first;  // huge when below the first
    return place < state.bits.size() && state.bits[place];
  }

  Status prefetch(const std::vector<Dependencies>& all);

  // --- clauses ---

  Status begin();
  Status add_clauses(Var parent, const Dependencies& dependencies);
  void add_require(Var parent, Var condition, RequirementId requirement);
  // Open candidates first; then those that became false last, so that a jump back finds the watches
  // open again.
  void pick_watches(RequireClause& clause);
  void add_constrain(Var parent, RequirementId requirement);

  // --- propagation ---

  // Unit or conflicting? Called whenever something that the clause looks at has changed.
  void check_require(std::uint32_t clause_index);

  // Whether a matching candidate is selected.
  bool satisfied(RequirementId id) {
    return std::ranges::any_of(requirement_state(id).names, [&](NameId name) {
      const Var chosen = selected(name);
      return chosen != kNone && matches(id, solvable_of(chosen));
    });
  }

  void apply_constrain(std::uint32_t clause_index);

  void set_conflict(Reason reason) {
    have_conflict_ = true;
    conflict_ = reason;
  }

  bool propagate();
  void became_true(Var v);
  void check_each(const std::vector<std::uint32_t>& clauses);
  // A package that constrains this name otherwise cannot be in.
  void forbid_constraining_parents(Var v, NameId name);
  void became_false(Var v);
  // Whether the clause found another candidate that is not false to watch instead of v.
  bool move_watch(std::uint32_t clause_index, Var v);
  // The learned clauses of a watch list after v got a value; those that found another literal to
  // watch leave the list.
  void visit_learned(bool positive, Var v);

  bool same_list(const Literal& a, const Literal& b) {
    if (a.positive != b.positive) {
      return false;
    }
    return a.positive ? name_of(a.var) == name_of(b.var) : a.var == b.var;
  }

  // Returns whether the clause still watches a literal of this list.
  bool visit_one(std::uint32_t clause_index, bool positive, Var v);
  void watch_learned(std::uint32_t clause_index, const Literal& literal);

  // --- conflicts ---

  // Appends a literal that is false now; in place of one that is false only because another of its
  // name is selected, that selection.
  void push_false(Var v, bool positive, std::vector<Literal>& out);
  // The literals of a reason that are false; `implied` is left out (kNone for a conflict).
  void false_literals(const Reason& reason, Var implied, std::vector<Literal>& out);
  // First unique implication point. False: there is no solution.
  bool learn();
  // Fills the clause (the asserting literal first) and returns the asserting literal.
  Literal resolve_to_uip(std::vector<Literal> current, LearnedClause& clause);
  bool seen(Var v) const { return v < seen_.size() && seen_[v]; }
  void mark(Var v, std::vector<Var>& marked);
  // The facts behind the last, empty clause: every clause that its derivation used.
  std::vector<Fact> core();

  static std::optional<SolvableId> parent_of(Var v) {
    return v == kRoot ? std::nullopt : std::optional<SolvableId>(solvable_of(v));
  }

  // --- the search ---

  Status check_interruption();
  // Asks for the dependencies of everything chosen and not asked yet, all names in one batch. True:
  // there was something.
  Result<bool> expand();
  // Conditional dependencies whose condition holds now become clauses. True: one did.
  bool wake_conditionals();
  // Decides the first requirement, in the order of the header, that nothing satisfies yet. False:
  // all are satisfied.
  Result<bool> choose();

  // --- turns ---

  void take_turn(bool focused);
  void count_conflict();
  // The names of a conflict count more than all those long ago.
  void note_conflict(const std::vector<Var>& vars);
  // Decides the unmet requirement whose name was in conflicts most and latest; of equal ones the
  // first. False: none is unmet.
  Result<bool> choose_focused();
  // Takes the most wanted candidate; true unless there is none, which is a conflict.
  Result<bool> decide(std::uint32_t clause_index);
  // The most wanted open candidate; kNone when all are false.
  Result<Var> best_open(const RequireClause& clause);
  Solution solution();

  static inline const VarClauses kNoClauses{};

  Provider& provider_;
  const Request& request_;
  Statistics& statistics_;

  // By variable; by name. Values and names apart: propagation looks at little else.
  std::vector<std::int8_t> values_;  // as written on the trail: 1 true, -1 false, 0 not
  std::vector<NameId> name_of_;
  std::vector<VarState> vars_;
  std::vector<VarClauses> var_clauses_;
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

}  // namespace cloche::resolve::cdcl
