// COPY and ADD.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/text.h"
#include "definition/dockerignore.h"
#include "definition/lint/commands.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

std::span<const std::string> sources(const Instruction& instruction) {
  return std::span(instruction.args)
      .first(instruction.args.empty() ? 0 : instruction.args.size() - 1);
}

bool is_whole_context(std::string_view source) {
  return source == "." || source == "./" || source == "/" || source == "./*" || source == "*";
}

bool copies_whole_context(const Instruction& instruction) {
  return (instruction.kind == InstructionKind::kCopy ||
          instruction.kind == InstructionKind::kAdd) &&
         instruction.flag("from") == nullptr &&
         std::ranges::any_of(sources(instruction), is_whole_context);
}

// Installs that need a list of packages only, and not the project itself.
bool installs_listed(const Call& call) {
  const auto install = pip_install(call);
  if (install) {
    const bool project = std::ranges::any_of(install->requirements, [](const ShellWord* word) {
      return requirement_name(word->text).empty();
    });
    return !project && !call.has({"-e", "--editable"}) &&
           (install->has_files || !install->requirements.empty());
  }
  return is_conda_install(call);
}

void check_copy_order(const DockerfileView& view, Report& report) {
  for (const StageView& stage : view.stages()) {
    const InstructionView* copy = nullptr;
    for (const InstructionView* one : stage.instructions) {
      if (copy == nullptr && copies_whole_context(*one->instruction)) {
        copy = one;
      } else if (copy != nullptr && std::ranges::any_of(one->calls, installs_listed)) {
        report.add(copy->begin, "every change of the code installs all packages again",
                   "COPY the requirements alone, install, then COPY the rest");
        break;
      }
    }
  }
}

bool is_url(std::string_view source) {
  return source.starts_with("http://") || source.starts_with("https://");
}
bool is_git(std::string_view source) {
  return source.starts_with("git@") || source.starts_with("git://") ||
         source.starts_with("ssh://") || source.ends_with(".git") ||
         source.find(".git#") != std::string_view::npos;
}

void check_add_url(const DockerfileView& view, Report& report) {
  for (const InstructionView& one : view.instructions()) {
    const Instruction& instruction = *one.instruction;
    if (instruction.kind == InstructionKind::kAdd && instruction.flag("checksum") == nullptr &&
        std::ranges::any_of(sources(instruction), [](const std::string& source) {
          return is_url(source) && !is_git(source);
        })) {
      report.add(one.begin, "what ADD downloads is not checked",
                 "add --checksum=sha256:... with the sum of the file that you tested");
    }
  }
}

bool is_archive(std::string_view source) {
  static constexpr std::array<std::string_view, 12> kEnds = {".tar",  ".tgz", ".tbz",  ".txz",
                                                             ".gz",   ".bz2", ".xz",   ".zst",
                                                             ".lzma", ".lz",  ".tbz2", ".tzst"};
  const std::string lower = to_lower(source);
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return lower.ends_with(end); });
}

// ADD looks into a file to see whether it is an archive; with these names it is none.
bool is_plain_text_name(std::string_view source) {
  static constexpr std::array<std::string_view, 14> kEnds = {
      ".txt", ".py",  ".sh", ".yml",  ".yaml",  ".json", ".toml",
      ".cfg", ".ini", ".md", ".lock", ".ipynb", ".conf", ".r"};
  const std::string lower = to_lower(source);
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return lower.ends_with(end); }) &&
         lower.find_first_of("*?[$") == std::string::npos;
}

bool is_local(std::string_view source) {
  return !is_url(source) && !is_git(source) && !is_archive(source) &&
         source.find_first_of("$*?[") == std::string_view::npos;
}

