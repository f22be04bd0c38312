// `cloche env install`
#include <array>

#include <fmt/format.h>

#include "build/install_environment.h"
#include "cli/command_table.h"
#include "cli/env/locking.h"
#include "cli/env/placed.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/progress_display.h"
#include "core/text.h"
#include "io/system.h"

namespace cloche::cli {
namespace {

struct InstallOptions : LockingOptions {
  InstallOptions() { needs_debian = false; }  // a directory of the host gets none of them
  std::string subject;
  std::string prefix;
  bool replace = false;
  bool no_bytecode = false;
};

std::string env_install_text(const Json& data, const Style& /*style*/) {
  std::string out =
      fmt::format("installed {} packages, {} files, in {}\n", data["packages"].as_integer(),
                  data["files"].as_integer(), printable(data.string_or_empty("prefix")));
  for (const Json& one : data["clobbered"].items()) {
    const std::string winner = printable(one.string_or_empty("winner"));
    for (const Json& loser : one["losers"].items()) {
      out += fmt::format("{} is in {} and {}: {}'s was taken\n",
                         printable(one.string_or_empty("path")), printable(loser.as_string()),
                         winner, winner);
    }
  }
  for (const Json& one : data["scripts"].items()) {
    out += fmt::format("not run: the {} script of {} ({})\n", one.string_or_empty("action"),
                       printable(one.string_or_empty("package")),
                       printable(one.string_or_empty("path")));
  }
  return out;
}

Json report_record(const source::InstallReport& report, const std::string& prefix) {
  Json data;
  data.set("prefix", prefix)
      .set("packages", static_cast<std::int64_t>(report.packages))
      .set("files", static_cast<std::int64_t>(report.files))
      .set("bytes", static_cast<std::int64_t>(report.bytes))
      .set("clobbered", clobber_records(report.clobbers))
      .set("scripts", script_records(report.scripts));
  return data;
}

Result<Report> run_install(const InstallOptions& options, Context& context) {
  const Interrupt interrupt;
  const Subject subject = TRY(find_subject(options.subject, context));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  build::LockRequest request =
      TRY(locking_request(subject, options, *access, interrupt.token(), context));
  const Locked locked =
      TRY(find_or_make_lock(subject, request, options, *access, interrupt.token(), context));
  const std::string prefix = normal_path(join_path(io::current_directory(), options.prefix));
  const build::InstallRequest install = {.lock = locked.entry.lock,
                                         .prefix = prefix,
                                         .replace = options.replace,
                                         .compile_bytecode = !options.no_bytecode,
                                         .offline = options.offline};
  ProgressDisplay progress(context.terminal(), access->clock(), progress_form(context));
  auto report =
      build::install_environment(install, access->channels(), interrupt.token(), progress);
  progress.clear();
  const source::InstallReport done = TRY(std::move(report));
  for (const std::string& note : done.notes) {
    context.hint(note);
  }
  if (!locked.entry.lock.pypi.empty()) {
    Diagnostics diagnostics;
    diagnostics.warn("install-pip", {}, "the pip packages of the definition are not installed",
                     fmt::format("install them with {}/bin/python -m pip", prefix));
    context.say(diagnostics);
  }
  Json data = report_record(done, prefix);
  data.set("lock", locked.entry.digest.to_string());
  return Report{.data = std::move(data), .text = env_install_text};
}

constexpr std::array<Argument, 4> kEnvInstallOwnArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&InstallOptions::subject>},
    {.name = "PREFIX",
     .help = "The directory to make; conda and mamba know it as an environment of theirs",
     .required = true,
     .source = Source::kDirectories,
     .field = kField<&InstallOptions::prefix>},
    {.name = "replace",
     .help = "Replace an environment that cloche installed there before",
     .field = kField<&InstallOptions::replace>},
    {.name = "no-bytecode",
     .help = "Do not compile Python files of noarch packages",
     .field = kField<&InstallOptions::no_bytecode>},
}};

constexpr auto kEnvInstallArguments =
    joined(kEnvInstallOwnArguments, kLockingArguments<InstallOptions>);

constexpr std::array<Example, 2> kEnvInstallExamples = {{
    {"An environment for an editor or a debugger on this machine",
     "cloche env install train ./.venv"},
    {"Straight from a file, without registering it",
     "cloche env install ./environment.yml /opt/science"},
}};

}  // namespace

const Command kEnvInstall = {
    .path = "env install",
    .summary = "install an environment's conda packages into a directory",
    .description =
        "Fetches the packages of the lock (made first where there is none), verifies each against "
        "its hash, and puts their files into a new directory as conda would: prefixes replaced, "
        "entry points written, conda-meta records kept, so that conda list and conda activate work "
        "on it. The directory is there whole or not at all.\n\n"
        "Archives are kept in the cache by content; a second environment fetches only what is "
        "new. Post-link scripts are listed, not run.",
    .arguments = kEnvInstallArguments,
    .examples = kEnvInstallExamples,
    .exit_codes =
        "5  the directory is there already, or the requirements collide\n9  a package is "
        "not what its hash says",
    .see_also = "env lock",
    .run = run<InstallOptions, run_install>,
};

}  // namespace cloche::cli
