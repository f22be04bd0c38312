// `cloche env activate`
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

#include "blob/work_lock.h"
#include "build/install_environment.h"
#include "cli/command_table.h"
#include "cli/env/activated_prefix.h"
#include "cli/env/activation.h"
#include "cli/env/locking.h"
#include "cli/interrupt.h"
#include "cli/progress_display.h"
#include "core/text.h"
#include "io/system.h"

namespace cloche::cli {
namespace {

namespace fs = std::filesystem;

struct ActivateOptions : LockingOptions {
  ActivateOptions() { needs_debian = false; }  // a directory of the host gets none of them
  std::string subject;
  std::string to;
  std::string print = "shell";
  bool replace = false;
};

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> out;
  for (const Json& one : list.items()) {
    out.push_back(one.as_string());
  }
  return out;
}

std::string shell_text(const Json& data, const Style& /*style*/) {
  Activation out{.name = data.string_or_empty("environment"),
                 .prefix = data.string_or_empty("prefix"),
                 .variables = {},
                 .scripts = texts(data["activate_scripts"]),
                 .undo_scripts = texts(data["deactivate_scripts"])};
  for (const auto& [name, value] : data["variables"].members()) {
    out.variables[name] = value.as_string();
  }
  return activation_code(out);
}

std::string path_text(const Json& data, const Style& /*style*/) {
  return data.string_or_empty("prefix") + "\n";
}

std::string vscode_text(const Json& data, const Style& /*style*/) {
  Json settings = Json::object();
  settings.set("python.defaultInterpreterPath", data["python"]);
  return settings.dump(4) + "\n";
}

// conda runs them in the order of their names.
Json scripts_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& one : fs::directory_iterator(folder, error)) {
    if (one.path().extension() == ".sh") {
      names.push_back(one.path().string());
    }
  }
  std::ranges::sort(names);
  Json out = Json::array();
  for (std::string& one : names) {
    out.push(std::move(one));
  }
  return out;
}

struct Place {
  std::string prefix;
  std::string state;  // "kept", "made", "replaced"
};

// The directory with the packages of the lock; made unless it is there.
Result<Place> prepare(const ActivateOptions& options, const ActivatedPrefix& what,
                      const lock::Lock& lock, ChannelAccess& access, const std::stop_token& stop,
                      Context& context) {
  const std::string cache = access.cache_directory();
  Place out{.prefix = options.to.empty()
                          ? activated_place(cache, what)
                          : normal_path(join_path(io::current_directory(), options.to)),
            .state = "made"};
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  const blob::WorkLock alone = TRY(
      blob::WorkLock::hold(cache, "activated " + out.prefix,
                           "putting " + what.environment + " into a directory", stop, progress));
  const auto there = read_activated(out.prefix);
  if (there && there->lock == what.lock && !options.replace) {
    out.state = "kept";
    return out;
  }
  out.state = there ? "replaced" : "made";
  const build::InstallRequest install = {
      .lock = lock,
      .prefix = out.prefix,
      // One of ours gives way; below the cache there are no others.
      .replace = there || options.replace || options.to.empty(),
      .offline = options.offline};
  auto report = build::install_environment(install, access.channels(), stop, progress);
  progress.clear();
  for (const std::string& note : TRY(std::move(report)).notes) {
    context.hint(note);
  }
  TRY(write_activated(out.prefix, what));
  return out;
}

Json record_of(const Place& place, const ActivatedPrefix& what, const Subject& subject) {
  const definition::Definition& definition = subject.entry.environment.definition;
  std::map<std::string, std::string> all = definition.environment_variables;
  if (definition.conda) {  // as in the image
    all.insert(definition.conda->variables.begin(), definition.conda->variables.end());
  }
  Json variables = Json::object();
  for (const auto& [name, value] : all) {
    variables.set(name, value);
  }
  const std::string python = place.prefix + "/bin/python";
  return Json::object()
      .set("environment", what.environment)
      .set("prefix", place.prefix)
      .set("python", ::access(python.c_str(), X_OK) == 0 ? Json(python) : Json())
      .set("state", place.state)
      .set("fingerprint", what.fingerprint)
      .set("lock", what.lock)
      .set("variables", std::move(variables))
      .set("activate_scripts", scripts_in(place.prefix + "/etc/conda/activate.d"))
      .set("deactivate_scripts", scripts_in(place.prefix + "/etc/conda/deactivate.d"));
}

