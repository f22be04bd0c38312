#include "core/diagnostic.h"

#include <algorithm>

#include <fmt/format.h>

namespace cloche {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

std::string Diagnostic::to_string() const {
  std::string out = at.empty() ? std::string() : at.to_string() + ": ";
  out += fmt::format("{}: {}", cloche::to_string(severity), message);
  if (!rule.empty()) {
    out += fmt::format(" [{}]", rule);
  }
  if (!excerpt.empty()) {
    out += "\n" + caret_excerpt(at, excerpt);
  }
  if (!hint.empty()) {
    out += "\n  hint: " + hint;
  }
  return out;
}

void Diagnostics::warn(std::string rule, Location at, std::string message, std::string hint) {
  add({Severity::kWarning,
       std::move(rule),
       std::move(message),
       std::move(hint),
       std::move(at),
       {}});
}

void Diagnostics::note(std::string rule, Location at, std::string message, std::string hint) {
  add({Severity::kNote, std::move(rule), std::move(message), std::move(hint), std::move(at), {}});
}

void Diagnostics::error(std::string rule, Location at, std::string message, std::string hint) {
  add({Severity::kError, std::move(rule), std::move(message), std::move(hint), std::move(at), {}});
}

bool Diagnostics::has_errors() const {
  return std::ranges::any_of(list_,
                             [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

void Diagnostics::append(const Diagnostics& other) {
  list_.insert(list_.end(), other.list_.begin(), other.list_.end());
}

}  // namespace cloche
