// The time, as a seam: whoever writes a time receives a Clock. Nothing that is hashed asks one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t now_ms() = 0;  // milliseconds since 1970-01-01 UTC
};

// RFC 3339 in UTC: "2026-11-20T23:50:23.123Z".
std::string to_rfc3339(std::int64_t ms);

}  // namespace cloche
