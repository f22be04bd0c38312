// The jobs of a workspace: read, and changed with the events that say so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "jobs/job.h"
#include "jobs/run_directory.h"
#include "workspace/run_history.h"

namespace cloche::jobs {

// The workspace outlives it. One thread.
class JobBook {
 public:
  explicit JobBook(workspace::RunHistory history) : history_(std::move(history)) {}

  workspace::RunHistory& history() { return history_; }
  std::int64_t now_ms() const { return history_.clock().now_ms(); }
  const std::string& workspace() const { return history_.directory(); }
  RunDirectory directory(std::string_view name) const { return {workspace(), std::string(name)}; }

  // Enters a job: its name is made where it has none, and it is the caller's to prepare, as long as
  // the result lives. kConflict: the name is taken.
  Result<io::FileLock> add(Job& job);

  Result<Job> get(std::string_view name);
  Result<std::vector<Job>> list(const workspace::JobQuery& query);

  // Changes a job as it is at that moment, in one transaction, and wakes who waits for it. A
  // change of the status is an event, and the beginning of a stage. An error of `change` leaves
  // everything as it was.
  Result<Job> change(std::string_view name, const std::function<Status(Job&)>& change);

  // Only an event: "warning", "container", ...
  Status note(const Job& job, std::string_view kind, std::string_view detail);

 private:
  workspace::RunHistory history_;
};

// Gives the job a status and what belongs to it: the time of the stage, or of the end.
void enter(Job& job, JobStatus status, std::int64_t now);

// The end of a job that failed: the stage it was in, and why.
void fail_job(Job& job, std::string reason, std::int64_t now);

}  // namespace cloche::jobs
