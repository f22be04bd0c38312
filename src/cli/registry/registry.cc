// `cloche registry create` and `cloche registry list`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/context.h"
#include "cli/table.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct CreateOptions {
  std::string name;
  std::string location;
};

struct ListOptions {};

Json registry_record(const workspace::Workspace::Registry& registry) {
  Json record;
  record.set("name", registry.name).set("location", registry.location);
  return record;
}

Result<Report> run_create(const CreateOptions& options, Context& context) {
  workspace::Workspace& workspace = *TRY(context.workspace());
  TRY(workspace.add_registry({.name = options.name, .location = options.location}));
  Report report{.data = registry_record({.name = options.name, .location = options.location})};
  report.text = [](const Json& data, const Style& /*style*/) {
    return fmt::format("registry {} is {}\n", printable(data.string_or_empty("name")),
                       printable(data.string_or_empty("location")));
  };
  return report;
}

std::string list_text(const Json& data, const Style& style) {
  if (data["registries"].items().empty()) {
    return "no registries\n";
  }
  Table table({"NAME", "LOCATION"});
  for (const Json& one : data["registries"].items()) {
    table.add({one.string_or_empty("name"), one.string_or_empty("location")});
  }
  return table.render(style);
}

Result<Report> run_list(const ListOptions& /*options*/, Context& context) {
  Json list = Json::array();
  for (const auto& registry : TRY(TRY(context.workspace())->registries())) {
    list.push(registry_record(registry));
  }
  Json data;
  data.set("registries", std::move(list));
  return Report{.data = std::move(data), .text = list_text};
}

constexpr std::array<Argument, 2> kCreateArguments = {{
    {.name = "NAME",
     .help = "What this workspace calls the registry",
     .required = true,
     .field = kField<&CreateOptions::name>},
    {.name = "LOCATION",
     .help = "The registry's directory; made when it is missing",
     .required = true,
     .source = Source::kDirectories,
     .field = kField<&CreateOptions::location>},
}};

constexpr std::array<Example, 1> kCreateExamples = {{
    {"A shared directory", "cloche registry create team /srv/cloche-registry"},
}};

constexpr std::array<Example, 1> kListExamples = {{
    {"Those that this workspace knows", "cloche registry list"},
}};

}  // namespace

const Command kRegistryCreate = {
    .path = "registry create",
    .summary = "create a registry, or make one that exists known here",
    .description =
        "A registry is a directory that several workspaces reach. Environments get there with "
        "cloche "
        "env share and are named azureml://registries/NAME/environments/....",
    .arguments = kCreateArguments,
    .examples = kCreateExamples,
    .see_also = "registry list, env share",
    .run = run<CreateOptions, run_create>,
};

const Command kRegistryList = {
    .path = "registry list",
    .summary = "list the registries that this workspace knows",
    .description = "Lists names and locations.",
    .examples = kListExamples,
    .see_also = "registry create, env share",
    .run = run<ListOptions, run_list>,
};

}  // namespace cloche::cli
