// Which of the waiting jobs may run: those for which this machine has room, in their order.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "jobs/job_book.h"
#include "jobs/machine.h"

namespace cloche::jobs {

// What a job takes of the machine, all instances together: what it asks for, else a processor for
// each process, as far as the machine has them. kInvalid: it asks for more than the machine has.
Status weigh(Job& job, const Machine& machine);

// Claims the waiting jobs that fit beside the claimed ones, oldest first; the first one that does
// not fit holds back those behind it, so that none waits for ever. Each is claimed once, however
// many processes ask. Their names, in order.
Result<std::vector<std::string>> claim_jobs(JobBook& book, const Machine& machine);

// How a process of its own is started for a job, which prepares it where that is still to be done,
// and calls supervise() once it is claimed.
using StartSupervisor = std::function<Status(const std::string& name)>;

// What every process does that has to do with jobs, so that none is forgotten: jobs whose preparer
// died get another one, or have failed when they were not handed over yet; claimed ones without a
// supervisor get one, which finds their containers again or says what became of them; waiting ones
// that fit are claimed.
Status attend(JobBook& book, const Machine& machine, const StartSupervisor& start);

}  // namespace cloche::jobs
