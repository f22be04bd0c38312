// `cloche job stream`
#include <array>
#include <charconv>

#include "cli/command_table.h"
#include "cli/interrupt.h"
#include "cli/job/access.h"
#include "cli/job/record.h"
#include "cli/job/stream_output.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct StreamOptions {
  std::string job;
  std::string rank = "0";
  std::string since;
  bool no_follow = false;
};

// The log is what there was to say.
std::string job_stream_text(const Json& /*data*/, const Style& /*style*/) { return ""; }

template <class Number>
Result<Number> number(const std::string& text, std::string_view option) {
  Number value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 0) {
    return fail(ErrorKind::kUsage, "{} is a whole number, not '{}'", option, printable(text));
  }
  return value;
}

Result<Report> run_stream(const StreamOptions& options, Context& context) {
  const Interrupt interrupt;
  jobs::FollowOptions follow{.rank = TRY(number<int>(options.rank, "--rank")),
                             .until_end = !options.no_follow};
  JobAccess access = TRY(JobAccess::open(context));
  if (!options.since.empty()) {
    follow.since_ms =
        access.book().now_ms() - (1000 * TRY(number<std::int64_t>(options.since, "--since")));
  }
  const jobs::Job job = TRY(stream_job(options.job, follow, access, interrupt.token(), context));
  Json data = job_record(job, access.book().now_ms());
  if (is_final(job.status) && !context.json()) {
    context.terminal().err(ending_text(data));
  }
  return Report{.data = std::move(data), .text = job_stream_text, .exit_code = job_exit_code(job)};
}

constexpr std::array<Argument, 4> kJobStreamArguments = {{
    {.name = "JOB",
     .help = "The job's name",
     .required = true,
     .field = kField<&StreamOptions::job>},
    {.name = "rank",
     .value = "NUMBER",
     .help = "Of several processes, which one's log (default: 0)",
     .field = kField<&StreamOptions::rank>},
    {.name = "since",
     .value = "SECONDS",
     .help = "Only what was written in the last so many seconds, and from now on",
     .field = kField<&StreamOptions::since>},
    {.name = "no-follow",
     .help = "Only what is there now",
     .field = kField<&StreamOptions::no_follow>},
}};

constexpr std::array<Example, 2> kJobStreamExamples = {{
    {"From the first byte to the end", "cloche job stream calm_river_1f0e9a3c"},
    {"The last minute of rank 1, as it is now",
     "cloche job stream calm_river_1f0e9a3c --rank 1 --since 60 --no-follow"},
}};

}  // namespace

const Command kJobStream = {
    .path = "job stream",
    .summary = "show what a job prints",
    .description =
        "Writes the job's log to standard output from its first byte, and goes on until the job "
        "ends; also of a job that ended long ago. Ctrl-C ends the showing, not the job.",
    .arguments = kJobStreamArguments,
    .examples = kJobStreamExamples,
    .exit_codes = "1  the job failed\n8  the job was canceled, or the showing was ended",
    .see_also = "job show, job cancel",
    .run = run<StreamOptions, run_stream>,
};

}  // namespace cloche::cli
