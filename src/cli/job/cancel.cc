// `cloche job cancel`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/interrupt.h"
#include "cli/job/access.h"
#include "cli/job/record.h"
#include "cli/job/stream_output.h"
#include "jobs/supervisor.h"

namespace cloche::cli {
namespace {

struct CancelOptions {
  std::string job;
  bool no_wait = false;
};

std::string job_cancel_text(const Json& data, const Style& /*style*/) { return ending_text(data); }

// Follows without showing.
class Silence : public jobs::FollowListener {
 public:
  Status event(const workspace::JobEvent& /*event*/) override { return {}; }
  Status output(std::string_view /*bytes*/) override { return {}; }
};

Result<Report> run_cancel(const CancelOptions& options, Context& context) {
  const Interrupt interrupt;
  JobAccess access = TRY(JobAccess::open(context));
  const jobs::Job before = TRY(access.book().get(options.job));
  if (is_final(before.status)) {
    return fail(ErrorKind::kConflict, "job {} has ended already: it is {}", before.name(),
                to_string(before.status));
  }
  jobs::Job job = TRY(jobs::request_cancel(access.book(), options.job));
  TRY(access.attend());
  if (!is_final(job.status) && !options.no_wait) {
    Silence silence;
    const jobs::FollowOptions follow{.revive = [&] { return access.attend(); }};
    job = TRY(jobs::follow(access.book(), job.name(), follow, silence, interrupt.token()));
  }
  return Report{.data = job_record(job, access.book().now_ms()), .text = job_cancel_text};
}

constexpr std::array<Argument, 2> kJobCancelArguments = {{
    {.name = "JOB",
     .help = "The job's name",
     .required = true,
     .field = kField<&CancelOptions::job>},
    {.name = "no-wait",
     .help = "Return at once; the job ends a little later",
     .field = kField<&CancelOptions::no_wait>},
}};

constexpr std::array<Example, 1> kJobCancelExamples = {{
    {"End a job", "cloche job cancel calm_river_1f0e9a3c"},
}};

}  // namespace

const Command kJobCancel = {
    .path = "job cancel",
    .summary = "end a job",
    .description =
        "Takes a waiting job out of the queue. All processes of a running one get SIGTERM, and "
        "those that are left ten seconds later SIGKILL. What it wrote until then is kept.",
    .arguments = kJobCancelArguments,
    .examples = kJobCancelExamples,
    .exit_codes = "5  it has ended already",
    .see_also = "job list, job stream",
    .run = run<CancelOptions, run_cancel>,
};

}  // namespace cloche::cli
