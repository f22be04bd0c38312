// Several stages, and what is copied between them.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

// What follows compares each COPY with each instruction of another stage. People's Dockerfiles have
// a tenth of this; one made to be slow gets no advice.
constexpr std::size_t kMaxInstructions = 500;

// COPY --from=STAGE: its sources, absolute in the stage it copies from.
struct StageCopy {
  const InstructionView* copy = nullptr;
  const StageView* from = nullptr;
  std::vector<std::string> sources;
  std::string destination;  // absolute; "" when unknown
};

std::string_view without_quotes(std::string_view word) {
  return word.size() > 1 && word.front() == '"' && word.back() == '"'
             ? word.substr(1, word.size() - 2)
             : word;
}

std::optional<StageCopy> stage_copy(const DockerfileView& view, const InstructionView& one) {
  const Instruction& instruction = *one.instruction;
  if (instruction.kind != InstructionKind::kCopy || one.stage == kNoStage ||
      instruction.args.size() < 2) {
    return std::nullopt;
  }
  const InstructionFlag* from = instruction.flag("from");
  if (from == nullptr || !from->value) {
    return std::nullopt;
  }
  StageCopy copy;
  copy.copy = &one;
  copy.from = view.stage_named(*from->value, one.stage);
  if (copy.from == nullptr) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i + 1 < instruction.args.size(); ++i) {
    copy.sources.push_back(normal_path("/" + std::string(without_quotes(instruction.args[i]))));
  }
  copy.destination = absolute_path(view, one, without_quotes(instruction.args.back()));
  return copy;
}

template <class Check>
void each_stage_copy(const DockerfileView& view, Check check) {
  if (view.instructions().size() > kMaxInstructions) {
    return;
  }
  for (const InstructionView& one : view.instructions()) {
    if (const auto copy = stage_copy(view, one)) {
      check(*copy);
    }
  }
}

bool is_below(std::string_view path, std::string_view directory) {
  return directory == "/" || path == directory ||
         (path.starts_with(directory) && path[directory.size()] == '/');
}

void check_duplicate(const DockerfileView& view, Report& report) {
  std::set<std::string> names;
  for (const StageView& stage : view.stages()) {
    const std::string& name = stage.stage->name;
    if (!name.empty() && !names.insert(name).second) {
      report.add(view.instructions()[stage.stage->first].begin,
                 "there is a stage " + name + " already", "give this stage a name of its own");
    }
  }
}

void check_unknown_stage(const DockerfileView& view, Report& report) {
  if (view.instructions().size() > kMaxInstructions) {
    return;
  }
  std::vector<std::string_view> names;
  for (const StageView& stage : view.stages()) {
    if (!stage.stage->name.empty()) {
      names.emplace_back(stage.stage->name);
    }
  }
  for (const InstructionView& one : view.instructions()) {
    const InstructionFlag* from = one.instruction->flag("from");
    if (from == nullptr || !from->value || one.stage == kNoStage ||
        from->value->find_first_of("/:$@{") != std::string::npos ||
        view.stage_named(*from->value, one.stage) != nullptr) {
      continue;
    }
    const std::string_view meant = nearest(*from->value, names);
    if (!meant.empty()) {
      report.add(one.begin,
                 "no stage before this line is called " + *from->value +
                     ", so an image of that name is pulled",
                 "did you mean " + std::string(meant) + "?");
    }
  }
}

// --- packages that stay behind --------------------------------------------------------------

// Calls that put packages somewhere we do not follow: a virtual environment, a prefix, a target.
bool installs_elsewhere(const Call& call) {
  static constexpr std::array<std::string_view, 9> kTools = {
      "venv", "virtualenv", "poetry", "pdm", "pipenv", "uv", "hatch", "pyenv", "npm"};
  if (std::ranges::find(kTools, call.program) != kTools.end() || call.program == "pipx") {
    return true;
  }
  return call.has({"--target", "--prefix", "--user", "--root", "-t", "-p"}) ||
         (call.program == "pip" && call.path.find('/') != std::string_view::npos);
}

// Whether the directory may hold what a plain `pip install` or `conda install` installed.
bool may_hold_packages(std::string_view path) {
  static constexpr std::array<std::string_view, 6> kPlaces = {"/usr",  "/opt", "/root",
                                                              "/home", "/lib", "/var"};
  return path == "/" || path.find('$') != std::string_view::npos ||
         path.find("packages") != std::string_view::npos ||
         std::ranges::any_of(kPlaces,
                             [&](std::string_view place) { return is_below(path, place); });
}

