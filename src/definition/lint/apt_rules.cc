// RUN apt-get. Advice: "Building best practices", apt-get (docs.docker.com).
#include <algorithm>
#include <array>
#include <string>

#include "definition/lint/commands.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

bool any_call(const InstructionView& view, bool (*test)(const Call&)) {
  return std::ranges::any_of(view.calls, test);
}
bool is_update(const Call& call) { return is_apt(call, "update"); }
bool is_install(const Call& call) { return is_apt(call, "install"); }

bool removes_lists(const Call& call) {
  return (call.program == "rm" || call.program == "find") &&
         std::ranges::any_of(call.args, [](const ShellWord& word) {
           return word.text.find("/var/lib/apt") != std::string::npos;
         });
}

// A script file may do anything, `apt-get update` too.
bool may_update_elsewhere(const Call& call) {
  return call.program.ends_with(".sh") || call.program == "." || call.program == "source" ||
         call.program == "add-apt-repository" || call.program.starts_with('$');
}

void check_update_alone(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    const auto update = std::ranges::find_if(run.calls, is_update);
    const bool used = std::ranges::any_of(run.calls, [](const Call& call) {
      return !is_apt(call, "update") && (call.program == "apt-get" || call.program == "apt");
    });
    if (update != run.calls.end() && !used && !any_call(run, may_update_elsewhere) &&
        !has_cache_mount(run, "/var/lib/apt")) {
      report.add(update->word->begin,
                 "the package lists of this layer are kept when later lines change",
                 "update and install in one RUN");
    }
  });
}

void check_install_without_update(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    const auto install = std::ranges::find_if(run.calls, is_install);
    if (install == run.calls.end() || any_call(run, is_update) ||
        any_call(run, may_update_elsewhere) || has_cache_mount(run, "/var/lib/apt")) {
      return;
    }
    const bool local = std::ranges::all_of(install->args, [](const ShellWord& word) {
      return word.text.starts_with('-') || word.text == "install" || word.text.ends_with(".deb");
    });
    if (!local) {
      report.add(install->word->begin, "apt-get install without apt-get update in the same RUN",
                 "write apt-get update && apt-get install");
    }
  });
}

void check_recommends(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    for (const Call& call : run.calls) {
      const bool told = call.has({"--no-install-recommends", "--install-recommends"}) ||
                        std::ranges::any_of(call.args, [](const ShellWord& word) {
                          return word.text.find("Install-Recommends") != std::string::npos;
                        });
      if (!is_install(call) || told) {
        continue;
      }
      Finding& finding =
          report.add(call.word->begin, "apt-get install takes recommended packages too",
                     "add --no-install-recommends");
      if (!run.instruction->exec_form) {
        const auto verb = std::ranges::find(call.args, "install", &ShellWord::text);
        report.insert(finding, verb->end, " --no-install-recommends");
      }
    }
  });
}

void check_yes(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    const bool piped =
        std::ranges::any_of(run.calls, [](const Call& call) { return call.program == "yes"; });
    for (const Call& call : run.calls) {
      const bool asks = is_install(call) || is_apt(call, "upgrade") || is_apt(call, "dist-upgrade");
      const bool told = call.has({"-y", "--yes", "--assume-yes", "-q=2", "--force-yes"}) ||
                        call.has({"-qq"}) ||
                        std::ranges::any_of(call.args, [](const ShellWord& word) {
                          return word.text.find("Assume-Yes") != std::string::npos || word.dynamic;
                        });
      if (!asks || told || piped) {
        continue;
      }
      Finding& finding = report.add(
          call.word->begin, "apt-get asks for a confirmation that nobody can give", "add -y");
      if (!run.instruction->exec_form) {
        report.insert(finding, call.word->end, " -y");
      }
    }
  });
}

void check_lists_left(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    const auto update = std::ranges::find_if(run.calls, is_update);
    if (update == run.calls.end() || !view.is_shipped(run.stage) || any_call(run, removes_lists) ||
        any_call(run, may_update_elsewhere) || has_cache_mount(run, "/var/lib/apt")) {
      return;
    }
    if (any_call(run, is_install)) {
      report.add(update->word->begin, "the package lists stay in the image",
                 "end the RUN with && rm -rf /var/lib/apt/lists/*");
    }
  });
}

void check_upgrade(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    for (const Call& call : run.calls) {
      for (const std::string_view verb : {"upgrade", "dist-upgrade", "full-upgrade"}) {
        if (is_apt(call, verb)) {
          report.add(call.word->begin,
                     "apt-get " + std::string(verb) + " gives another image each time",
                     "take a newer tag of the base image instead");
        }
      }
    }
  });
}

const std::array<Rule, 6> kRules = {{
    {.info =
         {"apt-get-update-alone", Severity::kWarning, "apt-get update in a RUN of its own",
          "The layer is cached by its text. When a later line asks for another package, the old "
          "lists are used with it, and the versions that they name may be gone.",
          "FROM debian:12\nRUN apt-get update\n"
          "RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf "
          "/var/lib/apt/lists/*\n",
          "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends git && "
          "rm -rf /var/lib/apt/lists/*\n"},
     .dockerfile = check_update_alone},
    {.info =
         {"apt-get-without-update", Severity::kWarning,
          "apt-get install without apt-get update in the same RUN",
          "Official images come without package lists, and lists of an earlier layer may be old: "
          "the install fails, or asks for versions that the mirror has deleted.",
          "FROM debian:12\nRUN apt-get install -y --no-install-recommends git\n",
          "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends git && "
          "rm -rf /var/lib/apt/lists/*\n"},
     .dockerfile = check_install_without_update},
    {.info =
         {"apt-get-install-recommends", Severity::kWarning,
          "apt-get install without --no-install-recommends",
          "Recommended packages are not needed to run what was asked for; they often double the "
          "size. The fix adds the option.",
          "FROM debian:12\nRUN apt-get update && apt-get install -y git && rm -rf "
          "/var/lib/apt/lists/*\n",
          "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends git && "
          "rm -rf /var/lib/apt/lists/*\n"},
     .dockerfile = check_recommends},
    {.info =
         {"apt-get-without-yes", Severity::kError, "apt-get install that waits for an answer",
          "A build has no terminal: apt-get stops at its question, and the build fails. The fix "
          "adds -y.",
          "FROM debian:12\nRUN apt-get update && apt-get install --no-install-recommends git && rm "
          "-rf /var/lib/apt/lists/*\n",
          "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends git && "
          "rm -rf /var/lib/apt/lists/*\n"},
     .dockerfile = check_yes},
    {.info =
         {"apt-lists-left", Severity::kWarning, "package lists left in the layer",
          "The lists are some 20 to 50 MB that nothing uses after the install. A later RUN cannot "
          "take them out of the layer again.",
          "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends git\n",
          "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends git && "
          "rm -rf /var/lib/apt/lists/*\n"},
     .dockerfile = check_lists_left},
    {.info =
         {"apt-get-upgrade", Severity::kWarning, "apt-get upgrade in an image",
          "What it installs depends on the day, so the same Dockerfile gives different images, and "
          "every upgraded file is in the image twice. A newer base image brings the same mends.",
          "FROM debian:12\nRUN apt-get update && apt-get upgrade -y && rm -rf "
          "/var/lib/apt/lists/*\n",
          "FROM debian:12.12\nRUN apt-get update && apt-get install -y --no-install-recommends git "
          "&& rm -rf /var/lib/apt/lists/*\n"},
     .dockerfile = check_upgrade},
}};

}  // namespace

std::span<const Rule> apt_rules() { return kRules; }

}  // namespace cloche::definition
