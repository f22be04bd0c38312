#include "core/error.h"

#include <array>

namespace cloche {
namespace {

struct KindRow {
  std::string_view name;
  int exit_code;
};

// Indexed by ErrorKind. 1 is kept for "the check said no" (lint findings).
constexpr std::array<KindRow, 10> kKinds = {{
    {"invalid", 3},
    {"not-found", 4},
    {"conflict", 5},
    {"permission", 6},
    {"unavailable", 7},
    {"cancelled", 8},
    {"corrupt", 9},
    {"unsupported", 10},
    {"internal", 70},
    {"usage", 2},
}};

const KindRow& row(ErrorKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }

}  // namespace

std::string_view to_string(ErrorKind kind) { return row(kind).name; }

int exit_code(ErrorKind kind) { return row(kind).exit_code; }

Error Error::with_hint(std::string text) && {
  hint = std::move(text);
  return std::move(*this);
}

Error Error::with_location(Location location, std::string line_text) && {
  at = std::move(location);
  excerpt = std::move(line_text);
  return std::move(*this);
}

Error Error::with_details(std::vector<std::string> lines) && {
  details = std::move(lines);
  return std::move(*this);
}

std::string Error::to_string() const {
  std::string out = at.empty() ? std::string() : at.to_string() + ": ";
  out += message;
  for (const std::string& one : context) {
    out += "\n  " + one;
  }
  if (!excerpt.empty()) {
    out += "\n" + caret_excerpt(at, excerpt);
  }
  for (const std::string& line : details) {
    out += "\n  " + line;
  }
  if (!hint.empty()) {
    out += "\nhint: " + hint;
  }
  return out;
}

}  // namespace cloche
