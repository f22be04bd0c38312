#include "definition/lint/commands.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "core/files.h"
#include "core/text.h"
#include "package/pypi/requirement.h"

namespace cloche::definition {
namespace {

// pip's options that take the next word (pip install --help).
constexpr std::array<std::string_view, 38> kPipValued = {"-r",
                                                         "--requirement",
                                                         "-c",
                                                         "--constraint",
                                                         "-e",
                                                         "--editable",
                                                         "-t",
                                                         "--target",
                                                         "--prefix",
                                                         "--root",
                                                         "--src",
                                                         "--platform",
                                                         "--python-version",
                                                         "--implementation",
                                                         "--abi",
                                                         "-i",
                                                         "--index-url",
                                                         "--extra-index-url",
                                                         "-f",
                                                         "--find-links",
                                                         "--no-binary",
                                                         "--only-binary",
                                                         "--global-option",
                                                         "--config-settings",
                                                         "-C",
                                                         "--log",
                                                         "--proxy",
                                                         "--retries",
                                                         "--timeout",
                                                         "--exists-action",
                                                         "--trusted-host",
                                                         "--cert",
                                                         "--client-cert",
                                                         "--cache-dir",
                                                         "--progress-bar",
                                                         "--upgrade-strategy",
                                                         "--report",
                                                         "--python"};

}  // namespace

std::optional<PipInstall> pip_install(const Call& call) {
  const bool uv = call.program == "uv" && call.verb() == "pip";
  if (!(call.program == "pip" && call.verb() == "install") && !uv) {
    return std::nullopt;
  }
  PipInstall install;
  install.call = &call;
  install.has_files = call.has({"-r", "--requirement", "-c", "--constraint"});
  std::vector<const ShellWord*> words = operands(call, kPipValued);
  if (uv) {
    if (words.empty() || words.front()->text != "install") {
      return std::nullopt;
    }
    words.erase(words.begin());
  }
  for (const ShellWord* word : words) {
    if (!word->text.starts_with('$') && !word->text.starts_with('`')) {
      install.requirements.push_back(word);
    }
  }
  return install;
}

std::string requirement_name(std::string_view requirement) {
  std::size_t end = 0;
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  while (end < requirement.size() && is_name(requirement[end])) {
    ++end;
  }
  const std::string_view name = requirement.substr(0, end);
  const std::string_view rest = trim_left(requirement.substr(end));
  const bool path = name.starts_with('.') || rest.starts_with('/') || rest.starts_with(':') ||
                    rest.starts_with('+') || name.ends_with(".whl") || name.ends_with(".gz") ||
                    name.ends_with(".zip");
  return path || name.empty() ? "" : pypi::normal_name(name);
}

bool is_apt(const Call& call, std::string_view verb) {
  if (call.program != "apt-get" && call.program != "apt") {
    return false;
  }
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const std::string& word = call.args[i].text;
    if (word == "-o" || word == "-t" || word == "-c") {
      ++i;
    } else if (!word.starts_with('-')) {
      return word == verb;
    }
  }
  return false;
}

bool is_conda(const Call& call) {
  return call.program == "conda" || call.program == "mamba" || call.program == "micromamba";
}

bool is_conda_install(const Call& call) {
  if (!is_conda(call)) {
    return false;
  }
  std::string_view verb = call.verb();
  if (verb == "env" && call.verb_word() + 1 < call.args.data() + call.args.size()) {
    verb = call.verb_word()[1].text;
    return verb == "create" || verb == "update";
  }
  return verb == "install" || verb == "create" || verb == "update";
}

std::string conda_environment(const Call& call) {
  std::string name = call.value({"-n", "--name", "-p", "--prefix"});
  if (name.empty() && (call.verb() == "create" || call.verb() == "env")) {
    return "the environment";  // its name stands in the file
  }
  return name == "base" || name == "root" || name == "/opt/conda" ? "" : name;
}

bool is_download(const Call& call) {
  return (call.program == "curl" || call.program == "wget") &&
         std::ranges::any_of(call.args, [](const ShellWord& word) {
           return word.text.starts_with("http://") || word.text.starts_with("https://") ||
                  word.text.starts_with("ftp://") || word.dynamic;
         });
}

bool has_cache_mount(const InstructionView& view, std::string_view part) {
  return std::ranges::any_of(view.instruction->flags, [&](const InstructionFlag& flag) {
    return flag.name == "mount" && flag.value.has_value() &&
           flag.value->find("type=cache") != std::string::npos &&
           flag.value->find(part) != std::string::npos;
  });
}

std::string absolute_path(const DockerfileView& view, const InstructionView& at,
                          std::string_view path) {
  if (path.find('$') != std::string_view::npos) {
    return "";
  }
  if (path.starts_with('/') || at.stage == kNoStage) {
    return normal_path(path);
  }
  std::string so_far(path);
  for (const StageView* stage : view.lineage(view.stages()[at.stage])) {
    for (const InstructionView* one : std::views::reverse(stage->instructions)) {
      const Instruction& instruction = *one->instruction;
      if (one->index >= at.index || instruction.kind != InstructionKind::kWorkdir) {
        continue;
      }
      if (instruction.rest.find_first_of("$\"'") != std::string::npos) {
        return "";
      }
      so_far = join_path(instruction.rest, so_far);
      if (so_far.starts_with('/')) {
        return normal_path(so_far);
      }
    }
  }
  return "";
}

}  // namespace cloche::definition
