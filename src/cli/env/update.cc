// `cloche env update`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct UpdateOptions {
  std::string reference;
  std::optional<std::string> description;
  definition::StringMap tags;
  std::vector<std::string> remove_tags;
};

std::string env_update_text(const Json& data, const Style& /*style*/) {
  return fmt::format("updated {}:{}\n", printable(data.string_or_empty("name")),
                     printable(data.string_or_empty("version")));
}

Result<Report> run_update(const UpdateOptions& options, Context& context) {
  if (!options.description && options.tags.empty() && options.remove_tags.empty()) {
    return fail(ErrorKind::kUsage, "nothing to update")
        .with_hint("give --description, --tag or --remove-tag");
  }
  const definition::AssetReference reference = TRY(parse_environment_reference(options.reference));
  const workspace::EnvironmentVersion entry =
      TRY(TRY(context.workspace())
              ->update(reference, {.description = options.description,
                                   .set_tags = options.tags,
                                   .remove_tags = options.remove_tags}));
  return Report{.data = version_record(entry), .text = env_update_text};
}

constexpr std::array<Argument, 4> kEnvUpdateArguments = {{
    {.name = "REF",
     .help = "The version; NAME alone means its latest",
     .required = true,
     .source = Source::kEnvironments,
     .field = kField<&UpdateOptions::reference>},
    {.name = "description",
     .value = "TEXT",
     .help = "The new description; empty to remove it (--description=)",
     .field = kField<&UpdateOptions::description>},
    {.name = "tag",
     .value = "KEY=VALUE",
     .help = "Set a tag",
     .field = kField<&UpdateOptions::tags>},
    {.name = "remove-tag",
     .value = "KEY",
     .help = "Remove a tag",
     .field = kField<&UpdateOptions::remove_tags>},
}};

constexpr std::array<Example, 2> kEnvUpdateExamples = {{
    {"Say what a version is for", "cloche env update train:3 --description 'for the spring paper'"},
    {"Change tags", "cloche env update train --tag stage=production --remove-tag draft"},
}};

}  // namespace

const Command kEnvUpdate = {
    .path = "env update",
    .summary = "change the description and tags of a version",
    .description =
        "A version's definition never changes; its description and tags may. To change the "
        "definition, create the next version.",
    .arguments = kEnvUpdateArguments,
    .examples = kEnvUpdateExamples,
    .see_also = "env create, env label, env history",
    .run = run<UpdateOptions, run_update>,
};

}  // namespace cloche::cli
