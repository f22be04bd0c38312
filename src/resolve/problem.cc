// How a smallest conflict becomes sentences.
//
// The proof's facts are "P needs R" and "P allows only R". A requirement is told by its candidates:
// those whose facts are about the same names are one group ("numpy 2.3.0 to 2.5.2 need
// python 3.11.* or 3.12.*"), and what they need is told below them. A candidate without facts of
// its own is out because something else wants another one of its name; that is told where that
// something stands, so here the telling ends. A requirement that was told above is not told again.
#include "resolve/problem.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"

namespace cloche::resolve {
namespace {

Request subset(const Request& request, const std::vector<std::size_t>& keep) {
  Request out = request;
  out.requirements.clear();
  for (const std::size_t one : keep) {
    out.requirements.push_back(request.requirements[one]);
  }
  return out;
}

bool solved(const std::variant<Solution, Unsolvable>& outcome) {
  return std::holds_alternative<Solution>(outcome);
}

// The root requirements that a proof used, as indices into the request.
std::vector<std::size_t> used_requirements(const Request& request,
                                           const std::vector<std::size_t>& among,
                                           const Unsolvable& proof) {
  std::set<RequirementId> used;
  for (const Fact& fact : proof.facts) {
    if (!fact.parent && fact.kind == Fact::Kind::kRequires) {
      used.insert(fact.requirement);
    }
  }
  std::vector<std::size_t> out;
  for (const std::size_t one : among) {
    if (used.contains(request.requirements[one])) {
      out.push_back(one);
    }
  }
  return out;
}

struct MinimalConflict {
  std::vector<std::size_t> requirements;
  Unsolvable proof;
};

// Deletion: leave out one after the other; what makes the rest solvable stays. Each proof shrinks
// the set by itself, too.
Result<MinimalConflict> minimal_conflict(Provider& provider, const Request& request) {
  std::vector<std::size_t> current(request.requirements.size());
  for (std::size_t i = 0; i < current.size(); ++i) {
    current[i] = i;
  }
  auto outcome = TRY(solve(provider, request));
  if (solved(outcome)) {
    return fail(ErrorKind::kInvalid, "there is a solution: nothing to explain");
  }
  Unsolvable proof = std::get<Unsolvable>(std::move(outcome));
  current = used_requirements(request, current, proof);
  for (std::size_t i = 0; i < current.size();) {
    std::vector<std::size_t> without = current;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    auto rest = TRY(solve(provider, subset(request, without)));
    if (solved(rest)) {
      ++i;
      continue;
    }
    proof = std::get<Unsolvable>(std::move(rest));
    // What stands before i was needed with more around it, so it still is.
    current = used_requirements(request, without, proof);
  }
  return MinimalConflict{current, std::move(proof)};
}

class Teller {
 public:
  Teller(Provider& provider, const Unsolvable& proof) : provider_(provider) {
    for (const Fact& fact : proof.facts) {
      if (fact.parent) {
        by_parent_[*fact.parent].push_back(fact);
      }
    }
  }

  // What is the matter with a requirement, told below the sentence that names it.
  Result<std::vector<Reason>> tell(RequirementId requirement, int depth) {
    const auto matching = TRY(provider_.matching(requirement));
    if (matching.empty()) {
      return std::vector<Reason>{{TRY(provider_.why_none(requirement)), std::nullopt, {}}};
    }
    std::vector<Reason> out;
    if (depth >= kMaxDepth || !told_.insert(requirement).second) {
      return out;
    }
    for (const Group& group : groups(matching)) {
      TRY(tell_group(group, depth, out));
    }
    return out;
  }

 private:
  static constexpr int kMaxDepth = 24;

  // Candidates whose facts are about the same names, best first, and what each of those says.
  struct Need {
    Fact::Kind kind = Fact::Kind::kRequires;
    std::vector<NameId> names;
    std::vector<RequirementId> requirements;  // in the order of the candidates

    auto key() const { return std::tie(kind, names); }
  };
  struct Group {
    std::vector<Need> needs;
    std::vector<SolvableId> candidates;
  };

  std::vector<Need> needs_of(SolvableId candidate) {
    std::vector<Need> out;
    const auto found = by_parent_.find(candidate);
    if (found == by_parent_.end()) {
      return out;
    }
    for (const Fact& fact : found->second) {
      const auto names = provider_.names(fact.requirement);
      Need need{fact.kind, {names.begin(), names.end()}, {fact.requirement}};
      const auto same =
          std::ranges::find_if(out, [&](const Need& one) { return one.key() == need.key(); });
      if (same == out.end()) {
        out.push_back(std::move(need));
      } else {
        add_new(same->requirements, need.requirements);
      }
    }
    std::ranges::sort(out, [](const Need& a, const Need& b) { return a.key() < b.key(); });
    return out;
  }

  static void add_new(std::vector<RequirementId>& to, const std::vector<RequirementId>& from) {
    for (const RequirementId one : from) {
      if (std::ranges::find(to, one) == to.end()) {
        to.push_back(one);
      }
    }
  }

  std::vector<Group> groups(std::span<const SolvableId> matching) {
    std::vector<Group> out;
    for (const SolvableId one : matching) {
      std::vector<Need> needs = needs_of(one);
      const auto same = std::ranges::find_if(out, [&](const Group& group) {
        return std::ranges::equal(group.needs, needs, {}, &Need::key, &Need::key);
      });
      if (same == out.end()) {
        out.push_back({std::move(needs), {one}});
        continue;
      }
      same->candidates.push_back(one);
      for (std::size_t i = 0; i < needs.size(); ++i) {
        add_new(same->needs[i].requirements, needs[i].requirements);
      }
    }
    return out;
  }

