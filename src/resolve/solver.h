// A lazily grounded CDCL solver: conflict-driven clause learning over "this package is in", where
// candidates and their dependencies are asked for only when the search reaches them.
//
// Which solution: decisions are taken in one fixed order (the root requirements as given, then the
// requirements of the packages chosen, in the order they were chosen) and each takes the most
// wanted candidate that is not yet refuted. Learned clauses are consequences, and nothing else
// changes the order; so the answer is the lexicographically best one: the first requirement gets
// its best candidate that any solution has, the second its best given the first, and so on.
// (A requirement with alternative names that something chosen meets already is left at that.)
// docs/formats/solving.md says what that means for each ecosystem. Same input, same answer: no
// clock, no random, no threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "resolve/ids.h"
#include "resolve/provider.h"

namespace cloche::resolve {

struct Request {
  std::vector<RequirementId> requirements;  // in the order of importance
  std::vector<RequirementId> constraints;   // only if present
  std::stop_token stop;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  // How many steps (Statistics) to take at most: a bound that, unlike a deadline, is the same each
  // time. For questions that may stay open.
  std::optional<std::int64_t> step_limit = std::nullopt;
};

// In the order they were chosen: what was asked for first, dependencies behind.
struct Solution {
  std::vector<SolvableId> solvables;
};

// One of the statements that together have no solution. Besides these, only one solvable of a name
// can be in.
struct Fact {
  enum class Kind { kRequires, kConstrains };
  Kind kind = Kind::kRequires;
  std::optional<SolvableId> parent;  // nothing: the request itself
  RequirementId requirement{};
  std::optional<SolvableId> condition;  // the requirement held because this was in
  bool operator==(const Fact&) const = default;
};

// No solution. The facts are those that the proof used; see problem.h for a text.
struct Unsolvable {
  std::vector<Fact> facts;
};

struct Statistics {
  std::int64_t decisions = 0;
  std::int64_t conflicts = 0;
  std::int64_t learned = 0;
  std::int64_t expanded = 0;  // solvables whose dependencies were asked for
  std::int64_t steps = 0;     // clauses looked at: what time is spent on
};

// kCancelled: the stop token; kUnavailable: the deadline passed; kUnsupported: the step limit was
// reached; and whatever the provider's calls
// fail with. Nothing is kept between calls.
Result<std::variant<Solution, Unsolvable>> solve(Provider& provider, const Request& request,
                                                 Statistics* statistics = nullptr);

// Whether the solvables are a solution of the request: every requirement met, every constraint
// kept, one per name. An independent reading of the definition, for tests and for locks from
// elsewhere. kInvalid says what is wrong.
Status check_solution(Provider& provider, const Request& request,
                      const std::vector<SolvableId>& solvables);

}  // namespace cloche::resolve
