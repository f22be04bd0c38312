// What a conflict teaches, and the proof that there is no solution.
#include <algorithm>

#include "resolve/search.h"

namespace cloche::resolve::cdcl {

void Search::push_false(Var v, bool positive, std::vector<Literal>& out) {
  const Var from = source(v);
  out.push_back(from == v ? Literal{v, positive} : Literal{from, false});
}

void Search::false_literals(const Reason& reason, Var implied, std::vector<Literal>& out) {
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

bool Search::learn() {
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

Literal Search::resolve_to_uip(std::vector<Literal> current, LearnedClause& clause) {
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

void Search::mark(Var v, std::vector<Var>& marked) {
  if (v >= seen_.size()) {
    seen_.resize(vars_.size());
  }
  seen_[v] = true;
  marked.push_back(v);
}

std::vector<Fact> Search::core() {
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

}  // namespace cloche::resolve::cdcl
