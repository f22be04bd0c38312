// `cloche job archive`, `cloche job restore`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/job/access.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct ArchiveOptions {
  std::string job;
};

std::string job_archive_text(const Json& data, const Style& /*style*/) {
  return fmt::format("{} {}\n", data["archived"].as_bool() ? "archived" : "restored",
                     data.string_or_empty("name"));
}

Result<Report> set_archived(const ArchiveOptions& options, Context& context, bool archived) {
  JobAccess access = TRY(JobAccess::open(context));
  const jobs::Job job = TRY(access.book().change(options.job, [&](jobs::Job& one) -> Status {
    if (archived && !is_final(one.status)) {
      return fail(ErrorKind::kConflict, "job {} has not ended: it is {}", one.name(),
                  to_string(one.status))
          .with_hint(fmt::format("end it first: cloche job cancel {}", one.name()));
    }
    one.row.archived = archived;
    return {};
  }));
  Json data;
  data.set("name", job.name()).set("archived", archived);
  return Report{.data = std::move(data), .text = job_archive_text};
}

Result<Report> run_archive(const ArchiveOptions& options, Context& context) {
  return set_archived(options, context, true);
}

Result<Report> run_restore(const ArchiveOptions& options, Context& context) {
  return set_archived(options, context, false);
}

constexpr std::array<Argument, 1> kJobArchiveArguments = {{
    {.name = "JOB",
     .help = "The job's name",
     .required = true,
     .field = kField<&ArchiveOptions::job>},
}};

constexpr std::array<Example, 1> kArchiveExamples = {{
    {"Out of the list", "cloche job archive calm_river_1f0e9a3c"},
}};
constexpr std::array<Example, 1> kRestoreExamples = {{
    {"Back into it", "cloche job restore calm_river_1f0e9a3c"},
}};

}  // namespace

const Command kJobArchive = {
    .path = "job archive",
    .summary = "hide a job from lists",
    .description = "An archived job is listed with --all only. Nothing of it is deleted.",
    .arguments = kJobArchiveArguments,
    .examples = kArchiveExamples,
    .exit_codes = "5  it has not ended",
    .see_also = "job restore, job list",
    .run = run<ArchiveOptions, run_archive>,
};

const Command kJobRestore = {
    .path = "job restore",
    .summary = "undo job archive",
    .description = "Puts an archived job back into lists.",
    .arguments = kJobArchiveArguments,
    .examples = kRestoreExamples,
    .see_also = "job archive, job list",
    .run = run<ArchiveOptions, run_restore>,
};

}  // namespace cloche::cli
