// `cloche env copy` and `cloche env share`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/messages.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct CopyOptions {
  std::string from;
  std::string name;
  std::string version;
};

struct ShareOptions {
  std::string reference;
  std::string registry;
  std::string name;
  std::string version;
};

std::string entry_text(const Json& data) {
  return fmt::format("{}:{}", printable(data.string_or_empty("name")),
                     printable(data.string_or_empty("version")));
}

std::string copied_text(const Json& data, const Style& /*style*/) {
  return fmt::format("{} {}\n", data["created"].as_bool() ? "registered" : "unchanged ",
                     entry_text(data));
}

std::string shared_text(const Json& data, const Style& /*style*/) {
  return fmt::format("{} {} in {}\n", data["created"].as_bool() ? "shared" : "unchanged",
                     entry_text(data), printable(data.string_or_empty("registry")));
}

Result<Report> run_copy(const CopyOptions& options, Context& context) {
  const definition::AssetReference from = TRY(parse_environment_reference(options.from));
  const auto made = TRY(TRY(context.workspace())->copy(from, options.name, options.version));
  Json data = version_record(made.entry);
  data.set("created", made.created);
  return Report{.data = std::move(data), .text = copied_text};
}

Result<Report> run_share(const ShareOptions& options, Context& context) {
  const definition::AssetReference reference = TRY(parse_environment_reference(options.reference));
  const auto made = TRY(
      TRY(context.workspace())->share(reference, options.registry, options.name, options.version));
  Json data = version_record(made.entry);
  data.set("created", made.created).set("registry", options.registry);
  return Report{.data = std::move(data), .text = shared_text};
}

constexpr std::array<Argument, 3> kCopyArguments = {{
    {.name = "FROM",
     .help = "The environment to copy; may be in a registry, or a curated one",
     .required = true,
     .source = Source::kEnvironments,
     .field = kField<&CopyOptions::from>},
    {.name = "NEW_NAME",
     .help = "The new environment's name",
     .required = true,
     .field = kField<&CopyOptions::name>},
    {.name = "version",
     .value = "VERSION",
     .help = "Its version; without one the next number is given",
     .field = kField<&CopyOptions::version>},
}};

constexpr std::array<Example, 2> kCopyExamples = {{
    {"Under a name of one's own", "cloche env copy train:3 train-next"},
    {"Out of a registry",
     "cloche env copy azureml://registries/team/environments/train/versions/2 train"},
}};

constexpr std::array<Argument, 4> kShareArguments = {{
    {.name = "REF",
     .help = "The version to share; NAME alone means its latest",
     .required = true,
     .source = Source::kEnvironments,
     .field = kField<&ShareOptions::reference>},
    {.name = "to",
     .value = "REGISTRY",
     .help = "The registry's name",
     .required = true,
     .source = Source::kRegistries,
     .field = kField<&ShareOptions::registry>},
    {.name = "name",
     .letter = 'n',
     .value = "NAME",
     .help = "The name there; without it the same",
     .field = kField<&ShareOptions::name>},
    {.name = "version",
     .value = "VERSION",
     .help = "The version there; without it the same",
     .field = kField<&ShareOptions::version>},
}};

constexpr std::array<Example, 1> kShareExamples = {{
    {"For the team", "cloche env share train:3 --to team"},
}};

}  // namespace

const Command kEnvCopy = {
    .path = "env copy",
    .summary = "create an environment from an existing one",
    .description =
        "Registers the definition of FROM under another name. To edit it on the way, export it, "
        "change the files, and create from those. Prints what was registered.",
    .arguments = kCopyArguments,
    .examples = kCopyExamples,
    .see_also = "env create, env export, env share",
    .run = run<CopyOptions, run_copy>,
};

const Command kEnvShare = {
    .path = "env share",
    .summary = "put a version into a registry",
    .description =
        "Copies a version, with the files of its build context and its locks, into a registry, "
        "where "
        "every workspace that knows the registry finds it as "
        "azureml://registries/REGISTRY/environments/NAME/versions/VERSION.",
    .arguments = kShareArguments,
    .examples = kShareExamples,
    .see_also = "registry create, registry list, env copy",
    .run = run<ShareOptions, run_share>,
};

}  // namespace cloche::cli
