#include "resolve/solver.h"

#include "resolve/search.h"

namespace cloche::resolve {

Result<std::variant<Solution, Unsolvable>> solve(Provider& provider, const Request& request,
                                                 Statistics* statistics) {
  Statistics unused;
  return cdcl::Search(provider, request, statistics != nullptr ? *statistics : unused).run();
}

}  // namespace cloche::resolve
