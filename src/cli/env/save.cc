// `cloche env save` and `cloche env load`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/messages.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct SaveOptions {
  std::string reference;
  std::string file;
};

struct LoadOptions {
  std::string file;
  std::string name;
  std::string version;
};

std::string saved_text(const Json& data, const Style& /*style*/) {
  return fmt::format("saved {}:{} to {}\n", printable(data.string_or_empty("name")),
                     printable(data.string_or_empty("version")),
                     printable(data.string_or_empty("file")));
}

std::string loaded_text(const Json& data, const Style& /*style*/) {
  return fmt::format("{} {}:{}\n", data["created"].as_bool() ? "registered" : "unchanged ",
                     printable(data.string_or_empty("name")),
                     printable(data.string_or_empty("version")));
}

Result<Report> run_save(const SaveOptions& options, Context& context) {
  const definition::AssetReference reference = TRY(parse_environment_reference(options.reference));
  workspace::Workspace& workspace = *TRY(context.workspace());
  const workspace::EnvironmentVersion entry = TRY(workspace.get(reference));
  TRY(workspace.save(reference, options.file));
  Json data = version_summary_record(entry);
  data.set("file", options.file);
  return Report{.data = std::move(data), .text = saved_text};
}

Result<Report> run_load(const LoadOptions& options, Context& context) {
  const auto made =
      TRY(TRY(context.workspace())->load(options.file, options.name, options.version));
  Json data = version_record(made.entry);
  data.set("created", made.created);
  return Report{.data = std::move(data), .text = loaded_text};
}

constexpr std::array<Argument, 2> kSaveArguments = {{
    {.name = "REF",
     .help = "The version; NAME alone means its latest",
     .required = true,
     .source = Source::kEnvironments,
     .field = kField<&SaveOptions::reference>},
    {.name = "FILE",
     .help = "Where to write it",
     .required = true,
     .source = Source::kFiles,
     .field = kField<&SaveOptions::file>},
}};

constexpr std::array<Argument, 3> kLoadArguments = {{
    {.name = "FILE",
     .help = "What cloche env save wrote",
     .required = true,
     .source = Source::kFiles,
     .field = kField<&LoadOptions::file>},
    {.name = "name",
     .letter = 'n',
     .value = "NAME",
     .help = "Register under this name; without it the one in the file",
     .field = kField<&LoadOptions::name>},
    {.name = "version",
     .value = "VERSION",
     .help = "Register as this version; without it the one in the file",
     .field = kField<&LoadOptions::version>},
}};

constexpr std::array<Example, 1> kSaveExamples = {{
    {"For a machine without a network", "cloche env save train:3 train-3.cloche"},
}};

constexpr std::array<Example, 1> kLoadExamples = {{
    {"On the other machine", "cloche env load train-3.cloche"},
}};

}  // namespace

const Command kEnvSave = {
    .path = "env save",
    .summary = "write a version into one file, for another workspace",
    .description =
        "The file holds the definition, the description, the tags, the files of the build context "
        "and the locks; the same version with the same locks gives the same bytes. "
        "docs/formats/bundle.md says how.",
    .arguments = kSaveArguments,
    .examples = kSaveExamples,
    .see_also = "env load, env export, env share",
    .run = run<SaveOptions, run_save>,
};

const Command kEnvLoad = {
    .path = "env load",
    .summary = "register what env save wrote",
    .description =
        "Registers the version under its own name and version, unless others are given. Everything "
        "in the file is checked "
        "first, since it may come from anywhere; loading it twice is no error.",
    .arguments = kLoadArguments,
    .examples = kLoadExamples,
    .see_also = "env save, env share",
    .run = run<LoadOptions, run_load>,
};

}  // namespace cloche::cli
