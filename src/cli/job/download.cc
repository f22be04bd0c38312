// `cloche job download`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/job/access.h"
#include "core/size.h"
#include "core/text.h"
#include "jobs/copy_outputs.h"

namespace cloche::cli {
namespace {

struct DownloadOptions {
  std::string job;
  std::string to = ".";
  std::string output;
  bool all = false;
};

std::string job_download_text(const Json& data, const Style& /*style*/) {
  return fmt::format("{} files, {}, in {}\n", data["files"].as_integer(),
                     shown_size(static_cast<std::uint64_t>(data["bytes"].as_integer())),
                     printable(data.string_or_empty("directory")));
}

Result<Report> run_download(const DownloadOptions& options, Context& context) {
  JobAccess access = TRY(JobAccess::open(context));
  const jobs::Job job = TRY(access.book().get(options.job));
  const std::string target = options.to + "/" + job.name();
  const jobs::CopiedOutputs copied =
      TRY(jobs::copy_outputs(job, access.book().directory(job.name()),
                             {.output = options.output, .all = options.all}, target));
  Json data;
  data.set("name", job.name())
      .set("directory", target)
      .set("files", static_cast<std::int64_t>(copied.files))
      .set("bytes", static_cast<std::int64_t>(copied.bytes));
  return Report{.data = std::move(data), .text = job_download_text};
}

constexpr std::array<Argument, 4> kJobDownloadArguments = {{
    {.name = "JOB",
     .help = "The job's name",
     .required = true,
     .field = kField<&DownloadOptions::job>},
    {.name = "to",
     .letter = 'p',
     .value = "FOLDER",
     .help = "Where the folder JOB is made (default: here)",
     .source = Source::kDirectories,
     .field = kField<&DownloadOptions::to>},
    {.name = "output-name",
     .value = "NAME",
     .help = "Only this output that the job names",
     .field = kField<&DownloadOptions::output>},
    {.name = "all", .letter = 'a', .help = "Logs as well", .field = kField<&DownloadOptions::all>},
}};

constexpr std::array<Example, 2> kJobDownloadExamples = {{
    {"What it wrote", "cloche job download calm_river_1f0e9a3c"},
    {"One output of it", "cloche job download calm_river_1f0e9a3c --output-name model --to models"},
}};

}  // namespace

const Command kJobDownload = {
    .path = "job download",
    .summary = "copy what a job wrote",
    .description =
        "Copies the job's outputs (also of one that still runs) into a new folder with its name. "
        "Links are copied as links.",
    .arguments = kJobDownloadArguments,
    .examples = kJobDownloadExamples,
    .exit_codes = "5  the folder is there already",
    .see_also = "job show",
    .run = run<DownloadOptions, run_download>,
};

}  // namespace cloche::cli
