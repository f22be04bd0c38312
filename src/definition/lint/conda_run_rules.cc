// RUN conda and the use of its environments in an image.
#include <algorithm>
#include <array>
#include <string>

#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

bool cleans(const Call& call) {
  return (is_conda(call) && call.verb() == "clean") ||
         (call.program == "rm" && std::ranges::any_of(call.args, [](const ShellWord& word) {
            return word.text.find("pkgs") != std::string::npos || word.dynamic;
          }));
}

void check_cache(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    const auto install = std::ranges::find_if(run.calls, is_conda_install);
    if (install == run.calls.end() || !view.is_shipped(run.stage) ||
        std::ranges::any_of(run.calls, cleans) || has_cache_mount(run, "pkgs")) {
      return;
    }
    report.add(install->word->begin, "conda keeps downloaded archives in the layer",
               "end the RUN with && " + install->program + " clean -afy");
  });
}

bool is_activation(const Call& call) {
  const bool source = (call.program == "source" || call.program == ".") && !call.args.empty();
  return (is_conda(call) && call.verb() == "activate") ||
         (source && call.args[0].text == "activate") ||
         (source && call.args[0].text.ends_with("/bin/activate"));
}

// Only the last command of a RUN is sure to be for nothing: others may serve what follows them.
void check_activate(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    const Call& last = run.calls.back();
    if (is_activation(last) && last.command->script == 0) {
      report.add(last.word->begin, "activation ends with its RUN and has no effect on later lines",
                 "set PATH with ENV, or use conda run");
    }
  });
}

// Anything that may put an environment into use, in a way that we do not follow.
bool may_use_environment(const InstructionView& view) {
  const Instruction& instruction = *view.instruction;
  if (instruction.kind == InstructionKind::kEnv) {
    return instruction.rest.find("PATH") != std::string::npos ||
           instruction.rest.find("BASH_ENV") != std::string::npos;
  }
  if (instruction.kind == InstructionKind::kShell) {
    return true;
  }
  return std::ranges::any_of(view.commands, [](const ShellCommand& command) {
    return std::ranges::any_of(command.outputs,
                               [](const ShellWord& word) {
                                 return word.text.find("rc") != std::string::npos ||
                                        word.text.find("profile") != std::string::npos;
                               }) ||
           std::ranges::any_of(command.words, [](const ShellWord& word) {
             return word.text.find("activate") != std::string::npos ||
                    word.text.find("/envs/") != std::string::npos || word.text == "tee" ||
                    word.text == "ln";
           });
  });
}

bool is_plain_python(const Call& call) {
  return !call.conda_run && call.path.find('/') == std::string_view::npos &&
         (call.program == "python" || (call.program == "pip" && call.verb() == "install"));
}

// After `conda env create` in this stage, the first python or pip of the base environment.
const Call* first_outside(const StageView& stage, const Call** made) {
  for (const InstructionView* one : stage.instructions) {
    if (may_use_environment(*one)) {
      return nullptr;
    }
    for (const Call& call : one->calls) {
      if (is_conda_install(call) && (call.verb() == "env" || call.verb() == "create") &&
          !conda_environment(call).empty()) {
        *made = &call;
      } else if (*made != nullptr && is_plain_python(call)) {
        return &call;
      }
    }
  }
  return nullptr;
}

void check_environment_unused(const DockerfileView& view, Report& report) {
  for (const StageView& stage : view.stages()) {
    if (stage.parent) {
      continue;
    }
    const Call* made = nullptr;
    if (const Call* outside = first_outside(stage, &made)) {
      report.add(
          outside->word->begin,
          std::string(outside->path) + " is the base image's, not that of the conda environment",
          "put the environment's bin in front of PATH with ENV, or use conda run");
    }
  }
}

