// Following a job: its events and its log, from the first byte to the end, whenever one begins.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/result.h"
#include "jobs/job_book.h"

namespace cloche::jobs {

// Receives what there is; an error ends the following.
class FollowListener {
 public:
  virtual ~FollowListener() = default;
  virtual Status event(const workspace::JobEvent& event) = 0;
  virtual Status output(std::string_view bytes) = 0;  // parts of the log, any bytes
};

struct FollowOptions {
  // Not the command, but what prepares the job, until it is Queued or has ended; what is given is
  // the log of that (system_logs/supervisor.log).
  bool preparation = false;
  int rank = 0;               // whose log
  std::int64_t since_ms = 0;  // only what was written then and later; 0: all
  bool until_end = true;      // false: what there is now
  // Called when the job's preparer or supervisor has died: attend().
  std::function<Status()> revive = {};
};

// The job as it is at the end. Waits for changes, without looking again and again. kNotFound: no
// such job, no such rank; kCancelled: stopped.
Result<Job> follow(JobBook& book, const std::string& name, const FollowOptions& options,
                   FollowListener& listener, const std::stop_token& stop);

}  // namespace cloche::jobs
