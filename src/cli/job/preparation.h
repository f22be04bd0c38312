// Preparing a job: by a process of its own, so that it goes on without whoever submitted the job.
#pragma once

#include <stop_token>
#include <string>

#include "cli/context.h"
#include "cli/env/locking.h"
#include "cli/job/access.h"
#include "definition/environment.h"
#include "jobs/job.h"

namespace cloche::cli {

// The options as a job keeps them, and back. kCorrupt.
definition::StringMap kept_options(const LockingOptions& options);
Result<LockingOptions> options_from(const definition::StringMap& kept);

// The end of a job that could not be prepared: Canceled where that was asked for meanwhile, else
// Failed. Nothing of a preparer that was stopped (kCancelled): another one goes on, if the job was
// handed over.
Status record_failure(const std::string& name, const Error& error, jobs::JobBook& book);

// Takes charge of a job that was handed over, records what its inputs are, finds or builds its
// image, and lets it wait for its turn. What goes wrong is written to standard error as an error
// record (with `--output json`) and is the end of the job. True: it waits now. False: somebody else
// has charge of it, it is prepared already, or it has ended.
Result<bool> prepare_job(const std::string& name, JobAccess& access, const std::stop_token& stop,
                         Context& context);

// Waits until a job is prepared by whomever, and shows the progress of that. The job as it is then;
// what went wrong as this function's error. kCancelled: the job was canceled, or the waiting was
// ended, which does not end the job.
Result<jobs::Job> follow_preparation(const std::string& name, JobAccess& access,
                                     const std::stop_token& stop, Context& context);

}  // namespace cloche::cli