void check_add_local(const DockerfileView& view, Report& report) {
  for (const InstructionView& one : view.instructions()) {
    const Instruction& instruction = *one.instruction;
    if (instruction.kind != InstructionKind::kAdd || sources(instruction).empty() ||
        !instruction.heredocs.empty() || !std::ranges::all_of(sources(instruction), is_local)) {
      continue;
    }
    Finding& finding = report.add(one.begin, "ADD for local files", "use COPY");
    const bool certain = std::ranges::all_of(sources(instruction), [](const std::string& source) {
      return is_plain_text_name(source) || is_whole_context(source) || source.ends_with('/');
    });
    const bool add_only = instruction.flag("checksum") != nullptr ||
                          instruction.flag("unpack") != nullptr ||
                          instruction.flag("keep-git-dir") != nullptr;
    if (certain && !add_only) {
      report.replace(finding, one.begin, one.begin + 3, "COPY");
    }
  }
}

// The ignore file that a build of this Dockerfile would read; nullopt when there is none.
std::optional<Dockerignore> ignore_file(const DockerfileView& view) {
  for (const std::string& name :
       {view.source().name() + ".dockerignore", join_path(view.directory(), ".dockerignore")}) {
    if (const auto text = view.files().read(name, kMaxTextBytes); text.has_value()) {
      auto parsed = Dockerignore::parse(*text);
      return parsed.has_value() ? std::optional(std::move(*parsed)) : std::nullopt;
    }
  }
  return std::nullopt;
}

void check_ignored(const DockerfileView& view, Report& report) {
  const auto ignore = ignore_file(view);
  if (!ignore) {
    return;
  }
  for (const InstructionView& one : view.instructions()) {
    const Instruction& instruction = *one.instruction;
    const bool copies =
        instruction.kind == InstructionKind::kCopy || instruction.kind == InstructionKind::kAdd;
    if (!copies || instruction.flag("from") != nullptr || !instruction.heredocs.empty()) {
      continue;
    }
    for (const std::string& source : sources(instruction)) {
      std::string path = normal_path(source);
      path.erase(0, path.starts_with('/') ? 1 : 0);
      if (path.find_first_of("*?[$\"") == std::string::npos && path != "." && !path.empty() &&
          !path.starts_with("..") && is_local(source) && ignore->ignores(path)) {
        report.add(one.begin, path + " is left out by .dockerignore, so it cannot be copied",
                   "take it back with !" + path + ", or leave this line out");
      }
    }
  }
}

constexpr std::array<Rule, 4> kRules = {{
    {.info =
         {"copy-before-install", Severity::kWarning, "COPY . before the packages are installed",
          "A layer is built again when anything copied above it changed: with the code above the "
          "install, each edit of a comment installs everything again (minutes instead of seconds).",
          "FROM python:3.12\nCOPY . /app\nRUN pip install --no-cache-dir -r "
          "/app/requirements.txt\n",
          "FROM python:3.12\nCOPY requirements.txt /app/\nRUN pip install --no-cache-dir -r "
          "/app/requirements.txt\nCOPY . /app\n"},
     .dockerfile = check_copy_order},
    {.info = {"add-url-without-checksum", Severity::kWarning, "ADD of a URL without --checksum",
              "Whatever the server sends goes into the image, and the build cannot tell when it "
              "changed.",
              "FROM debian:12\nADD https://example.org/model.bin /models/\n",
              "FROM debian:12\nADD --checksum=sha256:"
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "
              "https://example.org/model.bin /models/\n"},
     .dockerfile = check_add_url},
    {.info = {"add-local-file", Severity::kNote, "ADD for files of the build context",
              "ADD also unpacks archives and downloads, which surprises the next reader; COPY only "
              "copies. The fix writes COPY where the file cannot be an archive.",
              "FROM debian:12\nADD train.py /app/\n", "FROM debian:12\nCOPY train.py /app/\n"},
     .dockerfile = check_add_local},
    {.info = {"copy-ignored-file", Severity::kError, "COPY of a file that .dockerignore leaves out",
              "The builder never sees the file, so the build stops with \"not found\".",
              "==> Dockerfile <==\nFROM debian:12\nCOPY data/x.csv /data/\n==> .dockerignore "
              "<==\ndata\n",
              "==> Dockerfile <==\nFROM debian:12\nCOPY data/x.csv /data/\n==> .dockerignore "
              "<==\ndata\n!data/x.csv\n"},
     .dockerfile = check_ignored},
}};

}  // namespace

std::span<const Rule> copy_rules() { return kRules; }

}  // namespace cloche::definition
