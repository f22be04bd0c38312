// This machine, as the queue sees it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cloche::jobs {

struct Machine {
  std::string host;
  std::string boot_id;  // another one after each start of the machine
  std::int64_t milli_cpus = 1000;
  std::uint64_t memory_bytes = 0;
  std::vector<std::string> gpus;  // by their qualified names (runtime/gpus.h)
};

// What this process may use of it.
Machine this_machine();

}  // namespace cloche::jobs
