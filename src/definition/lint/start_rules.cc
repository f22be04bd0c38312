// How the container starts: CMD, ENTRYPOINT, USER.
#include <algorithm>
#include <array>
#include <string>

#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

template <class Check>
void each_start(const DockerfileView& view, Check check) {
  for (const InstructionView& one : view.instructions()) {
    const InstructionKind kind = one.instruction->kind;
    if (kind == InstructionKind::kCmd || kind == InstructionKind::kEntrypoint) {
      check(one);
    }
  }
}

bool is_builtin(std::string_view word) {
  static constexpr std::array<std::string_view, 8> kBuiltins = {".",    "source", "cd",  "export",
                                                                "exec", "eval",   "set", "ulimit"};
  return std::ranges::find(kBuiltins, word) != kBuiltins.end();
}

bool is_operator(std::string_view word) {
  return word == "&&" || word == "||" || word == "|" || word == ";" || word == ">" ||
         word == ">>" || word == "<" || word == "&" || word == "2>&1";
}

// The word of an exec form that only a shell understands; "" for none.
std::string shell_part(const std::vector<std::string>& args) {
  const std::string& program = args.front();
  const std::string_view first = std::string_view(program).substr(0, program.find(' '));
  if (is_builtin(first) || (program.find(' ') != std::string::npos && !program.starts_with('/'))) {
    return program;
  }
  // After `sh -c` everything is a shell's; programs may take other words as they like.
  const std::string_view name = base_name(program);
  if (name == "sh" || name == "bash" || name == "env" || name == "xargs" || name == "tini") {
    return "";
  }
  const auto found = std::ranges::find_if(args.begin() + 1, args.end(), is_operator);
  return found == args.end() ? "" : *found;
}

void check_exec_form(const DockerfileView& view, Report& report) {
  each_start(view, [&](const InstructionView& one) {
    const std::vector<std::string>& args = one.instruction->args;
    if (!one.instruction->exec_form || args.empty()) {
      return;
    }
    if (const std::string part = shell_part(args); !part.empty()) {
      report.add(one.begin, "the exec form starts no shell, so \"" + part + "\" means nothing",
                 R"(put the virtual environment's bin on PATH, or use ["/bin/sh", "-c", "..."])");
    }
  });
}

// $NAME or ${NAME} as a whole word or a part of one.
bool has_variable(std::string_view word) {
  const std::size_t dollar = word.find('$');
  if (dollar == std::string_view::npos || dollar + 1 >= word.size()) {
    return false;
  }
  const char next = word[dollar + 1];
  return next == '{' || next == '_' || (next >= 'A' && next <= 'Z');
}

void check_exec_variable(const DockerfileView& view, Report& report) {
  each_start(view, [&](const InstructionView& one) {
    const std::vector<std::string>& args = one.instruction->args;
    if (!one.instruction->exec_form || args.empty() || !shell_part(args).empty()) {
      return;
    }
    const bool shell = std::ranges::any_of(args, [](const std::string& arg) {
      const std::string_view name = base_name(arg);
      return name == "sh" || name == "bash" || name == "-c" || name.ends_with(".sh") ||
             name == "eval";
    });
    const auto found = std::ranges::find_if(args, has_variable);
    if (!shell && found != args.end()) {
      report.add(one.begin,
                 "the exec form replaces no variables: the program gets \"" + *found + "\"",
                 R"(use ["/bin/sh", "-c", "exec ..."] where a variable is needed)");
    }
  });
}

// A CMD behind an ENTRYPOINT, and lines that need a shell, are what they are on purpose.
void check_shell_form(const DockerfileView& view, Report& report) {
  each_start(view, [&](const InstructionView& one) {
    const bool simple = one.commands.size() == 1 && one.commands.front().outputs.empty() &&
                        one.commands.front().assignments.empty() && !one.calls.empty() &&
                        one.calls.front().word == one.commands.front().words.data() &&
                        std::ranges::none_of(one.commands.front().words, [](const ShellWord& word) {
                          return word.dynamic || word.text.find('*') != std::string::npos ||
                                 word.text.starts_with('~');
                        });
    if (!one.instruction->exec_form && simple && one.shell == nullptr) {
      report.add(one.begin, "the shell form puts /bin/sh between the container and the program",
                 R"(write it as a JSON array: ["python", "train.py"])");
    }
  });
}

