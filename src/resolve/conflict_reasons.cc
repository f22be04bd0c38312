// How a smallest conflict becomes sentences.
//
// The proof's facts are "P needs R" and "P allows only R". A requirement is told by its candidates:
// those whose facts are about the same names are one group ("numpy 2.3.0 to 2.5.2 need
// python 3.11.* or 3.12.*"), and what they need is told below them. A candidate without facts of
// its own is out because something else wants another one of its name; that is told where that
// something stands, so here the telling ends. A requirement that was told above is not told again.
#include "resolve/conflict_reasons.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace cloche::resolve {
namespace {

// Makes a proof plainer: a candidate of the request that itself asks for something else of a name
// which another requirement of the conflict is about needs no other reason; the solver's may go
// through helpers (python_abi) where this one names python. Where all candidates of a requirement
// have such a reason, nothing else has to be told at all.
class PlainProof {
 public:
  PlainProof(Provider& provider, const Request& request, const std::vector<std::size_t>& conflict)
      : provider_(provider) {
    for (const std::size_t one : conflict) {
      roots_.push_back(request.requirements[one]);
    }
  }

  Status apply(Unsolvable& proof) {
    for (const RequirementId root : roots_) {
      const auto matching = TRY(provider_.matching(root));
      std::vector<Fact> facts;
      for (const SolvableId one : matching) {
        if (auto fact = TRY(refute(one, root))) {
          facts.push_back(*fact);
        }
      }
      if (!matching.empty() && facts.size() == matching.size()) {
        proof.facts = std::move(facts);
        return {};
      }
      for (const Fact& fact : facts) {
        std::erase_if(proof.facts, [&](const Fact& one) { return one.parent == fact.parent; });
      }
      proof.facts.insert(proof.facts.end(), facts.begin(), facts.end());
    }
    return {};
  }

 private:
  Result<std::optional<Fact>> refute(SolvableId one, RequirementId root) {
    const Dependencies dependencies = TRY(provider_.dependencies(one));
    for (const Dependency& dependency : dependencies.requirements) {
      if (!dependency.condition && TRY(clashes(dependency.requirement, root))) {
        return std::optional(Fact{Fact::Kind::kRequires, one, dependency.requirement, {}});
      }
    }
    for (const RequirementId constraint : dependencies.constraints) {
      if (TRY(clashes(constraint, root))) {
        return std::optional(Fact{Fact::Kind::kConstrains, one, constraint, {}});
      }
    }
    return std::optional<Fact>();
  }

  // Whether a requirement and one of the roots but `except` allow no candidate in common.
  Result<bool> clashes(RequirementId requirement, RequirementId except) {
    const auto [known, added] = clashes_.try_emplace({requirement, except});
    if (!added) {
      return known->second;
    }
    for (const RequirementId root : roots_) {
      if (root == except || !same_name(root, requirement)) {
        continue;
      }
      const auto wanted = TRY(provider_.matching(root));
      const auto allowed = TRY(provider_.matching(requirement));
      const bool common = std::ranges::any_of(
          wanted, [&](SolvableId one) { return std::ranges::find(allowed, one) != allowed.end(); });
      known->second = known->second || !common;
    }
    return known->second;
  }

  bool same_name(RequirementId a, RequirementId b) {
    const auto names_a = provider_.names(a);
    const auto names_b = provider_.names(b);
    return names_a.size() == 1 && names_b.size() == 1 && names_a.front() == names_b.front();
  }

  Provider& provider_;
  std::vector<RequirementId> roots_;
  std::map<std::pair<RequirementId, RequirementId>, bool> clashes_;
};

class Teller {
 public:
  Teller(Provider& provider, const Unsolvable& proof) : provider_(provider) {
    for (const Fact& fact : proof.facts) {
      if (fact.parent) {
        by_parent_[*fact.parent].push_back(fact);
      }
    }
  }

  // What is the matter with requirements of the same names, told below the sentence that has them.
  Result<std::vector<Reason>> tell(const std::vector<RequirementId>& requirements, int depth) {
    std::vector<Reason> out;
    std::vector<SolvableId> candidates;
    for (const RequirementId requirement : requirements) {
      const auto matching = TRY(provider_.matching(requirement));
      if (matching.empty()) {
        append_new(out, Reason{TRY(provider_.why_none(requirement)), std::nullopt, {}});
      } else if (told_.insert(requirement).second) {
        std::ranges::copy_if(matching, std::back_inserter(candidates),
                             [&](SolvableId one) { return seen_.insert({depth, one}).second; });
      }
    }
    if (depth < kMaxDepth) {
      for (const Group& group : groups(candidates)) {
        TRY(tell_group(group, depth, out));
      }
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

  std::vector<Group> groups(const std::vector<SolvableId>& matching) {
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
    const bool several = who != provider_.to_string(group.candidates.front());
    for (const Need& need : group.needs) {
      const std::string_view verb = need.kind == Fact::Kind::kRequires
                                        ? (several ? "need" : "needs")
                                        : (several ? "allow only" : "allows only");
      Reason reason{fmt::format("{} {} {}", who, verb, provider_.to_string(need.requirements)),
                    std::nullopt,
                    {}};
      if (need.kind == Fact::Kind::kRequires) {
        reason.children = TRY(tell(need.requirements, depth + 1));
      }
      out.push_back(std::move(reason));
    }
    return {};
  }

  // One requirement may end as another did: said once.
  static void append_new(std::vector<Reason>& to, Reason reason) {
    if (std::ranges::find(to, reason.text, &Reason::text) == to.end()) {
      to.push_back(std::move(reason));
    }
  }

  Provider& provider_;
  std::map<SolvableId, std::vector<Fact>> by_parent_;
  std::set<RequirementId> told_;
  std::set<std::pair<int, SolvableId>> seen_;  // with the depth
};

}  // namespace

Result<std::vector<Reason>> conflict_reasons(Provider& provider, const Request& request,
                                             MinimalConflict conflict) {
  TRY(PlainProof(provider, request, conflict.requirements).apply(conflict.proof));
  Teller teller(provider, conflict.proof);
  std::vector<Reason> out;
  for (const std::size_t one : conflict.requirements) {
    Reason root{provider.to_string(request.requirements[one]), one, {}};
    root.children = TRY(teller.tell({request.requirements[one]}, 0));
    out.push_back(std::move(root));
  }
  return out;
}

}  // namespace cloche::resolve
