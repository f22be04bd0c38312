// An unsolvable request as an error that a person can act on: what collides, in which line of which
// file it is asked for, and the changes that were proven to help.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "core/location.h"
#include "resolve/problem.h"

namespace cloche::build {

// A requirement as its author wrote it.
struct Asked {
  std::string text;  // "python=3.9"
  std::string name;  // "python"
  Location at;       // empty for one that nobody wrote (pip, for a pip section)
};

// `asked` stands beside Request::requirements; several may be of one line (extras). kConflict.
Error conflict_error(const resolve::Problem& problem, const std::vector<Asked>& asked,
                     resolve::Provider& provider);

}  // namespace cloche::build
