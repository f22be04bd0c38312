// Jobs as records, and what people read of them.
#pragma once

#include <cstdint>
#include <string>

#include "cli/report.h"
#include "core/json.h"
#include "jobs/job.h"

namespace cloche::cli {

// Everything known of a job: docs/manual/cli.md lists the keys. `now` ends stages that go on.
Json job_record(const jobs::Job& job, std::int64_t now);

// The same for a list: without definition and outputs.
Json job_summary_record(const jobs::Job& job, std::int64_t now);

// "1.2 s", "3 min 04 s", "2 h 05 min".
std::string duration_text(std::int64_t ms);

// The stages of a record with their times, and a bar in proportion:
//   Preparing 1.2 s, Queued 0.1 s, Running 12.3 s, Finalizing 0.2 s
//   PPQRRRRRRRRRRRRRRRRRRRRRRRF
std::string stages_text(const Json& record);

// What became of it, in a few lines: status, and of a failure stage, reason and remedy.
std::string ending_text(const Json& record);

// The exit code of a command that waited for the job: 0 Completed, 1 Failed, 8 Canceled.
int job_exit_code(const jobs::Job& job);

}  // namespace cloche::cli
