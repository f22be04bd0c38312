// `cloche job list`
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/job/access.h"
#include "cli/job/record.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

constexpr std::string_view kStatuses =
    "NotStarted|Preparing|Queued|Running|CancelRequested|Finalizing|Completed|Failed|Canceled";

struct ListOptions {
  bool all = false;
  std::string experiment;
  std::string status;
  std::string most = "50";
};

std::string job_list_text(const Json& data, const Style& style) {
  if (data["jobs"].items().empty()) {
    return "no jobs\n";
  }
  Table table({"NAME", "STATUS", "EXPERIMENT", "ENVIRONMENT", "CREATED", "TOOK", "REASON"});
  for (const Json& one : data["jobs"].items()) {
    std::int64_t took = 0;
    for (const Json& stage : one["stages"].items()) {
      took += stage["duration_ms"].is_null() ? 0 : stage["duration_ms"].as_integer();
    }
    const Json& environment = one["environment"];
    const std::string found = environment.string_or_empty("name");
    const std::string name =
        found.empty() ? ""
        : found == definition::kAnonymousName
            ? "(the job's own)"
            : fmt::format("{}:{}", found, environment.string_or_empty("version"));
    table.add({one.string_or_empty("name"),
               one.string_or_empty("status") + (one["archived"].as_bool() ? ", archived" : ""),
               one.string_or_empty("experiment_name"), name, one.string_or_empty("created_at"),
               duration_text(took), one.string_or_empty("reason")});
  }
  return table.render(style);
}

Result<Report> run_list(const ListOptions& options, Context& context) {
  JobAccess access = TRY(JobAccess::open(context));
  workspace::JobQuery query{
      .experiment = options.experiment, .status = options.status, .include_archived = options.all};
  const std::string& most = options.most;
  const auto [end, code] = std::from_chars(most.data(), most.data() + most.size(), query.limit);
  if (code != std::errc() || end != most.data() + most.size() || query.limit < 0) {
    return fail(ErrorKind::kUsage, "--max is a number of jobs, not '{}'", printable(most));
  }
  Json list = Json::array();
  for (const jobs::Job& job : TRY(access.book().list(query))) {
    list.push(job_summary_record(job, access.book().now_ms()));
  }
  Json data;
  data.set("jobs", std::move(list));
  return Report{.data = std::move(data), .text = job_list_text};
}

constexpr std::array<Argument, 4> kJobListArguments = {{
    {.name = "all", .letter = 'a', .help = "Archived ones too", .field = kField<&ListOptions::all>},
    {.name = "experiment-name",
     .value = "NAME",
     .help = "Only those of this experiment",
     .field = kField<&ListOptions::experiment>},
    {.name = "status",
     .value = "STATUS",
     .help = "Only those with this status",
     .choices = kStatuses,
     .field = kField<&ListOptions::status>},
    {.name = "max",
     .value = "NUMBER",
     .help = "At most so many, the newest first; 0 for all (default: 50)",
     .field = kField<&ListOptions::most>},
}};

constexpr std::array<Example, 2> kJobListExamples = {{
    {"The newest", "cloche job list"},
    {"What failed in an experiment", "cloche job list --experiment-name digits --status Failed"},
}};

}  // namespace

const Command kJobList = {
    .path = "job list",
    .summary = "list jobs",
    .description = "Lists the jobs of the workspace, the newest first.",
    .arguments = kJobListArguments,
    .examples = kJobListExamples,
    .see_also = "job show, job archive",
    .run = run<ListOptions, run_list>,
};

}  // namespace cloche::cli
