// `cloche env history`
#include <array>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/messages.h"
#include "cli/table.h"

namespace cloche::cli {
namespace {

struct HistoryOptions {
  std::string reference;
};

Json event_record(const workspace::Event& event) {
  Json record;
  record.set("id", event.id)
      .set("at", event.at)
      .set("user", event.user)
      .set("action", event.action)
      .set("name", event.name)
      .set("version", text_or_null(event.version))
      .set("detail", text_or_null(event.detail));
  return record;
}

std::string env_history_text(const Json& data, const Style& style) {
  Table table({"AT", "USER", "ACTION", "VERSION", "DETAIL"});
  for (const Json& one : data["events"].items()) {
    table.add({one.string_or_empty("at"), one.string_or_empty("user"),
               one.string_or_empty("action"), one.string_or_empty("version"),
               one.string_or_empty("detail")});
  }
  return table.render(style);
}

Result<Report> run_history(const HistoryOptions& options, Context& context) {
  definition::AssetReference reference = TRY(parse_environment_reference(options.reference));
  workspace::Workspace& workspace = *TRY(context.workspace());
  if (!reference.label.empty()) {
    reference.version = TRY(workspace.get(reference)).environment.version;
  }
  Json list = Json::array();
  for (const workspace::Event& event : TRY(workspace.history(reference.name, reference.version))) {
    list.push(event_record(event));
  }
  Json data;
  data.set("events", std::move(list));
  return Report{.data = std::move(data), .text = env_history_text};
}

constexpr std::array<Argument, 1> kEnvHistoryArguments = {{
    {.name = "NAME[:VERSION]",
     .help = "The environment, or one of its versions",
     .required = true,
     .source = Source::kEnvironments,
     .field = kField<&HistoryOptions::reference>},
}};

constexpr std::array<Example, 2> kEnvHistoryExamples = {{
    {"Everything that happened to an environment", "cloche env history train"},
    {"To one version", "cloche env history train:2"},
}};

}  // namespace

const Command kEnvHistory = {
    .path = "env history",
    .summary = "show who changed an environment, when, and how",
    .description =
        "Every change is an event: created, updated, archived, restored, labelled, copied, shared, "
        "imported, locked, upgraded. The oldest stands first.",
    .arguments = kEnvHistoryArguments,
    .examples = kEnvHistoryExamples,
    .see_also = "env show, env diff",
    .run = run<HistoryOptions, run_history>,
};

}  // namespace cloche::cli
