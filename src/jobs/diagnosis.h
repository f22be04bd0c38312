// What to do about a job that failed, where its end and the last of its log tell.
#pragma once

#include <string>
#include <string_view>

#include "jobs/job.h"

namespace cloche::jobs {

// What is known of the end.
struct Symptoms {
  std::int64_t exit_code = 0;
  std::int64_t signal = 0;
  bool disk_full = false;      // where the job's outputs and logs lie
  bool out_of_memory = false;  // the kernel killed a process because of the memory limit
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t shm_bytes = 0;
  std::string_view log_tail;  // the last of the log, any bytes
};

// A sentence or two for people, or "". Text of the log that stands in it is printable. Pure.
std::string diagnose(const Symptoms& symptoms);

// The package that brings a Python module where it has another name ("cv2": "opencv"), else the
// module's own first part.
std::string package_of_module(std::string_view module);

}  // namespace cloche::jobs
