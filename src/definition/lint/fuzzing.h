// What both fuzz targets of lint check.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/testing.h"
#include "definition/lint/lint.h"

namespace cloche::definition {

inline std::vector<Finding> findings_of(const std::string& name, const std::string& text) {
  MemoryFiles files;
  files.add(name, text);
  auto findings = lint_file(name, files, {});
  CHECK(findings.has_value());
  return std::move(*findings);
}

inline bool is_broken(const std::vector<Finding>& findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.diagnostic.rule == "syntax"; });
}

inline std::size_t fixable(const std::vector<Finding>& findings) {
  return static_cast<std::size_t>(
      std::ranges::count_if(findings, [](const Finding& finding) { return !finding.fix.empty(); }));
}

inline void lint_and_mend(const std::string& name, const std::string& text) {
  const std::vector<Finding> findings = findings_of(name, text);
  // YAML's errors may stand on the line after the last, and it has more line ends than \n.
  const auto lines = static_cast<int>(text.size()) + 2;
  for (const Finding& finding : findings) {
    CHECK(finding.diagnostic.at.line <= lines);
    CHECK(!finding.diagnostic.message.empty());
    for (const TextEdit& edit : finding.fix) {
      CHECK(edit.begin <= edit.end && edit.end <= text.size());
    }
  }
  CHECK(to_sarif(findings, "0").is_object());
  const std::vector<Finding> after = findings_of(name, apply_fixes(text, name, findings));
  CHECK(is_broken(findings) || !is_broken(after));
  CHECK(fixable(findings) == 0 || fixable(after) < fixable(findings));
}

}  // namespace cloche::definition
