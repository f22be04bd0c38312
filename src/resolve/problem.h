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

// A change that was solved, not guessed.
struct WayOut {
  std::size_t requirement = 0;  // which one to loosen
  std::optional<SolvableId>
      instead;  // what the solution then holds of that name; nothing: only without it
  std::optional<std::size_t> also;  // a second one to leave out together with it
};

struct Problem {
  // The requirements of a smallest conflict: leaving any one of them out resolves it (or no answer
  // to that was found in reasonable time).
  std::vector<std::size_t> requirements;
  std::vector<Reason> reasons;  // one for each of them, in their order
  std::vector<WayOut>
      ways_out;  // by requirement; those that keep the name before those that drop it
};

// Explains a request that solve() found to have no solution. `relaxed` gives, for each requirement,
// one for the same names without conditions ("python" for "python=3.13"). Costs one solve for each
// requirement that takes part and one or two for each way out. kInvalid: the request has a solution
// after all; else as solve().
Result<Problem> explain(Provider& provider, const Request& request,
                        const std::vector<RequirementId>& relaxed);

// The tree as indented lines without places, for tests and logs.
std::string to_text(const std::vector<Reason>& reasons);

}  // namespace cloche::resolve