Result<Report> run_activate(const ActivateOptions& options, Context& context) {
  const Interrupt interrupt;
  const Subject subject = TRY(find_subject(options.subject, context));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  build::LockRequest request =
      TRY(locking_request(subject, options, *access, interrupt.token(), context));
  const Locked locked =
      TRY(find_or_make_lock(subject, request, options, *access, interrupt.token(), context));
  const lock::Lock& lock = locked.entry.lock;
  if (lock.conda.packages.empty()) {
    return fail(ErrorKind::kUnsupported, "{} has no conda packages to put into a directory",
                printable(shown_name(subject.entry)))
        .with_hint("look into its image instead: cloche env shell " + options.subject);
  }
  const ActivatedPrefix what{.environment = shown_name(subject.entry),
                             .fingerprint = subject.entry.fingerprint,
                             .lock = locked.entry.digest.to_string(),
                             .workspace = context.workspace_directory()};
  const Place place = TRY(prepare(options, what, lock, *access, interrupt.token(), context));
  if (!lock.pypi.empty() && place.state != "kept") {
    Diagnostics diagnostics;
    diagnostics.warn("install-pip", {}, "the pip packages of the definition are not installed",
                     fmt::format("install them with {}/bin/python -m pip", place.prefix));
    context.say(diagnostics);
  }
  if (options.print == "shell" && context.terminal().out_style().width > 0) {
    context.hint(fmt::format("eval \"$(cloche env activate {})\"", options.subject));
  }
  return Report{.data = record_of(place, what, subject),
                .text = options.print == "path"     ? path_text
                        : options.print == "vscode" ? vscode_text
                                                    : shell_text};
}

constexpr std::array<Argument, 4> kEnvActivateOwnArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&ActivateOptions::subject>},
    {.name = "to",
     .value = "DIRECTORY",
     .help = "Where to put it (default: a place in the cache, the same each time)",
     .source = Source::kDirectories,
     .field = kField<&ActivateOptions::to>},
    {.name = "print",
     .value = "KIND",
     .help = "shell: code for eval; path: the directory; vscode: settings with its interpreter "
             "(default: shell)",
     .choices = "shell|path|vscode",
     .field = kField<&ActivateOptions::print>},
    {.name = "replace",
     .help = "Make it anew though it is there",
     .field = kField<&ActivateOptions::replace>},
}};

constexpr auto kEnvActivateArguments =
    joined(kEnvActivateOwnArguments, kLockingArguments<ActivateOptions>);

constexpr std::array<Example, 3> kEnvActivateExamples = {{
    {"Python and everything beside it in this shell", "eval \"$(cloche env activate train)\""},
    {"Where its python is, for an editor or a debugger", "cloche env activate train --print path"},
    {"Visual Studio Code finds the interpreter of this folder",
     "cloche env activate train --to .venv"},
}};

}  // namespace

const Command kEnvActivate = {
    .path = "env activate",
    .summary = "put an environment into a directory for editors and shells",
    .description =
        "Puts the conda packages of the lock (made first where there is none) into a directory of "
        "this machine, with that directory as their prefix, so that editors, debuggers and shells "
        "use the interpreter that jobs use. What is there already and holds the same lock is kept; "
        "after the lock has changed it is made anew, and what was added to it by hand is gone.\n\n"
        "Prints code for a shell to eval; it defines cloche_deactivate, which takes it back. "
        "`cloche gc` removes directories in the cache whose lock is no longer the environment's.",
    .arguments = kEnvActivateArguments,
    .examples = kEnvActivateExamples,
    .exit_codes =
        "5  something else is there, or the requirements collide\n"
        "9  a package is not what its hash says\n"
        "10  the environment has no conda packages",
    .see_also = "env install, env shell",
    .run = run<ActivateOptions, run_activate>,
};

}  // namespace cloche::cli
