// Why a request has no solution, in a form that a person understands, and proven ways out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "resolve/solver.h"

namespace cloche::resolve {

// A tree of sentences. A root stands for one requirement of the request.
struct Reason {
  std::string text;
  std::optional<std::size_t>
      requirement;  // roots: the index into Request::requirements, for file and line
  std::vector<Reason> children;
};

struct Change {
  std::size_t requirement = 0;  // which one to loosen
  // What the solution then holds of that name; nothing: only without it.
  std::optional<SolvableId> instead;

  bool operator==(const Change&) const = default;
};

// Changes that, all together, were solved, not guessed. By requirement, never none.
struct WayOut {
  std::vector<Change> changes;

  bool operator==(const WayOut&) const = default;
};

// A smallest set of requirements that collide: leaving any one of them out resolves it (or no
// answer to that was found in reasonable time).
struct Conflict {
  std::vector<std::size_t> requirements;
  std::vector<Reason> reasons;  // one for each of them, in their order
};

struct Problem {
  // At least one. More when no single change helps: each is among what is left when one requirement
  // of every conflict before it is given up.
  std::vector<Conflict> conflicts;
  // Those of one change by requirement, those that keep the name before those that drop it; else
  // at most two of several changes.
  std::vector<WayOut> ways_out;
};

// Explains a request that solve() proved to have no solution. `relaxed` gives, for each
// requirement, one for the same names without conditions ("python" for "python=3.13"). Costs one
// solve for each requirement that takes part and one or two for each way out, within a number of
// steps that is fixed. Errors as solve().
Result<Problem> explain(Provider& provider, const Request& request,
                        const std::vector<RequirementId>& relaxed, Unsolvable proof);

// The same with a proof of its own. kInvalid: the request has a solution after all.
Result<Problem> explain(Provider& provider, const Request& request,
                        const std::vector<RequirementId>& relaxed);

// The tree as indented lines without places, for tests and logs.
std::string to_text(const std::vector<Reason>& reasons);
std::string to_text(const Problem& problem);

}  // namespace cloche::resolve
