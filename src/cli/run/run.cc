// `cloche run`, `cloche env shell`
#include <array>

#include "cli/command_table.h"
#include "cli/run/environment.h"

namespace cloche::cli {
namespace {

struct ShellOptions : RunOptions {};

Result<Report> run_run(const RunOptions& options, Context& context) {
  return run_in_environment(options, context);
}

Result<Report> run_shell(const ShellOptions& options, Context& context) {
  RunOptions same = options;
  same.shell = true;
  return run_in_environment(same, context);
}

constexpr std::array<Argument, 3> kRunArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&RunOptions::subject>},
    {.name = "COMMAND",
     .help = "What to run, with its arguments, after --",
     .source = Source::kFiles,
     .field = kField<&RunOptions::command>},
    {.name = "shell",
     .help = "Run a shell: the image's bash, or its sh",
     .field = kField<&RunOptions::shell>},
}};

constexpr std::array<Argument, 1> kShellArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kInheritedField<ShellOptions, &RunOptions::subject>},
}};

constexpr auto kAllRunArguments =
    joined(joined(kRunArguments, kContainerArguments<RunOptions>), kLockingArguments<RunOptions>);
constexpr auto kAllShellArguments = joined(
    joined(kShellArguments, kContainerArguments<ShellOptions>), kLockingArguments<ShellOptions>);

constexpr std::array<Example, 4> kRunExamples = {{
    {"A script of this directory in a registered environment",
     "cloche run train -- python train.py"},
    {"From a file to a process, in one command",
     "cloche run ./environment.yml -- python -c 'import numpy; print(numpy.__version__)'"},
    {"With limits and a directory of data",
     "cloche run train --memory 8g --cpus 4 --mount /data/digits:/data:ro -- python train.py"},
    {"A shell in it", "cloche run train --shell"},
}};

constexpr std::array<Example, 1> kShellExamples = {{
    {"Look around in an environment", "cloche env shell train"},
}};

constexpr std::string_view kExitCodes =
    "0  and any other: the command's own (128 + a signal's number)\n"
    "4  there is no such environment, or no such command in it\n"
    "10  this host cannot run containers, or not with these limits";

}  // namespace

const Command kRun = {
    .path = "run",
    .summary = "run a command in an environment",
    .description =
        "Runs the command in a container over the environment's image, which is locked, built and "
        "unpacked first where it is not yet. The current directory is mounted at the same path and "
        "is where the command starts; files that it makes there are yours. Standard input, output "
        "and error, and the terminal where there is one, are the command's; signals go to it.\n\n"
        "A file instead of a name registers an anonymous environment.\n\n"
        "Outside of what is mounted, changes are thrown away at the end. The command gets the "
        "image's variables, few capabilities, no new privileges, and only the devices that every "
        "program needs. The image's entry point and user are not used.",
    .arguments = kAllRunArguments,
    .examples = kRunExamples,
    .exit_codes = kExitCodes,
    .see_also = "env build, env shell",
    .run = run<RunOptions, run_run>,
};

const Command kEnvShell = {
    .path = "env shell",
    .summary = "open a shell in an environment",
    .description = "The same as cloche run REF --shell.",
    .arguments = kAllShellArguments,
    .examples = kShellExamples,
    .exit_codes = kExitCodes,
    .see_also = "run",
    .run = run<ShellOptions, run_shell>,
};

}  // namespace cloche::cli
