// `cloche env label`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/messages.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct LabelOptions {
  std::string reference;
  std::string label;
  bool remove = false;
};

std::string env_label_text(const Json& data, const Style& /*style*/) {
  const std::string name = printable(data.string_or_empty("name"));
  const std::string label = printable(data.string_or_empty("label"));
  return data["version"].is_null() ? fmt::format("removed {}@{}\n", name, label)
                                   : fmt::format("{}@{} is {}:{}\n", name, label, name,
                                                 printable(data.string_or_empty("version")));
}

Result<Report> run_label(const LabelOptions& options, Context& context) {
  definition::AssetReference reference = TRY(parse_environment_reference(options.reference));
  workspace::Workspace& workspace = *TRY(context.workspace());
  if (options.remove) {
    reference.version.clear();
  } else if (reference.version.empty()) {
    reference.version = TRY(workspace.get(reference)).environment.version;
  }
  TRY(workspace.set_label(reference.name, options.label, reference.version));
  Json data;
  data.set("name", reference.name)
      .set("label", options.label)
      .set("version", text_or_null(reference.version));
  return Report{.data = std::move(data), .text = env_label_text};
}

constexpr std::array<Argument, 3> kEnvLabelArguments = {{
    {.name = "REF",
     .help = "The version, NAME:VERSION; NAME alone means its latest",
     .required = true,
     .source = Source::kEnvironments,
     .field = kField<&LabelOptions::reference>},
    {.name = "LABEL",
     .help = "The label, by which the version is then found as NAME@LABEL",
     .required = true,
     .field = kField<&LabelOptions::label>},
    {.name = "remove", .help = "Remove the label instead", .field = kField<&LabelOptions::remove>},
}};

constexpr std::array<Example, 3> kEnvLabelExamples = {{
    {"Point a label at a version, or move it there", "cloche env label train:3 production"},
    {"Use it", "cloche env show train@production"},
    {"Remove it", "cloche env label train production --remove"},
}};

}  // namespace

const Command kEnvLabel = {
    .path = "env label",
    .summary = "point a label at a version",
    .description =
        "A label is a name for one version of an environment; pointing it elsewhere moves it. The "
        "label latest moves by itself and cannot be set.",
    .arguments = kEnvLabelArguments,
    .examples = kEnvLabelExamples,
    .see_also = "env show, env history",
    .run = run<LabelOptions, run_label>,
};

}  // namespace cloche::cli