const Call* first_install(const StageView& stage) {
  for (const InstructionView* one : stage.instructions) {
    for (const Call& call : one->calls) {
      if (pip_install(call) || is_conda_install(call)) {
        return &call;
      }
    }
  }
  return nullptr;
}

bool any_call(const StageView& stage, bool (*test)(const Call&)) {
  return std::ranges::any_of(stage.instructions, [&](const InstructionView* one) {
    return std::ranges::any_of(one->calls, test);
  });
}

bool sets_path(const StageView& stage) {
  return stage.variables.contains("PATH") || stage.variables.contains("VIRTUAL_ENV") ||
         stage.variables.contains("PYTHONUSERBASE") || stage.variables.contains("PIP_TARGET") ||
         stage.variables.contains("PIP_PREFIX");
}

// The final image starts Python: else what a builder installed may have been a tool of the build.
bool starts_python(const DockerfileView& view) {
  static constexpr std::array<std::string_view, 9> kStarters = {"python",   "gunicorn",  "uvicorn",
                                                                "flask",    "streamlit", "celery",
                                                                "torchrun", "mlflow",    "jupyter"};
  for (const InstructionKind kind : {InstructionKind::kCmd, InstructionKind::kEntrypoint}) {
    const InstructionView* start = last_of(view, view.final_stage(), kind);
    if (start != nullptr && std::ranges::any_of(start->calls, [](const Call& call) {
          return std::ranges::find(kStarters, call.program) != kStarters.end();
        })) {
      return true;
    }
  }
  return false;
}

bool mounts(const DockerfileView& view, const StageView& from) {
  return std::ranges::any_of(view.instructions(), [&](const InstructionView& one) {
    return std::ranges::any_of(one.instruction->flags, [&](const InstructionFlag& flag) {
      return flag.name == "mount" && flag.value &&
             flag.value->find("from=" + from.stage->name) != std::string::npos;
    });
  });
}

void check_lost_packages(const DockerfileView& view, Report& report) {
  const std::vector<const StageView*> shipped = view.lineage(view.final_stage());
  const bool installs_itself = std::ranges::any_of(
      shipped, [](const StageView* stage) { return first_install(*stage) != nullptr; });
  if (installs_itself || !starts_python(view)) {
    return;
  }
  std::map<const StageView*, bool> may_bring;  // stages that something is copied from
  each_stage_copy(view, [&](const StageCopy& copy) {
    bool& may = may_bring[copy.from];
    may = may || std::ranges::any_of(copy.sources, may_hold_packages);
  });
  for (const auto& [stage, may] : may_bring) {
    const Call* install = first_install(*stage);
    if (may || install == nullptr || stage->parent || any_call(*stage, installs_elsewhere) ||
        sets_path(*stage) || mounts(view, *stage)) {
      continue;
    }
    report.add(install->word->begin,
               "what is installed here does not reach the final stage: no COPY --from takes it",
               "install into a virtual environment and COPY that, or install in the final stage");
  }
}

// --- paths that nothing makes ---------------------------------------------------------------

// Commands that write only to places of their own.
bool writes_elsewhere(const Call& call) {
  static constexpr std::array<std::string_view, 12> kQuiet = {
      "apt-get", "apt",     "rm",       "echo",  "export", "set",
      "true",    "useradd", "groupadd", "chmod", "ls",     "apk"};
  if (std::ranges::find(kQuiet, call.program) != kQuiet.end()) {
    return true;
  }
  return pip_install(call).has_value() && !installs_elsewhere(call) &&
         !call.has({"-e", "--editable", "--src"});
}

bool is_plain_file(std::string_view source) {
  return source.find_first_of("*?[$") == std::string_view::npos && !source.ends_with('/') &&
         base_name(source).find('.') != std::string_view::npos && base_name(source) != "." &&
         base_name(source) != "..";
}

