// What went wrong, where, why, and what to do about it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "core/location.h"

namespace cloche {

// What the caller can do about an error. One table each maps kinds to exit codes and HTTP status.
enum class ErrorKind {
  kInvalid,      // the input is wrong: mend it
  kNotFound,     // what was named does not exist
  kConflict,     // it clashes with what is there
  kPermission,   // not allowed
  kUnavailable,  // the world failed (disk full, network down): try again later
  kCancelled,    // somebody asked to stop
  kCorrupt,      // stored data is damaged
  kUnsupported,  // valid, but not done here
  kInternal,     // a bug in this program
  kUsage,        // the command line itself is wrong
};

// "invalid", "not-found", ...: the word used in JSON output.
std::string_view to_string(ErrorKind kind);

// The process exit code of a kind: 0 is success, 2 is wrong usage (the command line itself).
int exit_code(ErrorKind kind);

// A value, cheap to move. The message is written where the fact is known: lower case, no period.
struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  std::string hint;                  // what to do next; a sentence fragment, "" when nothing helps
  Location at;                       // the author's line that is to blame; empty when there is none
  std::string excerpt;               // that line's text, for the caret; "" when unknown
  std::vector<std::string> context;  // innermost first: "in environment.yml"
  std::vector<std::string> details;  // the whole story, line by line, indented as it is to be shown

  // Where to look and what to do, as builders: fail(...).with_hint("...").
  Error with_hint(std::string text) &&;
  Error with_location(Location location, std::string line_text = "") &&;
  Error with_details(std::vector<std::string> lines) &&;

  // Everything for a person:
  //   Dockerfile:3:1: unknown instruction RUNN
  //       3 | RUNN pip install numpy
  //         | ^
  //   hint: did you mean RUN?
  std::string to_string() const;
};

// An error with a formatted message; converts to any Result.
template <class... Args>
Error make_error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  Error error;
  error.kind = kind;
  error.message = fmt::format(format, std::forward<Args>(args)...);
  return error;
}

}  // namespace cloche
