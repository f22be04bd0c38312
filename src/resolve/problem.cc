#include "resolve/problem.h"

#include <cstdint>
#include <utility>
#include <variant>

#include "core/check.h"
#include "resolve/conflict_reasons.h"
#include "resolve/minimal_conflict.h"
#include "resolve/prober.h"
#include "resolve/ways_out.h"

namespace cloche::resolve {
namespace {

// About 10 ns each: together less than half a second.
constexpr std::int64_t kReductionSteps = 8'000'000;
constexpr std::int64_t kWayOutSteps = 32'000'000;

Result<Conflict> told(Provider& provider, const Request& request, MinimalConflict conflict) {
  Conflict out{conflict.requirements, {}};
  out.reasons = TRY(conflict_reasons(provider, request, std::move(conflict)));
  return out;
}

void write(const std::vector<Reason>& reasons, std::size_t indent, std::string& out) {
  for (const Reason& reason : reasons) {
    out += std::string(indent, ' ') + reason.text + "\n";
    write(reason.children, indent + 2, out);
  }
}

}  // namespace

Result<Problem> explain(Provider& provider, const Request& request,
                        const std::vector<RequirementId>& relaxed, Unsolvable proof) {
  CHECK(relaxed.size() == request.requirements.size());
  std::vector<std::size_t> all(request.requirements.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = i;
  }
  Prober reduction(provider, kReductionSteps);
  const MinimalConflict first = TRY(minimal_conflict(reduction, request, all, std::move(proof)));
  Prober prober(provider, kWayOutSteps);
  WaysOut found = TRY(find_ways_out(prober, request, relaxed, first));
  Problem problem;
  problem.conflicts.push_back(TRY(told(provider, request, first)));
  for (MinimalConflict& conflict : found.further) {
    problem.conflicts.push_back(TRY(told(provider, request, std::move(conflict))));
  }
  problem.ways_out = std::move(found.ways);
  return problem;
}

Result<Problem> explain(Provider& provider, const Request& request,
                        const std::vector<RequirementId>& relaxed) {
  auto outcome = TRY(solve(provider, request));
  if (is_solved(outcome)) {
    return fail(ErrorKind::kInvalid, "there is a solution: nothing to explain");
  }
  return explain(provider, request, relaxed, std::get<Unsolvable>(std::move(outcome)));
}

std::string to_text(const std::vector<Reason>& reasons) {
  std::string out;
  write(reasons, 0, out);
  return out;
}

std::string to_text(const Problem& problem) {
  std::string out;
  for (const Conflict& conflict : problem.conflicts) {
    out += to_text(conflict.reasons);
  }
  return out;
}

}  // namespace cloche::resolve
