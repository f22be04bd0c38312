// `cloche workspace init` and `cloche workspace show`
#include "workspace/workspace.h"

#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/context.h"
#include "cli/table.h"
#include "core/text.h"
#include "io/system.h"

namespace cloche::cli {
namespace {

struct InitOptions {
  std::string directory;
};

struct ShowOptions {};

Result<Report> run_init(const InitOptions& options, Context& context) {
  const std::string parent = normal_path(
      join_path(io::current_directory(), options.directory.empty() ? "." : options.directory));
  const std::string place = context.options().workspace.empty() ? join_path(parent, ".cloche")
                                                                : context.options().workspace;
  const bool existed = context.files().kind(place).has_value();
  TRY(workspace::Workspace::open({.directory = place, .user = ""}));
  Json data;
  data.set("directory", place).set("created", !existed);
  Report report{.data = std::move(data)};
  report.text = [](const Json& record, const Style& /*style*/) {
    return fmt::format("{} {}\n", record["created"].as_bool() ? "created" : "exists already:",
                       printable(record.string_or_empty("directory")));
  };
  return report;
}

std::string show_text(const Json& data, const Style& style) {
  std::vector<std::string> channels;
  for (const Json& channel : data["default_channels"].items()) {
    channels.push_back(channel.as_string());
  }
  std::vector<std::string> registries;
  for (const Json& registry : data["registries"].items()) {
    registries.push_back(fmt::format("{} ({})", registry.string_or_empty("name"),
                                     registry.string_or_empty("location")));
  }
  Sheet sheet;
  sheet.add("directory", data.string_or_empty("directory") +
                             (data["read_only"].as_bool() ? " (read-only)" : ""));
  sheet.add("environments", std::to_string(data["environment_count"].as_integer()));
  sheet.add("versions", std::to_string(data["version_count"].as_integer()));
  sheet.add("default image", data.string_or_empty("default_image"));
  sheet.add("default channels", join(channels, ", "));
  sheet.add("registries", registries);
  return sheet.render(style);
}

Result<Report> run_show(const ShowOptions& /*options*/, Context& context) {
  workspace::Workspace& workspace = *TRY(context.workspace());
  std::int64_t environments = 0;
  std::int64_t versions = 0;
  workspace::ListOptions query;
  query.include_archived = true;
  query.include_curated = false;
  for (const auto& one : TRY(workspace.list(query))) {
    ++environments;
    versions += one.version_count;
  }
  Json channels = Json::array();
  for (const std::string& channel : workspace.read_options().default_channels) {
    channels.push(channel);
  }
  Json registries = Json::array();
  for (const auto& registry : TRY(workspace.registries())) {
    Json record;
    record.set("name", registry.name).set("location", registry.location);
    registries.push(std::move(record));
  }
  Json data;
  data.set("directory", workspace.directory())
      .set("environment_count", environments)
      .set("version_count", versions)
      .set("default_image", workspace.read_options().default_image)
      .set("default_channels", std::move(channels))
      .set("registries", std::move(registries))
      .set("read_only", workspace.read_only());
  return Report{.data = std::move(data), .text = show_text};
}

constexpr std::array<Argument, 1> kInitArguments = {{
    {.name = "DIR",
     .help = "The project's directory; without it the current one",
     .source = Source::kDirectories,
     .field = kField<&InitOptions::directory>},
}};

constexpr std::array<Example, 2> kInitExamples = {{
    {"A workspace for this project", "cloche workspace init"},
    {"Then, anywhere below it", "cloche workspace show"},
}};

constexpr std::array<Example, 2> kShowExamples = {{
    {"Which workspace is used here", "cloche workspace show"},
    {"Another one", "cloche workspace show --workspace ~/shared"},
}};

}  // namespace

const Command kWorkspaceInit = {
    .path = "workspace init",
    .summary = "create a workspace for a project",
    .description =
        "Makes DIR/.cloche, which every command in DIR and below then uses. Nothing needs it: "
        "without one, the user's own workspace is used, and made at its first need.",
    .arguments = kInitArguments,
    .examples = kInitExamples,
    .see_also = "workspace show",
    .run = run<InitOptions, run_init>,
};

const Command kWorkspaceShow = {
    .path = "workspace show",
    .summary = "show which workspace is used, and what is in it",
    .description =
        "The workspace is --workspace, else $CLOCHE_WORKSPACE, else the nearest .cloche in this "
        "directory or above it, else the user's own in $XDG_DATA_HOME/cloche "
        "(~/.local/share/cloche).",
    .examples = kShowExamples,
    .see_also = "workspace init, registry list",
    .run = run<ShowOptions, run_show>,
};

}  // namespace cloche::cli
