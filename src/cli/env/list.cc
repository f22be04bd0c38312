// `cloche env list`
#include <array>

#include "cli/command_table.h"
#include "cli/context.h"
#include "cli/messages.h"
#include "cli/table.h"

namespace cloche::cli {
namespace {

struct ListOptions {
  bool all = false;
  bool archived = false;
  std::string tag;
};

Json summary_record(const workspace::EnvironmentSummary& one) {
  Json record;
  record.set("name", one.name)
      .set("latest_version", text_or_null(one.latest_version))
      .set("version_count", one.version_count)
      .set("kind", one.kind)
      .set("fingerprint", text_or_null(one.fingerprint))
      .set("description", text_or_null(one.description))
      .set("archived", one.archived)
      .set("created_at", text_or_null(one.created_at));
  return record;
}

std::string env_list_text(const Json& data, const Style& style) {
  if (data["environments"].items().empty()) {
    return "no environments\n";
  }
  constexpr std::size_t kShortFingerprint = 12;
  Table table({"NAME", "VERSION", "KIND", "FINGERPRINT", "CREATED", "DESCRIPTION"});
  for (const Json& one : data["environments"].items()) {
    const bool archived = one["archived"].as_bool();
    table.add({one.string_or_empty("name"), one.string_or_empty("latest_version"),
               one.string_or_empty("kind") + (archived ? ", archived" : ""),
               one.string_or_empty("fingerprint").substr(0, kShortFingerprint),
               one.string_or_empty("created_at"), one.string_or_empty("description")});
  }
  return table.render(style);
}

Result<Report> run_list(const ListOptions& options, Context& context) {
  workspace::ListOptions query;
  query.include_archived = options.all || options.archived;
  query.tag = options.tag;
  const auto environments = TRY(TRY(context.workspace())->list(query));
  Json list = Json::array();
  for (const workspace::EnvironmentSummary& one : environments) {
    if (one.archived || !options.archived) {
      list.push(summary_record(one));
    }
  }
  Json data;
  data.set("environments", std::move(list));
  return Report{.data = std::move(data), .text = env_list_text};
}

constexpr std::array<Argument, 3> kEnvListArguments = {{
    {.name = "all", .letter = 'a', .help = "Archived ones too", .field = kField<&ListOptions::all>},
    {.name = "archived", .help = "Archived ones only", .field = kField<&ListOptions::archived>},
    {.name = "tag",
     .value = "KEY[=VALUE]",
     .help = "Only those whose latest version has this tag (with this value)",
     .field = kField<&ListOptions::tag>},
}};

constexpr std::array<Example, 3> kEnvListExamples = {{
    {"What there is", "cloche env list"},
    {"Those of one team", "cloche env list --tag team=vision"},
    {"Names only", "cloche env list --output json | jq -r '.environments[].name'"},
}};

}  // namespace

const Command kEnvList = {
    .path = "env list",
    .summary = "list environments",
    .description =
        "Lists the environments of the workspace by name, one line each with their latest version, "
        "and the curated ones that come with the program. Anonymous environments are never listed; "
        "archived ones only when asked for.",
    .arguments = kEnvListArguments,
    .examples = kEnvListExamples,
    .see_also = "env show, env history, env archive",
    .run = run<ListOptions, run_list>,
};

}  // namespace cloche::cli
