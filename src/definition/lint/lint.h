// Pitfalls in Dockerfiles, conda and requirements files and environment YAML, found by named rules.
// docs/manual/lint.md has a section for each rule, made and checked from the table in rules.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/diagnostic.h"
#include "core/files.h"
#include "core/json.h"
#include "definition/load.h"

namespace cloche::definition {

// Replaces the bytes [begin, end) of the file's text.
struct TextEdit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string replacement;
};

struct Finding {
  Diagnostic diagnostic;      // its rule is the rule's name
  std::vector<TextEdit> fix;  // non-empty only where the mend is certain
};

struct LintOptions {
  std::vector<std::string> disabled;  // rule names
  ReadOptions read;
};

// Lints one file of any format (with the files it names). A file that does not parse gives one
// finding with the rule "syntax". Findings are sorted by place. `# cloche: ignore=RULE[,RULE]` on
// the line or the line above silences. Errors: only what the disk does (kNotFound and the like).
Result<std::vector<Finding>> lint_file(const std::string& path, FileSource& files,
                                       const LintOptions& options);

// The text with all fixes applied; overlapping ones are left for the next run.
std::string apply_fixes(std::string_view text, const std::vector<Finding>& findings);

// SARIF 2.1.0 (OASIS), with the rules' help texts. Deterministic.
Json to_sarif(const std::vector<Finding>& findings, std::string_view program_version);

// The rules, for `env lint --list-rules` and the manual.
struct RuleInfo {
  std::string_view name;  // "apt-get-without-update"
  Severity severity = Severity::kWarning;
  std::string_view summary;             // one line
  std::string_view reason;              // why it matters
  std::string_view bad;                 // an example that it finds
  std::string_view good;                // the mend
  Format format = Format::kDockerfile;  // the format of the examples
};
const std::vector<RuleInfo>& lint_rules();

}  // namespace cloche::definition
