// Pitfalls in Dockerfiles, conda and requirements files and environment YAML, found by named rules.
// docs/manual/lint.md has a section for each rule, made and checked from the table in rules.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"
#include "core/files.h"
#include "core/json.h"
#include "definition/load.h"

namespace cloche::definition {

// Replaces the bytes [begin, end) of the text of the file that its finding stands in.
struct TextEdit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string replacement;
  // The same range for SARIF: lines and columns from 1, columns in code points, the end exclusive.
  int line = 0;
  int column = 0;
  int end_line = 0;
  int end_column = 0;
};

struct Finding {
  Diagnostic diagnostic;      // its rule is the rule's name; its excerpt is the line
  std::vector<TextEdit> fix;  // non-empty only where the mend is certain; sorted, apart
};

struct LintOptions {
  std::vector<std::string> disabled;  // rule names
  ReadOptions read;
};

// Lints one file of any format (with the files it names: a finding's place says which file it is
// in). A file that does not parse gives one finding with the rule "syntax". Findings are sorted by
// place. A comment `# cloche: ignore=RULE[,RULE]` on the line, on comment lines right above it, or
// above the Dockerfile instruction that the line is part of, silences. Errors: only what the disk
// does (kNotFound and the like).
Result<std::vector<Finding>> lint_file(const std::string& path, FileSource& files,
                                       const LintOptions& options);

// The text of `file` with the fixes of the findings in that file applied; of two that overlap the
// later is left for the next run.
std::string apply_fixes(std::string_view text, const std::string& file,
                        const std::vector<Finding>& findings);

// SARIF 2.1.0 (OASIS), with the rules' help texts. Deterministic.
Json to_sarif(const std::vector<Finding>& findings, std::string_view program_version);

// The rules, for `env lint --list-rules` and the manual.
struct RuleInfo {
  std::string_view name;  // "apt-get-without-update"
  Severity severity = Severity::kWarning;
  std::string_view summary;  // one line
  std::string_view reason;   // why it matters
  std::string_view bad;      // an example that it finds; "==> NAME <==" lines part several files
  std::string_view good;     // the mend; both are empty where an example would be too long
  Format format = Format::kDockerfile;  // the format of the examples
};
const std::vector<RuleInfo>& lint_rules();

}  // namespace cloche::definition
