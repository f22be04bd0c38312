#include "resolve/prober.h"

#include <algorithm>
#include <utility>

namespace cloche::resolve {

Prober::Prober(Provider& provider, std::int64_t steps)
    : provider_(provider), left_(steps), most_(steps / 4) {}

Result<std::optional<Prober::Outcome>> Prober::probe(Request request) {
  Statistics statistics;
  request.step_limit = std::min(left_, most_);
  auto outcome = solve(provider_, request, &statistics);
  left_ -= statistics.steps;
  if (!outcome && outcome.error().kind == ErrorKind::kUnsupported) {
    return std::optional<Outcome>();
  }
  return std::optional<Outcome>(TRY(std::move(outcome)));
}

bool is_solved(const Prober::Outcome& outcome) { return std::holds_alternative<Solution>(outcome); }

Request subset(const Request& request, const std::vector<std::size_t>& keep) {
  Request out = request;
  out.requirements.clear();
  for (const std::size_t one : keep) {
    out.requirements.push_back(request.requirements[one]);
  }
  return out;
}

}  // namespace cloche::resolve
