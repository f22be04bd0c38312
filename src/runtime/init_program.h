// The program of init/main.cc, which this one carries.
#pragma once

#include <string>

#include "core/result.h"

namespace cloche::runtime {

// Where it lies on the disk: <cache>/init-<digest>; written when it is not there.
Result<std::string> init_program(const std::string& cache);

}  // namespace cloche::runtime
