// `cloche env diff`
#include "definition/diff.h"

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/compare.h"
#include "cli/messages.h"
#include "cli/terminal.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct Mark {
  std::string_view sign;
  std::string_view color;
};

Mark mark(std::string_view kind) {
  if (kind == "added") {
    return {"+", "32"};
  }
  if (kind == "removed") {
    return {"-", "31"};
  }
  return kind == "moved" ? Mark{">", "36"} : Mark{"~", "33"};
}

// "+ scipy=1.13", "~ numpy: numpy=1.26 -> numpy=2.0", "> conda-forge: 1 -> 2"
std::string change_text(const Json& change, const Style& style) {
  const std::string before = printable(change.string_or_empty("before"));
  const std::string after = printable(change.string_or_empty("after"));
  const std::string name = printable(change.string_or_empty("name"));
  const Mark sign = mark(change.string_or_empty("kind"));
  std::string what;
  if (!before.empty() && !after.empty()) {
    what = fmt::format("{}{}{} -> {}", name, name.empty() ? "" : ": ", before, after);
  } else {
    const std::string& value = before.empty() ? after : before;
    const bool tells_name = value.starts_with(name) || name.empty();
    what = value.empty() ? name : tells_name ? value : fmt::format("{}: {}", name, value);
  }
  return fmt::format("  {}\n", colored(fmt::format("{} {}", sign.sign, what), sign.color, style));
}

std::string env_diff_text(const Json& data, const Style& style) {
  if (data["changes"].items().empty()) {
    return "no difference\n";
  }
  std::string out =
      fmt::format("--- {}\n+++ {}\n", printable(data["before"].string_or_empty("subject")),
                  printable(data["after"].string_or_empty("subject")));
  std::string section;
  for (const Json& change : data["changes"].items()) {
    if (change.string_or_empty("section") != section) {
      section = change.string_or_empty("section");
      out += colored(printable(section), "1", style) + "\n";
    }
    out += change_text(change, style);
  }
  return out;
}

Result<Report> run_diff(const CompareOptions& options, Context& context) {
  const Sides sides = TRY(find_sides(options, context));
  Json changes = Json::array();
  for (const definition::Change& change : definition::diff(
           sides.before.entry.environment.definition, sides.after.entry.environment.definition)) {
    Json record;
    record.set("section", change.section)
        .set("kind", definition::to_string(change.kind))
        .set("name", text_or_null(change.name))
        .set("before", text_or_null(change.before))
        .set("after", text_or_null(change.after));
    changes.push(std::move(record));
  }
  const bool differs = !changes.items().empty();
  Json data;
  data.set("before", side_record(sides.before, options.before))
      .set("after", side_record(sides.after, options.after))
      .set("changes", std::move(changes));
  return Report{.data = std::move(data),
                .text = env_diff_text,
                .exit_code = differs && options.exit_code ? 1 : 0};
}

constexpr std::array<Example, 3> kEnvDiffExamples = {{
    {"Between two versions", "cloche env diff train:1 train:2"},
    {"What registering a file would change", "cloche env diff train ./environment.yml"},
    {"In a script", "cloche env diff train:1 train --exit-code"},
}};

}  // namespace

const Command kEnvDiff = {
    .path = "env diff",
    .summary = "show what changed between two environments, package by package",
    .description =
        "Compares the definitions of A and B by section: + added, - removed, ~ changed, > moved to "
        "another place in the order (which changes the fingerprint). Each side is a reference or a "
        "file, as in cloche env show.",
    .arguments = kCompareArguments,
    .examples = kEnvDiffExamples,
    .exit_codes = kCompareExitCodes,
    .see_also = "env explain, env show, env history",
    .run = run<CompareOptions, run_diff>,
};

}  // namespace cloche::cli