// Whether an instruction of the stage may make the path: true wherever that is not certain.
bool may_make(const DockerfileView& view, const InstructionView& one, std::string_view path) {
  const Instruction& instruction = *one.instruction;
  switch (instruction.kind) {
    case InstructionKind::kRun:
      return one.calls.empty() ||
             std::ranges::any_of(one.commands,
                                 [](const ShellCommand& c) { return !c.outputs.empty(); }) ||
             !std::ranges::all_of(one.calls, writes_elsewhere);
    case InstructionKind::kWorkdir:
      return is_below(absolute_path(view, one, instruction.rest), path) ||
             instruction.rest.find('$') != std::string::npos;
    case InstructionKind::kVolume:
    case InstructionKind::kOnbuild:
    case InstructionKind::kAdd:  // archives hold anything
      return true;
    case InstructionKind::kCopy:
      break;
    default:
      return false;
  }
  if (instruction.args.size() < 2 || instruction.flag("from") != nullptr ||
      !instruction.heredocs.empty()) {
    return true;
  }
  const std::string to = absolute_path(view, one, without_quotes(instruction.args.back()));
  if (to.empty() || is_below(to, path)) {
    return true;
  }
  if (!is_below(path, to)) {
    return false;
  }
  // Only single files are sure to bring nothing else.
  return !std::ranges::all_of(std::span(instruction.args).first(instruction.args.size() - 1),
                              [&](const std::string& source) {
                                return is_plain_file(source) &&
                                       base_name(path) != base_name(source);
                              });
}

// What base images bring is not known but for places that are the author's own.
bool is_authors_place(std::string_view path) {
  static constexpr std::array<std::string_view, 6> kPlaces = {"/app",       "/code",  "/src",
                                                              "/workspace", "/build", "/install"};
  return std::ranges::any_of(kPlaces,
                             [&](std::string_view place) { return is_below(path, place); });
}

// Python's cache directory is __pycache__: a project of any kind has no .pycache.
bool is_misspelt(const DockerfileView& view, std::string_view path) {
  return base_name(path) == ".pycache" &&
         !view.files().kind(join_path(view.directory(), ".pycache"));
}

void check_missing_path(const DockerfileView& view, Report& report) {
  each_stage_copy(view, [&](const StageCopy& copy) {
    const std::vector<const StageView*> line = view.lineage(*copy.from);
    const bool known = copy.from->base.scratch || copy.from->base.root.has_value();
    for (const std::string& path : copy.sources) {
      const bool glob = path.find_first_of("*?[$") != std::string::npos;
      const bool possible =
          glob || !known || (!is_authors_place(path) && !copy.from->base.scratch) ||
          std::ranges::any_of(line, [&](const StageView* stage) {
            return std::ranges::any_of(stage->instructions, [&](const InstructionView* one) {
              return may_make(view, *one, path);
            });
          });
      if (is_misspelt(view, path)) {
        report.add(copy.copy->begin,
                   "nothing makes " + path + ": Python's cache is called __pycache__",
                   "leave this line out: an image needs no cache of another stage");
      } else if (!possible) {
        report.add(copy.copy->begin, "nothing in that stage makes " + path,
                   "the build fails here: look at the WORKDIR and at the paths of that stage");
      }
    }
  });
}

// --- virtual environments and Python versions ---------------------------------------------------

std::set<std::string> virtual_environments(const DockerfileView& view, const StageView& stage) {
  std::set<std::string> out;
  for (const InstructionView* one : stage.instructions) {
    for (const Call& call : one->calls) {
      const bool uv = call.program == "uv" && call.verb() == "venv";
      if (call.program != "venv" && call.program != "virtualenv" && !uv) {
        continue;
      }
      for (const ShellWord& word : call.args) {
        if (!word.text.starts_with('-') && !word.dynamic && word.text != "venv") {
          out.insert(absolute_path(view, *one, word.text));
        }
      }
    }
  }
  out.erase("");
  return out;
}

void check_moved_environment(const DockerfileView& view, Report& report) {
  each_stage_copy(view, [&](const StageCopy& copy) {
    const std::set<std::string> environments = virtual_environments(view, *copy.from);
    for (const std::string& source : copy.sources) {
      if (environments.contains(source) && !copy.destination.empty() &&
          copy.destination != source && copy.sources.size() == 1) {
        report.add(copy.copy->begin,
                   "the virtual environment " + source + " does not work in " + copy.destination,
                   "make it in the stage at the path where it will be used");
      }
    }
  });
}

bool holds_python_packages(const DockerfileView& view, const StageCopy& copy) {
  const std::set<std::string> environments = virtual_environments(view, *copy.from);
  return std::ranges::any_of(copy.sources, [&](const std::string& source) {
    return environments.contains(source) || source.find("site-packages") != std::string::npos;
  });
}

