#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace cloche::detail {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "cloche: a bug: %s does not hold at %s:%d; please report it\n", condition,
               file, line);
  std::abort();
}

}  // namespace cloche::detail