void check_default_env(const DockerfileView& view, Report& report) {
  for (const StageView& stage : view.stages()) {
    const auto named = stage.variables.find("CONDA_DEFAULT_ENV");
    if (named == stage.variables.end() ||
        view.is_set(stage, "PATH", static_cast<std::size_t>(-1))) {
      continue;
    }
    const InstructionView& at = view.instructions()[named->second];
    const std::string name = [&] {
      for (const auto& [key, value] : at.instruction->pairs) {
        if (key == "CONDA_DEFAULT_ENV") {
          return value.value_or("");
        }
      }
      return std::string();
    }();
    const bool used = std::ranges::any_of(stage.instructions, [](const InstructionView* one) {
      return one->instruction->kind == InstructionKind::kShell ||
             one->instruction->kind == InstructionKind::kEntrypoint;
    });
    if (name != "base" && !used) {
      report.add(at.begin, "CONDA_DEFAULT_ENV names an environment but puts nothing on PATH",
                 "add ENV PATH=/opt/conda/envs/NAME/bin:$PATH");
    }
  }
}

constexpr std::array<Rule, 4> kRules = {{
    {.info =
         {"conda-cache-left", Severity::kWarning,
          "conda install without conda clean in the same RUN",
          "conda keeps the archive and the unpacked copy of each package; a later RUN cannot take "
          "them out of the layer again. Often half of the image.",
          "FROM condaforge/miniforge3:24.11.3-0\nRUN conda install -y numpy=2.1\n",
          "FROM condaforge/miniforge3:24.11.3-0\nRUN conda install -y numpy=2.1 && conda clean "
          "-afy\n"},
     .dockerfile = check_cache},
    {.info =
         {"conda-activate-in-run", Severity::kWarning,
          "an environment activated at the end of a RUN",
          "Activation changes variables of the shell that runs this one line. The next RUN, and "
          "the container's command, start a new shell without them.",
          "FROM condaforge/miniforge3:24.11.3-0\nCOPY environment.yml .\nRUN conda env create -f "
          "environment.yml && conda clean -afy\nRUN conda activate myenv\nCMD [\"python\", "
          "\"train.py\"]\n",
          "FROM condaforge/miniforge3:24.11.3-0\nCOPY environment.yml .\nRUN conda env create -f "
          "environment.yml && conda clean -afy\nENV PATH=/opt/conda/envs/myenv/bin:$PATH\nCMD "
          "[\"python\", \"train.py\"]\n"},
     .dockerfile = check_activate},
    {.info =
         {"conda-environment-unused", Severity::kWarning,
          "python or pip outside the conda environment that was made for it",
          "conda env create makes an environment but does not enter it: a plain python or pip is "
          "the base image's, which has none of its packages.",
          "FROM condaforge/miniforge3:24.11.3-0\nCOPY environment.yml .\nRUN conda env create -f "
          "environment.yml && conda clean -afy\nRUN python -c \"import numpy\"\n",
          "FROM condaforge/miniforge3:24.11.3-0\nCOPY environment.yml .\nRUN conda env create -f "
          "environment.yml && conda clean -afy\nRUN conda run -n myenv python -c \"import "
          "numpy\"\n"},
     .dockerfile = check_environment_unused},
    {.info = {"conda-default-env-without-path", Severity::kWarning,
              "CONDA_DEFAULT_ENV without the environment on PATH",
              "The variable only tells conda which environment is active. Which python runs is "
              "decided by PATH alone.",
              "FROM condaforge/miniforge3:24.11.3-0\nENV CONDA_DEFAULT_ENV=myenv\nCMD [\"python\", "
              "\"train.py\"]\n",
              "FROM condaforge/miniforge3:24.11.3-0\nENV CONDA_DEFAULT_ENV=myenv "
              "PATH=/opt/conda/envs/myenv/bin:$PATH\nCMD [\"python\", \"train.py\"]\n"},
     .dockerfile = check_default_env},
}};

}  // namespace

std::span<const Rule> conda_run_rules() { return kRules; }

}  // namespace cloche::definition
