#include "definition/lint/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/lint/secrets.h"

namespace cloche::definition {
namespace {

// A person who has this many of one kind knows; a hostile file must not make a huge report.
constexpr std::size_t kMaxPerRule = 200;
// Longer lines are nobody's reading, and showing them for each finding would cost.
constexpr std::size_t kMaxExcerpt = 2000;

int code_points(std::string_view bytes) {
  return static_cast<int>(std::ranges::count_if(
      bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

void Report::begin(const RuleInfo& rule, const std::string& file) {
  rule_ = rule;
  file_ = file;
}

Finding& Report::add(std::size_t offset, std::string message, std::string hint) {
  return add(file().location(offset), std::move(message), std::move(hint));
}

Finding& Report::add(const Location& at, std::string message, std::string hint) {
  Finding finding;
  finding.diagnostic.severity = rule_.severity;
  finding.diagnostic.rule = std::string(rule_.name);
  finding.diagnostic.at = at;
  finding.diagnostic.message = std::move(message);
  finding.diagnostic.hint = std::move(hint);
  return keep(std::move(finding));
}

Finding& Report::add(const Diagnostic& diagnostic) {
  Finding finding;
  finding.diagnostic = diagnostic;
  return keep(std::move(finding));
}

Finding& Report::keep(Finding finding) {
  Diagnostic& diagnostic = finding.diagnostic;
  std::size_t& count = counts_[diagnostic.rule];
  if (++count > kMaxPerRule) {
    dropped_ = std::move(finding);
    return dropped_;
  }
  if (diagnostic.at.line > 0 && !diagnostic.at.file.empty()) {
    diagnostic.excerpt = std::string(sources_.get(diagnostic.at.file).line(diagnostic.at.line));
  }
  diagnostic.excerpt = diagnostic.excerpt.size() > kMaxExcerpt ? "" : redacted(diagnostic.excerpt);
  diagnostic.message = printable(redacted(diagnostic.message.substr(0, kMaxExcerpt)));
  diagnostic.hint = printable(redacted(diagnostic.hint.substr(0, kMaxExcerpt)));
  findings_.push_back(std::move(finding));
  return findings_.back();
}

void Report::replace(Finding& finding, std::size_t begin, std::size_t end, std::string text) const {
  const SourceFile& file = sources_.get(finding.diagnostic.at.file);
  const auto column = [&](const Location& at) {
    const std::string_view line = file.line(at.line);
    return 1 + code_points(line.substr(
                   0, std::min<std::size_t>(line.size(), static_cast<std::size_t>(at.column) - 1)));
  };
  const Location from = file.location(begin);
  const Location to = file.location(end);
  finding.fix.push_back(
      {begin, end, std::move(text), from.line, column(from), to.line, column(to)});
}

std::vector<Finding> Report::take() {
  for (auto& [rule, count] : counts_) {
    if (count > kMaxPerRule) {
      const auto last = std::ranges::find(findings_.rbegin(), findings_.rend(), rule,
                                          [](const Finding& f) { return f.diagnostic.rule; });
      last->diagnostic.message += fmt::format(" (and {} more like this)", count - kMaxPerRule);
    }
  }
  std::ranges::sort(findings_, {}, [](const Finding& finding) {
    const Diagnostic& diagnostic = finding.diagnostic;
    return std::tie(diagnostic.at, diagnostic.rule, diagnostic.message);
  });
  return std::exchange(findings_, {});
}

}  // namespace cloche::definition