void check_installs_at_start(const DockerfileView& view, Report& report) {
  each_start(view, [&](const InstructionView& one) {
    for (const Call& call : one.calls) {
      if (pip_install(call) || is_conda_install(call) || is_apt(call, "install")) {
        report.add(call.word->begin, "packages are installed each time the container starts",
                   "install them in a RUN");
        return;
      }
    }
  });
}

void check_root(const DockerfileView& view, Report& report) {
  const StageView& last = view.final_stage();
  const InstructionView* user = last_of(view, last, InstructionKind::kUser);
  if (user != nullptr) {
    const std::string name = user->instruction->rest.substr(0, user->instruction->rest.find(':'));
    if (name == "root" || name == "0") {
      report.add(user->begin, "the container runs as root", "end with USER and another user");
    }
  } else if (last.base.root.value_or(!last.base.scratch && last.base.known())) {
    const std::size_t from = view.instructions()[last.stage->first].begin;
    report.add(
        from,
        last.base.root.has_value()
            ? "no USER: the container runs as root"
            : "no USER: the container runs as the base image's user, most often root",
        "add USER with another user for the start; builds and jobs that need root may stay so");
  }
}

constexpr std::array<Rule, 5> kRules = {{
    {.info =
         {"exec-form-needs-shell", Severity::kError,
          "CMD or ENTRYPOINT in exec form with words that only a shell understands",
          "The exec form starts its first word as a program. There is no program called `.` or "
          "`. venv/bin/activate`: the container ends with exit code 127; and && is handed to the "
          "program as an argument.",
          "FROM python:3.12\nCMD [\". .venv/bin/activate\", \"&&\", \"python\", \"main.py\"]\n",
          "FROM python:3.12\nENV PATH=/app/.venv/bin:$PATH\nCMD [\"python\", \"main.py\"]\n"},
     .dockerfile = check_exec_form},
    {.info = {"exec-form-variable", Severity::kWarning, "a variable in the exec form",
              "Only a shell replaces $NAME when the container starts; the exec form hands the four "
              "letters and the dollar to the program.",
              "FROM python:3.12\nENV PORT=8080\nCMD [\"gunicorn\", \"--bind\", \"0.0.0.0:$PORT\", "
              "\"app\"]\n",
              "FROM python:3.12\nENV PORT=8080\nCMD [\"/bin/sh\", \"-c\", \"exec gunicorn --bind "
              "0.0.0.0:$PORT app\"]\n"},
     .dockerfile = check_exec_variable},
    {.info =
         {"shell-form-start", Severity::kNote, "CMD or ENTRYPOINT in shell form",
          "The shell is process 1 and passes no signals on: stopping waits ten seconds and then "
          "kills, so a training run cannot save its state.",
          "FROM python:3.12\nCMD python train.py\n",
          "FROM python:3.12\nCMD [\"python\", \"train.py\"]\n"},
     .dockerfile = check_shell_form},
    {.info =
         {"install-at-start", Severity::kWarning, "packages installed when the container starts",
          "Every start takes what the index has at that moment, waits for it, and fails when the "
          "network does: the environment is no longer what was built and tested.",
          "FROM python:3.12\nCMD pip install -r requirements.txt && python train.py\n",
          "FROM python:3.12\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r "
          "requirements.txt\nCMD [\"python\", \"train.py\"]\n"},
     .dockerfile = check_installs_at_start},
    {.info =
         {"runs-as-root", Severity::kNote, "a container that runs as root",
          "Whoever breaks out of the program is root in the container, and files that it writes to "
          "a mounted directory belong to root. Advice only: many clusters expect root.",
          "FROM python:3.12\nCMD [\"python\", \"train.py\"]\n",
          "FROM python:3.12\nUSER 1000\nCMD [\"python\", \"train.py\"]\n"},
     .dockerfile = check_root},
}};

}  // namespace

std::span<const Rule> start_rules() { return kRules; }

}  // namespace cloche::definition
