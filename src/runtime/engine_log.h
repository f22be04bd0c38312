// What runc or crun say when a container does not start.
#pragma once

#include <string_view>

#include "core/error.h"

namespace cloche::runtime {

// The last error of a log in JSON lines ({"level", "msg", "time"}); lines that are none are passed
// over. kUnsupported.
Error engine_error(std::string_view log);

}  // namespace cloche::runtime
