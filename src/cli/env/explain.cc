// `cloche env explain`
#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/compare.h"
#include "cli/messages.h"
#include "core/text.h"
#include "definition/fingerprint.h"

namespace cloche::cli {
namespace {

std::string side_text(const Json& side) {
  return fmt::format("{}  {}\n", side.string_or_empty("fingerprint"),
                     printable(side.string_or_empty("subject")));
}

std::string value_text(const Json& value) {
  return value.is_null() ? "(nothing)" : printable(value.as_string());
}

std::string env_explain_text(const Json& data, const Style& /*style*/) {
  std::string out = side_text(data["before"]) + side_text(data["after"]);
  if (data["same_fingerprint"].as_bool()) {
    out += "the fingerprint is the same\n";
    if (!data["same_definition"].as_bool()) {
      out +=
          "the definitions differ in what no fingerprint holds: environment variables, inference "
          "routes, operating system, files that are not copied\n";
    }
    return out;
  }
  out += "the fingerprints differ, because of\n";
  for (const Json& one : data["differences"].items()) {
    out += fmt::format("  {}: {} -> {}\n", printable(one.string_or_empty("input")),
                       value_text(one["before"]), value_text(one["after"]));
  }
  return out;
}

Result<Report> run_explain(const CompareOptions& options, Context& context) {
  const Sides sides = TRY(find_sides(options, context));
  const definition::Definition& before = sides.before.entry.environment.definition;
  const definition::Definition& after = sides.after.entry.environment.definition;
  Json differences = Json::array();
  for (const definition::InputDifference& one : definition::explain_difference(before, after)) {
    Json record;
    record.set("input", one.input)
        .set("before", text_or_null(one.before))
        .set("after", text_or_null(one.after));
    differences.push(std::move(record));
  }
  const bool same = sides.before.entry.fingerprint == sides.after.entry.fingerprint;
  Json data;
  data.set("before", side_record(sides.before, options.before))
      .set("after", side_record(sides.after, options.after))
      .set("same_fingerprint", same)
      .set("same_definition", definition::same_definition(before, after))
      .set("differences", std::move(differences));
  return Report{.data = std::move(data),
                .text = env_explain_text,
                .exit_code = !same && options.exit_code ? 1 : 0};
}

constexpr std::array<Example, 2> kEnvExplainExamples = {{
    {"Why version 2 has another image than version 1", "cloche env explain train:1 train:2"},
    {"Whether a file gives the image that is there already",
     "cloche env explain train environment.yml --exit-code"},
}};

}  // namespace

const Command kEnvExplain = {
    .path = "env explain",
    .summary = "say which inputs make two fingerprints differ",
    .description =
        "The fingerprint of an environment is a hash of what decides its image: base image, docker "
        "steps and the files they copy, conda channels and packages, pip lines, Debian packages, "
        "each in order. This names the inputs in which A and B differ, and therefore why the "
        "fingerprints do. Each side is a reference or a file, as in cloche env show.",
    .arguments = kCompareArguments,
    .examples = kEnvExplainExamples,
    .exit_codes = kCompareExitCodes,
    .see_also = "env diff, env show",
    .run = run<CompareOptions, run_explain>,
};

}  // namespace cloche::cli
