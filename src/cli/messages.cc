#include "cli/messages.h"

#include <array>

#include <fmt/format.h>

#include "cli/terminal.h"
#include "core/text.h"
#include "core/yaml.h"

namespace cloche::cli {
namespace {

constexpr std::int64_t kMaxLine = 1 << 30;
constexpr std::string_view kRed = "1;31";
constexpr std::string_view kYellow = "1;33";
constexpr std::string_view kBlue = "1;34";

std::string_view attribute(Severity severity) {
  return severity == Severity::kError ? kRed : severity == Severity::kWarning ? kYellow : kBlue;
}

Json number_or_null(int number) { return number > 0 ? Json(number) : Json(); }

// The keys that errors and diagnostics share.
void add_place(Json& record, const Location& at, const std::string& excerpt) {
  record.set("file", text_or_null(at.file))
      .set("line", number_or_null(at.line))
      .set("column", number_or_null(at.column))
      .set("excerpt", text_or_null(excerpt));
}

Location place_of(const Json& record) {
  const auto number = [&](std::string_view key) {
    const Json& value = record[key];
    const bool good = value.is_integer() && value.as_integer() > 0 && value.as_integer() < kMaxLine;
    return good ? static_cast<int>(value.as_integer()) : 0;
  };
  return {record.string_or_empty("file"), number("line"), number("column")};
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> out;
  if (list.is_array()) {
    for (const Json& one : list.items()) {
      out.push_back(one.is_string() ? one.as_string() : std::string());
    }
  }
  return out;
}

}  // namespace

std::string to_text(const Error& error, const Style& style) {
  return colored("error:", kRed, style) + " " + printable_lines(error.to_string()) + "\n";
}

std::string to_text(const Diagnostic& diagnostic, const Style& style) {
  std::string text = printable_lines(diagnostic.to_string());
  const std::string word = fmt::format("{}:", to_string(diagnostic.severity));
  const std::size_t at = diagnostic.at.empty() ? 0 : diagnostic.at.to_string().size() + 2;
  if (style.color && text.compare(at, word.size(), word) == 0) {
    text.replace(at, word.size(), colored(word, attribute(diagnostic.severity), style));
  }
  return text + "\n";
}

Json error_record(const Error& error) {
  Json record;
  record.set("severity", "error")
      .set("kind", to_string(error.kind))
      .set("exit_code", exit_code(error.kind))
      .set("message", error.message)
      .set("hint", text_or_null(error.hint));
  add_place(record, error.at, error.excerpt);
  Json context = Json::array();
  for (const std::string& one : error.context) {
    context.push(one);
  }
  record.set("context", std::move(context));
  Json details = Json::array();
  for (const std::string& line : error.details) {
    details.push(line);
  }
  return record.set("details", std::move(details));
}

Json diagnostic_record(const Diagnostic& diagnostic) {
  Json record;
  record.set("severity", to_string(diagnostic.severity))
      .set("rule", text_or_null(diagnostic.rule))
      .set("message", diagnostic.message)
      .set("hint", text_or_null(diagnostic.hint));
  add_place(record, diagnostic.at, diagnostic.excerpt);
  return record;
}

std::optional<Error> error_from(const Json& record) {
  if (record.string_or_empty("severity") != to_string(Severity::kError) ||
      !record["context"].is_array()) {
    return std::nullopt;
  }
  Error out;
  out.kind = ErrorKind::kInternal;
  const std::string kind = record.string_or_empty("kind");
  for (int i = 0; i <= static_cast<int>(ErrorKind::kUsage); ++i) {
    if (to_string(static_cast<ErrorKind>(i)) == kind) {
      out.kind = static_cast<ErrorKind>(i);
    }
  }
  out.message = record.string_or_empty("message");
  out.hint = record.string_or_empty("hint");
  out.at = place_of(record);
  out.excerpt = record.string_or_empty("excerpt");
  out.context = texts_of(record["context"]);
  out.details = texts_of(record["details"]);
  return out;
}

std::optional<Diagnostic> diagnostic_from(const Json& record) {
  const std::string severity = record.string_or_empty("severity");
  for (const Severity one : {Severity::kNote, Severity::kWarning, Severity::kError}) {
    if (severity == to_string(one)) {
      return Diagnostic{.severity = one,
                        .rule = record.string_or_empty("rule"),
                        .message = record.string_or_empty("message"),
                        .hint = record.string_or_empty("hint"),
                        .at = place_of(record),
                        .excerpt = record.string_or_empty("excerpt")};
    }
  }
  return std::nullopt;
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

std::string render(const Report& report, std::string_view format, const Style& style) {
  if (format == "json") {
    return report.data.dump(2) + "\n";
  }
  if (format == "yaml") {
    return to_yaml(report.data);
  }
  return report.text(report.data, style);
}

}  // namespace cloche::cli
