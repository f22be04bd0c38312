// From what a person has to a job in the queue.
#pragma once

#include <stop_token>
#include <string>

#include "cli/context.h"
#include "cli/env/locking.h"
#include "cli/job/access.h"
#include "definition/command_job.h"
#include "jobs/job.h"

namespace cloche::cli {

// Looks at what the job names on this machine: its compute, code and inputs, whose paths become
// absolute and whose kinds are found out. Nothing is entered. kNotFound: another compute than this
// machine, a file that is not there. kInvalid: a file where a folder is meant, or the other way
// round.
Status resolve_job(definition::CommandJob& job, Context& context);

// The experiment of jobs that name none: the current folder's name.
std::string default_experiment();

// Enters the job: its code is stored, its environment registered where it is the job's own; then a
// process is started that prepares it and goes on with it, whatever becomes of this one. An error
// after it was entered is the end of the job as well (Failed in stage Preparing, or Canceled where
// somebody asked for that meanwhile). kInvalid: it asks for more than the machine has.
Result<jobs::Job> submit_job(definition::CommandJob asked, const LockingOptions& locking,
                             JobAccess& access, const std::stop_token& stop, Context& context);

// The same again: the code and the image of an earlier job, under a new name.
Result<jobs::Job> resubmit_job(const jobs::Job& earlier, const std::string& name, JobAccess& access,
                               Context& context);

}  // namespace cloche::cli
