// A port where the ranks of a job can meet.
#pragma once

#include "core/result.h"

namespace cloche::jobs {

// A TCP port of this machine that nobody listens on now. kUnavailable: there is none.
Result<int> free_port();

}  // namespace cloche::jobs
