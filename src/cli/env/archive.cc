// `cloche env archive` and `cloche env restore`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/messages.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct ArchiveOptions {
  std::string reference;
};

std::string env_archive_text(const Json& data, const Style& /*style*/) {
  const std::string version = data.string_or_empty("version");
  return fmt::format("{} {}{}\n", data["archived"].as_bool() ? "archived" : "restored",
                     printable(data.string_or_empty("name")),
                     version.empty() ? "" : ":" + printable(version));
}

Result<Report> set_archived(const ArchiveOptions& options, Context& context, bool archived) {
  definition::AssetReference reference = TRY(parse_environment_reference(options.reference));
  workspace::Workspace& workspace = *TRY(context.workspace());
  if (!reference.label.empty()) {
    reference.version = TRY(workspace.get(reference)).environment.version;
  }
  TRY(workspace.set_archived(reference.name, reference.version, archived));
  Json data;
  data.set("name", reference.name)
      .set("version", text_or_null(reference.version))
      .set("archived", archived);
  return Report{.data = std::move(data), .text = env_archive_text};
}

Result<Report> run_archive(const ArchiveOptions& options, Context& context) {
  return set_archived(options, context, true);
}

Result<Report> run_restore(const ArchiveOptions& options, Context& context) {
  return set_archived(options, context, false);
}

constexpr std::array<Argument, 1> kEnvArchiveArguments = {{
    {.name = "NAME[:VERSION]",
     .help = "A version, or the whole environment",
     .required = true,
     .source = Source::kEnvironments,
     .field = kField<&ArchiveOptions::reference>},
}};

constexpr std::array<Example, 2> kArchiveExamples = {{
    {"One version", "cloche env archive train:1"},
    {"The whole environment", "cloche env archive train"},
}};

constexpr std::array<Example, 2> kRestoreExamples = {{
    {"One version", "cloche env restore train:1"},
    {"The whole environment", "cloche env restore train"},
}};

}  // namespace

const Command kEnvArchive = {
    .path = "env archive",
    .summary = "hide an environment or a version from lists",
    .description =
        "An archived version is hidden from lists and is nobody's latest, but still found by its "
        "exact version: what was run with it can be run again. Nothing is deleted.",
    .arguments = kEnvArchiveArguments,
    .examples = kArchiveExamples,
    .see_also = "env restore, env list",
    .run = run<ArchiveOptions, run_archive>,
};

const Command kEnvRestore = {
    .path = "env restore",
    .summary = "undo env archive",
    .description = "Puts an archived version, or a whole environment, back into lists.",
    .arguments = kEnvArchiveArguments,
    .examples = kRestoreExamples,
    .see_also = "env archive, env list",
    .run = run<ArchiveOptions, run_restore>,
};

}  // namespace cloche::cli