void check_python_minor(const DockerfileView& view, Report& report) {
  each_stage_copy(view, [&](const StageCopy& copy) {
    const std::string& from = copy.from->base.python;
    const std::string& to = view.stages()[copy.copy->stage].base.python;
    if (!from.empty() && !to.empty() && from != to && holds_python_packages(view, copy)) {
      report.add(copy.copy->begin, "packages of Python " + from + " are copied to Python " + to,
                 "use one version in both stages");
    }
  });
}

constexpr std::array<Rule, 6> kRules = {{
    {.info =
         {"builder-packages-lost", Severity::kError,
          "packages installed in a builder stage that never reach the final stage",
          "Only what COPY --from names leaves a stage. The image builds, and then the first import "
          "fails.",
          "FROM python:3.12 AS builder\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install "
          "--no-cache-dir -r requirements.txt\nFROM python:3.12-slim\nCOPY --from=builder /app "
          "/app\nCMD [\"python\", \"/app/main.py\"]\n",
          "FROM python:3.12 AS builder\nRUN python -m venv /opt/venv\nCOPY requirements.txt .\nRUN "
          "/opt/venv/bin/pip install --no-cache-dir -r requirements.txt\nFROM "
          "python:3.12-slim\nCOPY --from=builder /opt/venv /opt/venv\nENV "
          "PATH=/opt/venv/bin:$PATH\nCMD [\"python\", \"/app/main.py\"]\n"},
     .dockerfile = check_lost_packages},
    {.info = {"copy-from-missing-path", Severity::kError,
              "COPY --from of a path that nothing makes",
              "The build stops at this line. Reported only where every instruction of the stage is "
              "known not to make the path.",
              "FROM python:3.12 AS builder\nWORKDIR /app\nCOPY main.py .\nFROM python:3.12\nCOPY "
              "--from=builder /app/dist /app/dist\n",
              "FROM python:3.12 AS builder\nWORKDIR /app\nCOPY main.py .\nFROM python:3.12\nCOPY "
              "--from=builder /app/main.py /app/\n"},
     .dockerfile = check_missing_path},
    {.info = {"copy-from-unknown-stage", Severity::kWarning,
              "COPY --from of a name that is no stage, but nearly one",
              "What is no stage is taken for an image and pulled from Docker Hub.",
              "FROM python:3.12 AS builder\nRUN python -m venv /opt/venv\nFROM python:3.12\nCOPY "
              "--from=bulider /opt/venv /opt/venv\n",
              "FROM python:3.12 AS builder\nRUN python -m venv /opt/venv\nFROM python:3.12\nCOPY "
              "--from=builder /opt/venv /opt/venv\n"},
     .dockerfile = check_unknown_stage},
    {.info = {"duplicate-stage", Severity::kError, "two stages with one name",
              "A FROM or COPY --from of that name takes one of them, not the other.",
              "FROM python:3.12 AS a\nFROM debian:12 AS a\n",
              "FROM python:3.12 AS a\nFROM debian:12 AS b\n"},
     .dockerfile = check_duplicate},
    {.info =
         {"virtual-environment-moved", Severity::kWarning,
          "a virtual environment copied to another path",
          "Its scripts name the interpreter by its full path (the #! line), and activate sets the "
          "old path: after the move they start nothing, or the wrong Python.",
          "FROM python:3.12 AS builder\nRUN python -m venv /build/venv\nFROM python:3.12\nCOPY "
          "--from=builder /build/venv /opt/venv\n",
          "FROM python:3.12 AS builder\nRUN python -m venv /opt/venv\nFROM python:3.12\nCOPY "
          "--from=builder /opt/venv /opt/venv\n"},
     .dockerfile = check_moved_environment},
    {.info =
         {"python-versions-differ", Severity::kError,
          "packages copied between stages with different Python versions",
          "Packages lie in a directory named after the minor version, and compiled ones fit only "
          "that one: the other Python does not find them.",
          "FROM python:3.11 AS builder\nRUN python -m venv /opt/venv\nFROM python:3.12\nCOPY "
          "--from=builder /opt/venv /opt/venv\n",
          "FROM python:3.12 AS builder\nRUN python -m venv /opt/venv\nFROM "
          "python:3.12-slim\nCOPY --from=builder /opt/venv /opt/venv\n"},
     .dockerfile = check_python_minor},
}};

}  // namespace

std::span<const Rule> stage_rules() { return kRules; }

}  // namespace cloche::definition
