// RUN pip. Options: pip's own documentation, "pip install" and "Caching".
#include <algorithm>
#include <array>
#include <string>

#include "definition/lint/commands.h"
#include "definition/lint/rules.h"
#include "package/pypi/requirement.h"

namespace cloche::definition {
namespace {

bool assigns(const ShellCommand& command, std::string_view name) {
  const auto begins = [&](const ShellWord& word) {
    return word.text.starts_with(name) && word.text.size() > name.size() &&
           word.text[name.size()] == '=';
  };
  return std::ranges::any_of(command.assignments, begins) ||
         (!command.words.empty() && command.words[0].text == "export" &&
          std::ranges::any_of(command.words, begins));
}

// The cache is emptied, or never made, by something else in the same RUN or before it.
bool cache_is_handled(const DockerfileView& view, const InstructionView& run) {
  if (has_cache_mount(run, "cache") || has_cache_mount(run, "pip") ||
      view.is_set(view.stages()[run.stage], "PIP_NO_CACHE_DIR", run.index)) {
    return true;
  }
  return std::ranges::any_of(run.calls, [](const Call& call) {
    if (call.command != nullptr && assigns(*call.command, "PIP_NO_CACHE_DIR")) {
      return true;
    }
    const bool cleans = call.program == "rm" || call.program == "find";
    return (call.program == "pip" && (call.verb() == "cache" || call.verb() == "config")) ||
           (cleans && std::ranges::any_of(call.args, [](const ShellWord& word) {
              return word.text.find("cache") != std::string::npos || word.text == "/root/.*";
            }));
  });
}

// pip takes any beginning of an option that tells it from the others: "--no-cache".
bool keeps_no_cache(const Call& call) {
  return call.has({"--cache-dir"}) || std::ranges::any_of(call.args, [](const ShellWord& word) {
           return word.text.starts_with("--no-ca") &&
                  std::string_view("--no-cache-dir").starts_with(word.text);
         });
}

void check_cache(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    if (!view.is_shipped(run.stage) || cache_is_handled(view, run)) {
      return;
    }
    for (const Call& call : run.calls) {
      const auto install = pip_install(call);
      if (!install || call.program != "pip" || keeps_no_cache(call)) {
        continue;
      }
      Finding& finding = report.add(call.word->begin, "pip keeps its download cache in the layer",
                                    "add --no-cache-dir");
      if (!run.instruction->exec_form) {
        report.insert(finding, call.verb_word()->end, " --no-cache-dir");
      }
    }
  });
}

// A name without any version; URLs, paths and expansions are not judged.
bool is_unpinned(const ShellWord& word) {
  if (word.dynamic || requirement_name(word.text).empty()) {
    return false;
  }
  const auto requirement = pypi::parse_requirement(word.text);
  return requirement.has_value() && !requirement->pinned();
}

bool is_tool(const std::string& name) {
  return name == "pip" || name == "setuptools" || name == "wheel" || name == "uv";
}

void check_unpinned(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    for (const Call& call : run.calls) {
      const auto install = pip_install(call);
      if (!install || call.has({"-c", "--constraint"})) {
        continue;
      }
      for (const ShellWord* word : install->requirements) {
        if (is_unpinned(*word) && !is_tool(requirement_name(word->text))) {
          report.add(word->begin, "pip package " + word->text + " has no fixed version",
                     "write " + requirement_name(word->text) + "==VERSION");
        }
      }
    }
  });
}

bool brings_python(const InstructionView& view) {
  const Instruction& instruction = *view.instruction;
  if (instruction.kind == InstructionKind::kCopy || instruction.kind == InstructionKind::kAdd) {
    return instruction.flag("from") != nullptr || instruction.kind == InstructionKind::kAdd;
  }
  return instruction.kind == InstructionKind::kEnv &&
         instruction.rest.find("PATH") != std::string::npos;
}

// Commands of which we know that they bring no Python.
bool brings_none(const Call& call) {
  static constexpr std::array<std::string_view, 22> kHarmless = {
      "apt-get", "apt",     "echo",     "rm",      "mkdir",    "cd",        "ls",     "chmod",
      "chown",   "useradd", "groupadd", "adduser", "addgroup", "set",       "export", "mv",
      "touch",   "cat",     "true",     "printf",  "apk",      "locale-gen"};
  if (std::ranges::find(kHarmless, call.program) == kHarmless.end()) {
    return false;
  }
  return std::ranges::none_of(call.args, [](const ShellWord& word) {
    return word.dynamic || word.text.find("py") != std::string::npos ||
           word.text.find("build-essential") != std::string::npos;
  });
}

void check_missing_python(const DockerfileView& view, Report& report) {
  for (const StageView& stage : view.stages()) {
    if (stage.parent || stage.base.has_python != false) {
      continue;
    }
    for (const InstructionView* one : stage.instructions) {
      if (brings_python(*one)) {
        break;
      }
      if (one->instruction->kind != InstructionKind::kRun) {
        continue;
      }
      const auto first = std::ranges::find_if_not(one->calls, brings_none);
      if (first == one->calls.end() && !one->calls.empty()) {
        continue;
      }
      if (first != one->calls.end() && (first->program == "pip" || first->program == "python")) {
        report.add(first->word->begin,
                   stage.base.repository + " has no " + std::string(first->path) +
                       ", and nothing before this line installs it",
                   "install python3-pip first, or start from a python image");
      }
      break;
    }
  }
}

constexpr std::array<Rule, 3> kRules = {{
    {.info =
         {"pip-cache-left", Severity::kWarning, "pip install that leaves its cache in the layer",
          "pip keeps each wheel that it downloads; in an image nobody reads them again, and for "
          "machine-learning packages they are gigabytes. It saves space, not time. Silent in "
          "stages that the final image is not built from, and with --no-cache-dir, "
          "PIP_NO_CACHE_DIR, a cache mount, or a RUN that empties the cache. The fix adds the "
          "option.",
          "FROM python:3.12\nRUN pip install numpy==2.1.0\n",
          "FROM python:3.12\nRUN pip install --no-cache-dir numpy==2.1.0\n"},
     .dockerfile = check_cache},
    {.info = {"unpinned-package", Severity::kWarning, "a package without a fixed version",
              "What is installed depends on the day: the same definition gives another environment "
              "next month, and nobody can tell which one trained a model. Azure warns of it too.",
              "FROM python:3.12\nRUN pip install --no-cache-dir numpy\n",
              "FROM python:3.12\nRUN pip install --no-cache-dir numpy==2.1.0\n"},
     .dockerfile = check_unpinned},
    {.info = {"pip-without-python", Severity::kError, "pip on a base image that has no Python",
              "CUDA and distribution images come without Python. The build stops with \"pip: not "
              "found\".",
              "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\nRUN pip install --no-cache-dir "
              "torch==2.4.0\n",
              "FROM nvidia/cuda:12.4.1-base-ubuntu22.04\nRUN apt-get update && apt-get install -y "
              "--no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*\nRUN pip install "
              "--no-cache-dir torch==2.4.0\n"},
     .dockerfile = check_missing_python},
}};

}  // namespace

std::span<const Rule> pip_run_rules() { return kRules; }

}  // namespace cloche::definition
