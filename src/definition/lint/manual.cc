// docs/manual/lint.md out of the table, so that the two cannot differ.
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kIntroduction = R"(# lint: pitfalls in definitions and Dockerfiles

`cloche env lint FILE...` looks for what people get wrong in Dockerfiles, conda files, requirements
files and Azure ML environment files, and says why it matters and what to do. It never runs anything
and never asks the network.

- **Severities.** An *error* fails, or does nothing of what it says. A *warning* is probably not what
  was meant. A *note* is advice. A rule is silent where it cannot know: a base image of unknown
  content, a variable, a script whose effects cannot be read from its name.
- **Silencing.** A comment `# cloche: ignore=RULE` (or `RULE,RULE`) silences the rules on its own
  line, on the line below, or, above a Dockerfile instruction, in all of that instruction.
- **Mending.** `--fix` changes the file where the mend is certain; the sections say where there is
  one. What a fix does not reach is left to you.
- **Machines.** `--output sarif` writes SARIF 2.1.0, with these texts as help.
- Secrets that lint finds are never shown: not the value, and not the line it stands in.

This page is made from the rules' own table; a test compares the two.
)";

std::string_view language(Format format) {
  switch (format) {
    case Format::kCondaYaml:
    case Format::kAzuremlV2:
      return "yaml";
    case Format::kRequirementsTxt:
      return "text";
    default:
      return "dockerfile";
  }
}

std::string example(std::string_view title, const RuleInfo& rule, std::string_view text) {
  return text.empty() ? ""
                      : fmt::format("\n{}:\n\n```{}\n{}```\n", title, language(rule.format), text);
}

}  // namespace

std::string lint_manual() {
  std::string out(kIntroduction);
  out += "\n## The rules\n\n| rule | severity | finds |\n|---|---|---|\n";
  for (const RuleInfo& rule : lint_rules()) {
    out += fmt::format("| [{0}](#{0}) | {1} | {2} |\n", rule.name, to_string(rule.severity),
                       rule.summary);
  }
  for (const RuleInfo& rule : lint_rules()) {
    out += fmt::format("\n## {}\n\n*{}*: {}.\n\n{}\n", rule.name, to_string(rule.severity),
                       rule.summary, rule.reason);
    out += example("Bad", rule, rule.bad) + example("Good", rule, rule.good);
  }
  return out;
}

}  // namespace cloche::definition
