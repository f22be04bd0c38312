// What `env diff` and `env explain` share.
#pragma once

#include <array>
#include <string>

#include "cli/command.h"
#include "cli/env/record.h"

namespace cloche::cli {

struct CompareOptions {
  std::string before;
  std::string after;
  bool exit_code = false;
};

inline constexpr std::array<Argument, 3> kCompareArguments = {{
    {.name = "A",
     .help = "The one before: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&CompareOptions::before>},
    {.name = "B",
     .help = "The one after, likewise",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&CompareOptions::after>},
    {.name = "exit-code",
     .help = "Exit with 1 when there is a difference",
     .field = kField<&CompareOptions::exit_code>},
}};

inline constexpr std::string_view kCompareExitCodes = "1  there is a difference (with --exit-code)";

struct Sides {
  Subject before;
  Subject after;
};
Result<Sides> find_sides(const CompareOptions& options, Context& context);

// {"subject": as typed, "name", "version", "fingerprint"}
Json side_record(const Subject& subject, const std::string& as_typed);

}  // namespace cloche::cli
