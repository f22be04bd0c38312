#include "package/pypi/specifier.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/text.h"
#include "package/pypi/scanner.h"
#include "package/pypi/variable.h"
#include "package/pypi/version.h"

namespace cloche::pypi {
namespace {

// Longer ones first.
constexpr std::array<std::string_view, 8> kOperators = {
    "===", "==", "~=", "!=", "<=", ">=", "<", ">"};
constexpr std::size_t kMaxClauses = 200;

bool is_operator_char(char c) { return c == '<' || c == '>' || c == '=' || c == '~'; }

std::string_view take_operator(Scanner& scan) {
  for (const std::string_view op : kOperators) {
    if (scan.take(op)) {
      return op;
    }
  }
  return {};
}

// Letters, digits, the signs of a version, and ${VARIABLES}.
bool is_variable_version(std::string_view text) {
  bool variable = false;
  while (!text.empty()) {
    std::size_t length = variable_length(text);
    variable = variable || length > 0;
    if (length == 0) {
      const char c = text.front();
      const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_' || c == '+' ||
                        c == '!';
      if (!good) {
        return false;
      }
      length = 1;
    }
    text.remove_prefix(length);
  }
  return variable;
}

std::string hint_for(std::string_view op, std::string_view version) {
  const std::string lower = to_lower(version);
  if (lower.ends_with(".x")) {
    return "did you mean " + std::string(op) + lower.substr(0, lower.size() - 1) + "*?";
  }
  if (version.ends_with('*')) {
    return "a wildcard stands behind a point, at the end: ==1.2.*";
  }
  if (version.ends_with(']')) {
    return "extras stand before the version: name[extra]" + std::string(op) + "1.2";
  }
  if (version.starts_with('"') || version.starts_with('\'')) {
    return "leave the quotes out";
  }
  if (version.find('#') != std::string_view::npos) {
    return "a comment begins with a blank and '#'";
  }
  return "versions look like 1.2.3, 1.0rc1 or 2.0.post1";
}

// What an operator allows beyond a plain version.
Status check_operator(const Scanner& scan, std::size_t at, const Specifier& one,
                      const Version& version) {
  const bool equality = one.op == "==" || one.op == "!=";
  if (one.wildcard && !equality) {
    return scan.error_at(at, "'{}' takes no wildcard", one.op)
        .with_hint("did you mean " + one.op + one.version + "?");
  }
  if (one.wildcard && !version.is_release()) {
    return scan.error_at(at, "a wildcard stands behind release numbers only")
        .with_hint("write " + one.op + "1.2.*");
  }
  if (version.has_local() && !equality) {
    return scan.error_at(at, "'{}' takes no local version", one.op)
        .with_hint("leave the part from '+' on out, or use ==");
  }
  if (one.op == "~=" && version.release().size() < 2) {
    return scan.error_at(at, "'~=' needs a version of two numbers or more")
        .with_hint("did you mean ~=" + one.version + ".0?");
  }
  return {};
}

Result<Specifier> read_clause(Scanner& scan, std::string_view op) {
  scan.skip_blanks();
  const std::size_t begin = scan.at();
  const bool identity = op == "===";
  char last = '\0';
  const std::string_view version = scan.take_while([&](char c) {
    const bool ends = is_blank(c) || c == ',' || c == ';' || c == ')' ||
                      (!identity && (is_operator_char(c) || (last == '!' && c == '=')));
    last = c;
    return !ends;
  });
  if (version.empty()) {
    return scan.error_at(begin, "the version behind '{}' is missing", op)
        .with_hint(scan.peek() == '=' ? "'" + std::string(op) + "=' is no operator"
                                      : "write name" + std::string(op) + "1.2");
  }
  Specifier one = {std::string(op), std::string(version), false};
  if (identity) {
    const std::size_t backslash = version.find('\\');
    if (backslash != std::string_view::npos) {
      return scan.error_at(begin + backslash, "a version cannot hold '\\'");
    }
    return one;
  }
  if (!scan.done() && is_operator_char(scan.peek())) {
    return scan.error("a comma is missing between two version clauses")
        .with_hint("write name>=1.2,<2");
  }
  if (one.version.ends_with(".*")) {
    one.version.resize(one.version.size() - 2);
    one.wildcard = true;
  }
  if (is_variable_version(one.version)) {
    return one;
  }
  const Result<Version> parsed = Version::parse(one.version);
  if (!parsed.has_value()) {
    return scan
        .error_at(begin, "'{}' is no version (PEP 440)",
                  printable(hide_passwords(version.substr(0, 80))))
        .with_hint(hint_for(op, version));
  }
  TRY(check_operator(scan, begin, one, *parsed));
  return one;
}

}  // namespace

Result<std::vector<Specifier>> read_specifiers(Scanner& scan) {
  std::vector<Specifier> out;
  for (std::string_view op = take_operator(scan); !op.empty(); op = take_operator(scan)) {
    if (out.size() == kMaxClauses) {
      return scan.error("more than {} version clauses", kMaxClauses);
    }
    out.push_back(TRY(read_clause(scan, op)));
    scan.skip_blanks();
    // packaging takes a comma at the end, so files have it.
    if (!scan.take(",")) {
      break;
    }
    scan.skip_blanks();
  }
  return out;
}

Result<std::vector<Specifier>> parse_specifiers(std::string_view text) {
  Scanner scan(text);
  scan.skip_blanks();
  std::vector<Specifier> out = TRY(read_specifiers(scan));
  scan.skip_blanks();
  if (!scan.done()) {
    return scan.error("an operator was expected here")
        .with_hint("write one of <, <=, ==, !=, >=, >, ~=, === before the version");
  }
  return out;
}

std::string to_string(const std::vector<Specifier>& specifiers) {
  std::string out;
  for (const Specifier& one : specifiers) {
    out += (out.empty() ? "" : ",") + one.to_string();
  }
  return out;
}

}  // namespace cloche::pypi
