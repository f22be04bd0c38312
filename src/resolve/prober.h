// Variations of a request, solved with a common purse of steps. For the explanations of this
// folder.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/result.h"
#include "resolve/provider.h"
#include "resolve/solver.h"

namespace cloche::resolve {

// So that an explanation takes its share of time at most, the same on every machine. A single
// question may spend a quarter of the purse.
class Prober {
 public:
  using Outcome = std::variant<Solution, Unsolvable>;

  Prober(Provider& provider, std::int64_t steps);

  // Nothing: it stays open.
  Result<std::optional<Outcome>> probe(Request request);

  Provider& provider() { return provider_; }

 private:
  Provider& provider_;
  std::int64_t left_;
  std::int64_t most_;
};

bool is_solved(const Prober::Outcome& outcome);

// The request with only these of its requirements, in this order.
Request subset(const Request& request, const std::vector<std::size_t>& keep);

}  // namespace cloche::resolve
