// `cloche env lint`
#include "definition/lint/lint.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/context.h"
#include "cli/messages.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "core/text.h"
#include "io/file.h"

namespace cloche::cli {
namespace {

using definition::Finding;

struct LintOptions {
  std::vector<std::string> files;
  bool fix = false;
  std::string format = "text";
  std::vector<std::string> disabled;
  bool list_rules = false;
};

Status check(const LintOptions& options) {
  std::vector<std::string> rules;
  for (const definition::RuleInfo& rule : definition::lint_rules()) {
    rules.emplace_back(rule.name);
  }
  for (const std::string& name : options.disabled) {
    if (std::ranges::find(rules, name) == rules.end()) {
      const std::string near = suggest(name, rules);
      return fail(ErrorKind::kUsage, "there is no rule '{}'", printable(name))
          .with_hint(near.empty() ? "cloche env lint --list-rules names them"
                                  : fmt::format("did you mean {}?", near));
    }
  }
  if (options.files.empty()) {
    return fail(ErrorKind::kUsage, "no file to check is given")
        .with_hint("cloche env lint FILE...");
  }
  const bool reads_input = std::ranges::find(options.files, "-") != options.files.end();
  if (options.fix && reads_input) {
    return fail(ErrorKind::kUsage, "--fix changes files; standard input is none");
  }
  return {};
}

Result<std::vector<Finding>> lint_all(const LintOptions& options, Context& context) {
  const definition::LintOptions settings{.disabled = options.disabled,
                                         .read = TRY(context.read_options())};
  std::vector<Finding> findings;
  for (const std::string& file : options.files) {
    for (Finding& one : TRY(definition::lint_file(input_path(file), context.files(), settings))) {
      findings.push_back(std::move(one));
    }
  }
  return findings;
}

// Writes through links and keeps the permissions: a mend changes the text and nothing else.
Status replace_text(const std::string& file, const std::string& text) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(file, error);
  const std::string path = error ? file : real.string();
  struct stat status{};
  const bool known = ::stat(path.c_str(), &status) == 0;
  return io::write_file_atomically(path, text, known ? status.st_mode & 07777U : 0644U);
}

// How many findings were mended.
Result<int> fix_all(const std::vector<Finding>& findings, Context& context) {
  std::set<std::string> files;
  for (const Finding& one : findings) {
    if (!one.fix.empty()) {
      files.insert(one.diagnostic.at.file);
    }
  }
  for (const std::string& file : files) {
    const std::string text = TRY(context.files().read(file, kMaxTextBytes));
    TRY(replace_text(file, definition::apply_fixes(text, file, findings)));
  }
  return static_cast<int>(
      std::ranges::count_if(findings, [](const Finding& one) { return !one.fix.empty(); }));
}

Json lint_record(const std::vector<Finding>& findings, int fixed_count) {
  Json list = Json::array();
  std::array<int, 3> counts{};
  for (const Finding& one : findings) {
    Json record = diagnostic_record(one.diagnostic);
    record.set("fixable", !one.fix.empty());
    list.push(std::move(record));
    ++counts.at(static_cast<std::size_t>(one.diagnostic.severity));
  }
  Json data;
  data.set("findings", std::move(list))
      .set("error_count", counts[2])
      .set("warning_count", counts[1])
      .set("note_count", counts[0])
      .set("fixed_count", fixed_count);
  return data;
}

Diagnostic diagnostic_of(const Json& record) {
  const std::string severity = record.string_or_empty("severity");
  const auto number = [&](std::string_view key) {
    return record[key].is_integer() ? static_cast<int>(record[key].as_integer()) : 0;
  };
  return {.severity = severity == "error"     ? Severity::kError
                      : severity == "warning" ? Severity::kWarning
                                              : Severity::kNote,
          .rule = record.string_or_empty("rule"),
          .message = record.string_or_empty("message"),
          .hint = record.string_or_empty("hint"),
          .at = {record.string_or_empty("file"), number("line"), number("column")},
          .excerpt = record.string_or_empty("excerpt")};
}

std::string plural(std::int64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string env_lint_text(const Json& data, const Style& style) {
  std::string out;
  for (const Json& record : data["findings"].items()) {
    out += to_text(diagnostic_of(record), style);
  }
  return out;
}

std::string dumped(const Json& data, const Style& /*style*/) { return data.dump(2) + "\n"; }

void summarize(const Json& data, Context& context) {
  const auto fixable = std::ranges::count_if(
      data["findings"].items(), [](const Json& one) { return one["fixable"].as_bool(); });
  const std::int64_t fixed = data["fixed_count"].as_integer();
  std::string line = fmt::format("{}, {}, {}", plural(data["error_count"].as_integer(), "error"),
                                 plural(data["warning_count"].as_integer(), "warning"),
                                 plural(data["note_count"].as_integer(), "note"));
  line += fixed > 0 ? fmt::format("; {} mended", fixed) : "";
  line += fixable > 0 ? fmt::format("; --fix would mend {}", fixable) : "";
  context.terminal().err(line + "\n");
}

Report list_rules() {
  Json list = Json::array();
  for (const definition::RuleInfo& rule : definition::lint_rules()) {
    Json record;
    record.set("rule", rule.name)
        .set("severity", to_string(rule.severity))
        .set("summary", rule.summary)
        .set("reason", rule.reason);
    list.push(std::move(record));
  }
  Report report;
  report.data.set("rules", std::move(list));
  report.text = [](const Json& data, const Style& style) {
    Table table({"RULE", "SEVERITY", "SUMMARY"});
    for (const Json& one : data["rules"].items()) {
      table.add({one.string_or_empty("rule"), one.string_or_empty("severity"),
                 one.string_or_empty("summary")});
    }
    return table.render(style);
  };
  return report;
}

Result<Report> run_lint(const LintOptions& options, Context& context) {
  if (options.list_rules) {
    return list_rules();
  }
  TRY(check(options));
  std::vector<Finding> findings = TRY(lint_all(options, context));
  int fixed_count = 0;
  if (options.fix) {
    const std::size_t before = findings.size();
    if (TRY(fix_all(findings, context)) > 0) {
      findings = TRY(lint_all(options, context));
      fixed_count = static_cast<int>(before - std::min(before, findings.size()));
    }
  }
  Json data = lint_record(findings, fixed_count);
  const bool clean = data["error_count"].as_integer() + data["warning_count"].as_integer() == 0;
  const int code = clean ? 0 : 1;
  if (options.format == "sarif") {
    return Report{.data = definition::to_sarif(findings, program_version()),
                  .text = dumped,
                  .exit_code = code};
  }
  if (options.format == "json") {
    return Report{.data = std::move(data), .text = dumped, .exit_code = code};
  }
  if (!context.json()) {
    summarize(data, context);
  }
  return Report{.data = std::move(data), .text = env_lint_text, .exit_code = code};
}

constexpr std::array<Argument, 5> kEnvLintArguments = {{
    {.name = "FILE",
     .help = "A file or directory of any format; - reads standard input",
     .source = Source::kFiles,
     .field = kField<&LintOptions::files>},
    {.name = "fix",
     .help = "Mend what can be mended for certain, in the files themselves",
     .field = kField<&LintOptions::fix>},
    {.name = "format",
     .value = "FORMAT",
     .help = "How to print findings; sarif is SARIF 2.1.0, for code hosts",
     .choices = "text|json|sarif",
     .field = kField<&LintOptions::format>},
    {.name = "disable",
     .value = "RULE",
     .help = "Leave out a rule",
     .source = Source::kLintRules,
     .field = kField<&LintOptions::disabled>},
    {.name = "list-rules",
     .help = "Print the rules instead",
     .field = kField<&LintOptions::list_rules>},
}};

constexpr std::array<Example, 4> kEnvLintExamples = {{
    {"Check a Dockerfile and a conda file", "cloche env lint Dockerfile environment.yml"},
    {"Mend what is certain, show the rest", "cloche env lint --fix Dockerfile"},
    {"For a code host", "cloche env lint Dockerfile --format sarif > lint.sarif"},
    {"Without one rule", "cloche env lint Dockerfile --disable runs-as-root"},
}};

}  // namespace

const Command kEnvLint = {
    .path = "env lint",
    .summary = "find pitfalls in definitions and Dockerfiles",
    .description =
        "Checks files against named rules, which docs/manual/lint.md explains one by one with bad "
        "and good examples. A file that does not parse gives one finding of the rule syntax. A "
        "comment `# cloche: ignore=RULE` on the line or the line above silences a rule there.\n\n"
        "Findings go to standard output, the summary to standard error.",
    .arguments = kEnvLintArguments,
    .examples = kEnvLintExamples,
    .exit_codes = "1  there are errors or warnings; notes alone give 0",
    .see_also = "env create, env show",
    .run = run<LintOptions, run_lint>,
};

}  // namespace cloche::cli
