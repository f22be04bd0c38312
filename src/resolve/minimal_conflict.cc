#include "resolve/minimal_conflict.h"

#include <set>
#include <utility>
#include <variant>

namespace cloche::resolve {
namespace {

// The root requirements that a proof used.
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

}  // namespace

Result<MinimalConflict> minimal_conflict(Prober& prober, const Request& request,
                                         const std::vector<std::size_t>& among, Unsolvable proof) {
  std::vector<std::size_t> current = used_requirements(request, among, proof);
  for (std::size_t i = 0; i < current.size();) {
    std::vector<std::size_t> without = current;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    auto rest = TRY(prober.probe(subset(request, without)));
    if (!rest || is_solved(*rest)) {
      ++i;
      continue;
    }
    proof = std::get<Unsolvable>(std::move(*rest));
    // What stands before i was needed with more around it, so it still is.
    current = used_requirements(request, without, proof);
  }
  return MinimalConflict{std::move(current), std::move(proof)};
}

}  // namespace cloche::resolve
