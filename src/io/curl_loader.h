// libcurl is loaded when it is first needed: see curl_loader.cc.
#pragma once

#include "core/result.h"

namespace cloche::io {

// kUnavailable: libcurl is not installed. Cheap after the first call.
Status load_curl();

}  // namespace cloche::io
