// What the job commands share: the jobs of the workspace, this machine, supervisors.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/context.h"
#include "jobs/job_book.h"
#include "jobs/machine.h"
#include "jobs/queue.h"

namespace cloche::cli {

// The jobs of a command's workspace. The context outlives it.
class JobAccess {
 public:
  // Whatever process looks at jobs looks after them as well: jobs::attend(), whose errors are
  // warnings. kNotFound, kPermission, ...: the workspace.
  static Result<JobAccess> open(Context& context);
  // Without looking after any: of a process that is itself what a job is waiting for.
  static Result<JobAccess> open_only(Context& context);

  jobs::JobBook& book() { return book_; }
  const jobs::Machine& machine() const { return machine_; }
  workspace::Workspace& workspace() { return *workspace_; }

  // jobs::attend() with supervisors in processes of their own.
  Status attend();
  // The same by what was started for the job `own` itself. True: that one is claimed, and the
  // caller's to supervise.
  Result<bool> attend_as(const std::string& own);

 private:
  Status attend(const jobs::StartSupervisor& start);

  JobAccess(workspace::Workspace& workspace, jobs::Machine machine)
      : workspace_(&workspace), book_(workspace.run_history()), machine_(std::move(machine)) {}

  workspace::Workspace* workspace_;
  jobs::JobBook book_;
  jobs::Machine machine_;
};

}  // namespace cloche::cli
