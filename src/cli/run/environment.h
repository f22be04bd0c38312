// An environment's command, from its definition to its exit code.
#pragma once

#include "cli/context.h"
#include "cli/report.h"
#include "cli/run/options.h"

namespace cloche::cli {

// Finds the environment (registers a file's as an anonymous one), locks, builds and unpacks what is
// not there, and runs the command. The report is silent; its exit code is the command's.
Result<Report> run_in_environment(const RunOptions& options, Context& context);

}  // namespace cloche::cli
