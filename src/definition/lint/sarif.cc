// Static Analysis Results Interchange Format, version 2.1.0 (OASIS, 2020-03-27).
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "definition/lint/lint.h"

namespace cloche::definition {
namespace {

Json text_object(std::string_view text) { return Json::object().set("text", std::string(text)); }

std::string_view level(Severity severity) { return to_string(severity); }

// 3.4.3: an artifact's place is a URI; what a URI cannot have is percent-encoded (RFC 3986, 2.3).
std::string uri(std::string_view path) {
  std::string out = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Json rule_object(const RuleInfo& rule) {
  std::string help = std::string(rule.reason);
  std::string markdown = help;
  if (!rule.bad.empty()) {
    help += fmt::format("\n\nBad:\n{}\nGood:\n{}", rule.bad, rule.good);
    markdown += fmt::format("\n\nBad:\n\n```\n{}```\n\nGood:\n\n```\n{}```\n", rule.bad, rule.good);
  }
  return Json::object()
      .set("id", std::string(rule.name))
      .set("shortDescription", text_object(rule.summary))
      .set("fullDescription", text_object(rule.reason))
      .set("help", text_object(help).set("markdown", markdown))
      .set("defaultConfiguration", Json::object().set("level", std::string(level(rule.severity))));
}

// Columns are counted in code points (columnKind); ours are bytes.
int code_point_column(const Diagnostic& diagnostic) {
  const auto bytes = static_cast<std::size_t>(std::max(diagnostic.at.column, 1)) - 1;
  const std::string_view before = std::string_view(diagnostic.excerpt).substr(0, bytes);
  const auto continuations = std::ranges::count_if(
      before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; });
  return static_cast<int>(bytes) - static_cast<int>(continuations) + 1;
}

Json location_object(const Diagnostic& diagnostic) {
  Json physical =
      Json::object().set("artifactLocation", Json::object().set("uri", uri(diagnostic.at.file)));
  if (diagnostic.at.line > 0) {
    physical.set("region", Json::object()
                               .set("startLine", diagnostic.at.line)
                               .set("startColumn", code_point_column(diagnostic)));
  }
  return Json::object().set("physicalLocation", std::move(physical));
}

Json fix_object(const Finding& finding) {
  Json replacements = Json::array();
  for (const TextEdit& edit : finding.fix) {
    replacements.push(Json::object()
                          .set("deletedRegion", Json::object()
                                                    .set("startLine", edit.line)
                                                    .set("startColumn", edit.column)
                                                    .set("endLine", edit.end_line)
                                                    .set("endColumn", edit.end_column))
                          .set("insertedContent", text_object(edit.replacement)));
  }
  Json change =
      Json::object()
          .set("artifactLocation", Json::object().set("uri", uri(finding.diagnostic.at.file)))
          .set("replacements", std::move(replacements));
  return Json::object()
      .set("description", text_object(finding.diagnostic.hint))
      .set("artifactChanges", Json::array().push(std::move(change)));
}

Json result_object(const Finding& finding) {
  const Diagnostic& diagnostic = finding.diagnostic;
  const auto& rules = lint_rules();
  const auto rule = std::ranges::find(rules, diagnostic.rule, &RuleInfo::name);
  std::string message = diagnostic.message;
  if (!diagnostic.hint.empty()) {
    message += " (" + diagnostic.hint + ")";
  }
  Json result = Json::object().set("ruleId", diagnostic.rule);
  if (rule != rules.end()) {
    result.set("ruleIndex", static_cast<std::int64_t>(rule - rules.begin()));
  }
  result.set("level", std::string(level(diagnostic.severity))).set("message", text_object(message));
  if (!diagnostic.at.file.empty()) {
    result.set("locations", Json::array().push(location_object(diagnostic)));
  }
  if (!finding.fix.empty()) {
    result.set("fixes", Json::array().push(fix_object(finding)));
  }
  return result;
}

}  // namespace

Json to_sarif(const std::vector<Finding>& findings, std::string_view program_version) {
  Json rules = Json::array();
  for (const RuleInfo& rule : lint_rules()) {
    rules.push(rule_object(rule));
  }
  Json results = Json::array();
  for (const Finding& finding : findings) {
    results.push(result_object(finding));
  }
  Json driver = Json::object()
                    .set("name", "cloche")
                    .set("version", std::string(program_version))
                    .set("rules", std::move(rules));
  Json run = Json::object()
                 .set("tool", Json::object().set("driver", std::move(driver)))
                 .set("columnKind", "unicodeCodePoints")
                 .set("results", std::move(results));
  return Json::object()
      .set("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
      .set("version", "2.1.0")
      .set("runs", Json::array().push(std::move(run)));
}

}  // namespace cloche::definition
