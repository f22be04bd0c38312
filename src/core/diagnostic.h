// What a parser, a validator or a linter has to say about a file without stopping.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/location.h"

namespace cloche {

enum class Severity { kNote, kWarning, kError };

std::string_view to_string(Severity severity);  // "note", "warning", "error"

struct Diagnostic {
  Severity severity = Severity::kWarning;
  std::string rule;  // a stable name, "conda-unknown-key"; documented in docs/manual/lint.md
  std::string message;
  std::string hint;
  Location at;
  std::string excerpt;  // the line's text, for the caret; "" when unknown

  // "environment.yml:3:5: warning: ... [rule]", the excerpt, the hint.
  std::string to_string() const;
};

// A list that parsers append to. Plain values, one thread.
class Diagnostics {
 public:
  void add(Diagnostic diagnostic) { list_.push_back(std::move(diagnostic)); }
  void warn(std::string rule, Location at, std::string message, std::string hint = "");
  void note(std::string rule, Location at, std::string message, std::string hint = "");
  void error(std::string rule, Location at, std::string message, std::string hint = "");

  const std::vector<Diagnostic>& list() const { return list_; }
  bool empty() const { return list_.empty(); }
  bool has_errors() const;
  void append(const Diagnostics& other);

 private:
  std::vector<Diagnostic> list_;
};

}  // namespace cloche
