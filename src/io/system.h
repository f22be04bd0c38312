// What the process is told by its surroundings.
#pragma once

#include <string>

#include "core/clock.h"

namespace cloche::io {

std::string environment_variable(const char* name);  // "" when unset

// The person at the keyboard: the account's name, else "uid 1234".
std::string user_name();

// The current directory, or "." when it was removed under us.
std::string current_directory();

class SystemClock : public Clock {
 public:
  std::int64_t now_ms() override;
};

}  // namespace cloche::io
