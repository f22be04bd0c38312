// How a container ended, and what it took.
#pragma once

#include <cstdint>
#include <string>

#include "core/json.h"
#include "core/result.h"

namespace cloche::runtime {

struct ExitStatus {
  int code = 0;                // of the command; 128 and the signal's number when a signal ended it
  int signal = 0;              // 0: it ended by itself
  bool out_of_memory = false;  // the kernel killed a process because of the memory limit
  bool out_of_pids = false;    // a process could not be started because of the limit on pids
  // Of all processes together, as far as the host counts them; else of those that were waited for.
  std::uint64_t peak_memory_bytes = 0;
  std::uint64_t cpu_user_ms = 0;
  std::uint64_t cpu_system_ms = 0;

  // Which limit ended it, in words, or "".
  std::string reason() const;

  Json to_json() const;
  static Result<ExitStatus> from_json(const Json& json);
};

}  // namespace cloche::runtime