  Status tell_group(const Group& group, int depth, std::vector<Reason>& out) {
    const std::string who = provider_.to_string(group.candidates);
    const bool several = group.candidates.size() > 1;
    for (const Need& need : group.needs) {
      const std::string_view verb = need.kind == Fact::Kind::kRequires
                                        ? (several ? "need" : "needs")
                                        : (several ? "allow only" : "allows only");
      Reason reason{fmt::format("{} {} {}", who, verb, provider_.to_string(need.requirements)),
                    std::nullopt,
                    {}};
      if (need.kind == Fact::Kind::kRequires) {
        for (const RequirementId requirement : need.requirements) {
          append_new(reason.children, TRY(tell(requirement, depth + 1)));
        }
      }
      out.push_back(std::move(reason));
    }
    return {};
  }

  // One requirement of a group may end as another did: said once.
  static void append_new(std::vector<Reason>& to, std::vector<Reason> from) {
    for (Reason& reason : from) {
      if (std::ranges::find(to, reason.text, &Reason::text) == to.end()) {
        to.push_back(std::move(reason));
      }
    }
  }

  Provider& provider_;
  std::map<SolvableId, std::vector<Fact>> by_parent_;
  std::set<RequirementId> told_;
};

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

class WaysOut {
 public:
  WaysOut(Provider& provider, const Request& request, const std::vector<RequirementId>& relaxed)
      : provider_(provider), request_(request), relaxed_(relaxed) {}

  Result<std::vector<WayOut>> find(const std::vector<std::size_t>& conflict) {
    std::vector<WayOut> keeping;
    std::vector<WayOut> dropping;
    for (const std::size_t one : conflict) {
      if (auto way = TRY(loosen(one))) {
        keeping.push_back(*way);
      } else if (TRY(solvable_without({one}))) {
        dropping.push_back({one, std::nullopt, std::nullopt});
      }
    }
    keeping.insert(keeping.end(), dropping.begin(), dropping.end());
    if (keeping.empty()) {
      return pairs(conflict);
    }
    return keeping;
  }

 private:
  // Another version of the same name.
  Result<std::optional<WayOut>> loosen(std::size_t one) {
    if (relaxed_[one] == request_.requirements[one]) {
      return std::optional<WayOut>();
    }
    Request changed = request_;
    changed.requirements[one] = relaxed_[one];
    // Everything else keeps its place; what is loosened comes last, so that it gives way and
    // nothing else does.
    std::rotate(changed.requirements.begin() + static_cast<std::ptrdiff_t>(one),
                changed.requirements.begin() + static_cast<std::ptrdiff_t>(one) + 1,
                changed.requirements.end());
    const auto outcome = TRY(solve(provider_, changed));
    if (!solved(outcome)) {
      return std::optional<WayOut>();
    }
    const auto instead = TRY(chosen(provider_, relaxed_[one], std::get<Solution>(outcome)));
    return std::optional(WayOut{one, instead, std::nullopt});
  }

  Result<bool> solvable_without(const std::vector<std::size_t>& left_out) {
    std::vector<std::size_t> keep;
    for (std::size_t i = 0; i < request_.requirements.size(); ++i) {
      if (std::ranges::find(left_out, i) == left_out.end()) {
        keep.push_back(i);
      }
    }
    return solved(TRY(solve(provider_, subset(request_, keep))));
  }

  // Two conflicts at once: one requirement of the first and one of what is then left.
  Result<std::vector<WayOut>> pairs(const std::vector<std::size_t>& conflict) {
    constexpr std::size_t kMostPairs = 4;
    std::vector<WayOut> out;
    for (const std::size_t one : conflict) {
      for (std::size_t other = 0; other < request_.requirements.size() && out.size() < kMostPairs;
           ++other) {
        if (other != one && TRY(solvable_without({one, other}))) {
          out.push_back({one, std::nullopt, other});
        }
      }
    }
    return out;
  }

  Provider& provider_;
  const Request& request_;
  const std::vector<RequirementId>& relaxed_;
};

void write(const std::vector<Reason>& reasons, std::size_t indent, std::string& out) {
  for (const Reason& reason : reasons) {
    out += std::string(indent, ' ') + reason.text + "\n";
    write(reason.children, indent + 2, out);
  }
}

}  // namespace

Result<Problem> explain(Provider& provider, const Request& request,
                        const std::vector<RequirementId>& relaxed) {
  CHECK(relaxed.size() == request.requirements.size());
  const MinimalConflict conflict = TRY(minimal_conflict(provider, request));
  Problem problem;
  problem.requirements = conflict.requirements;
  Teller teller(provider, conflict.proof);
  for (const std::size_t one : conflict.requirements) {
    Reason root{provider.to_string(request.requirements[one]), one, {}};
    root.children = TRY(teller.tell(request.requirements[one], 0));
    problem.reasons.push_back(std::move(root));
  }
  problem.ways_out = TRY(WaysOut(provider, request, relaxed).find(conflict.requirements));
  return problem;
}

std::string to_text(const std::vector<Reason>& reasons) {
  std::string out;
  write(reasons, 0, out);
  return out;
}

}  // namespace cloche::resolve
