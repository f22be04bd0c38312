// ENV, ARG, WORKDIR, MAINTAINER: the form of instructions, and variables.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

// Whether the bytes [begin, end) of an instruction's text stand side by side in the file.
bool is_one_piece(const MappedText& text, std::size_t begin, std::size_t end) {
  return end > begin && text.offset(end - 1) - text.offset(begin) == end - 1 - begin;
}

// A value that means the same between double quotes as it does in the rest of a legacy line.
bool can_be_quoted(std::string_view value) {
  return !value.empty() && std::ranges::none_of(value, [](char c) {
    const bool control = static_cast<unsigned char>(c) < ' ' && c != '\t';
    return control || c == '"' || c == '\'' || c == '\\' || c == '`';
  });
}

bool is_quoted_whole(std::string_view value) {
  return value.size() >= 2 && value.front() == '"' && value.back() == '"' &&
         can_be_quoted(value.substr(1, value.size() - 2));
}

// ENV k v -> ENV k=v, with quotes where v has blanks.
void mend_pair(const InstructionView& one, Finding& finding, const Report& report) {
  const std::string& text = one.text.text;
  const std::size_t name_end = text.find_first_of(" \t");
  const std::size_t value =
      name_end == std::string::npos ? name_end : text.find_first_not_of(" \t", name_end);
  if (value == std::string::npos || !is_one_piece(one.text, 0, text.size())) {
    return;
  }
  const std::string_view written = std::string_view(text).substr(value);
  const bool bare =
      can_be_quoted(written) && written.find_first_of(" \t=") == std::string_view::npos;
  if (!bare && !is_quoted_whole(written) && !can_be_quoted(written)) {
    return;
  }
  const bool quote = !bare && !is_quoted_whole(written);
  report.replace(finding, one.text.offset(name_end), one.text.offset(value), quote ? "=\"" : "=");
  if (quote) {
    report.insert(finding, one.text.offset(text.size()), "\"");
  }
}

void check_legacy_pair(const DockerfileView& view, Report& report) {
  for (const InstructionView& one : view.instructions()) {
    if (one.instruction->legacy_pair) {
      const std::string keyword(to_string(one.instruction->kind));
      Finding& finding = report.add(one.begin, keyword + " with a blank between name and value",
                                    "write " + keyword + " NAME=VALUE");
      mend_pair(one, finding, report);
    }
  }
}

void check_maintainer(const DockerfileView& view, Report& report) {
  for (const InstructionView& one : view.instructions()) {
    if (one.instruction->kind != InstructionKind::kMaintainer) {
      continue;
    }
    Finding& finding = report.add(one.begin, "MAINTAINER is deprecated",
                                  "write LABEL org.opencontainers.image.authors=\"...\"");
    const std::string& text = one.text.text;
    if (can_be_quoted(text) && text.find('$') == std::string::npos &&
        is_one_piece(one.text, 0, text.size())) {
      report.replace(finding, one.begin, one.text.offset(0),
                     "LABEL org.opencontainers.image.authors=\"");
      report.insert(finding, one.text.offset(text.size()), "\"");
    }
  }
}

bool is_absolute(std::string_view path) {
  return path.starts_with('/') || path.starts_with('"') || path.starts_with('$') ||
         (path.size() > 1 && path[1] == ':');
}

void check_workdir(const DockerfileView& view, Report& report) {
  for (const StageView& stage : view.stages()) {
    if (stage.parent) {
      continue;
    }
    for (const InstructionView* one : stage.instructions) {
      if (one->instruction->kind != InstructionKind::kWorkdir) {
        continue;
      }
      if (!is_absolute(one->instruction->rest)) {
        report.add(one->begin, "where this WORKDIR is depends on the base image",
                   "write an absolute path");
      }
      break;  // what follows is relative to this one, which is known
    }
  }
}

// --- variables --------------------------------------------------------------------------------

constexpr std::array<std::string_view, 8> kPlatformArgs = {
    "TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT",
    "BUILDPLATFORM",  "BUILDOS",  "BUILDARCH",  "BUILDVARIANT"};

// Names that are set without the Dockerfile's doing. The proxies: "Predefined ARGs".
constexpr std::array<std::string_view, 11> kAlwaysSet = {
    "PATH",      "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY",
    "ftp_proxy", "NO_PROXY",   "no_proxy",   "ALL_PROXY",   "all_proxy"};

// The environment of official images whose ENV lines are few and known (their Dockerfiles).
constexpr std::array<std::string_view, 8> kPythonSets = {"LANG",
                                                         "GPG_KEY",
                                                         "PYTHON_VERSION",
                                                         "PYTHON_PIP_VERSION",
                                                         "PYTHON_SHA256",
                                                         "PYTHON_GET_PIP_URL",
                                                         "PYTHON_GET_PIP_SHA256",
                                                         "PYTHON_SETUPTOOLS_VERSION"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

bool environment_is_known(const BaseImage& base) {
  return base.scratch || base.repository == "library/debian" ||
         base.repository == "library/ubuntu" || base.repository == "library/alpine" ||
         base.repository == "library/python";
}

bool expands(InstructionKind kind) {
  switch (kind) {
    case InstructionKind::kAdd:
    case InstructionKind::kCopy:
    case InstructionKind::kEnv:
    case InstructionKind::kExpose:
    case InstructionKind::kLabel:
    case InstructionKind::kStopsignal:
    case InstructionKind::kUser:
    case InstructionKind::kVolume:
    case InstructionKind::kWorkdir:
    case InstructionKind::kArg:
      return true;
    default:
      return false;
  }
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct VariableUse {
  std::string name;
  std::size_t at = 0;  // in the instruction's text
};

// $name and ${name}; what gives a word of its own for an unset name (${name:-x}) is left out.
std::vector<VariableUse> variable_uses(std::string_view text, char escape) {
  std::vector<VariableUse> out;
  bool single = false;
  bool twice = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == escape && !single) {
      ++i;
    } else if (c == '\'' && !twice) {
      single = !single;
    } else if (c == '"' && !single) {
      twice = !twice;
    } else if (c == '$' && !single && i + 1 < text.size()) {
      const bool brace = text[i + 1] == '{';
      std::size_t end = i + (brace ? 2 : 1);
      const std::size_t begin = end;
      while (end < text.size() && is_name(text[end])) {
        ++end;
      }
      const bool plain = !brace || (end < text.size() && text[end] == '}');
      const bool positional = end > begin && text[begin] >= '0' && text[begin] <= '9';
      if (end > begin && plain && !positional) {
        out.push_back({std::string(text.substr(begin, end - begin)), i});
      }
      i = end > i ? end - 1 : i;
    }
  }
  return out;
}

class VariableCheck {
 public:
  VariableCheck(const DockerfileView& view, Report& report) : view_(view), report_(report) {
    for (const InstructionView& one : view.instructions()) {
      if (one.stage != kNoStage) {
        break;
      }
      for (const auto& [name, value] : one.instruction->pairs) {
        global_.insert(name);
      }
    }
  }

  void run() {
    for (const StageView& stage : view_.stages()) {
      check_from(view_.instructions()[stage.stage->first]);
      for (const InstructionView* one : stage.instructions) {
        if (expands(one->instruction->kind) && one->instruction->heredocs.empty() &&
            !one->instruction->exec_form) {
          check_instruction(stage, *one);
        }
      }
    }
  }

 private:
  void check_from(const InstructionView& from) {
    for (const VariableUse& use : variable_uses(from.text.text, view_.escape())) {
      if (!global_.contains(use.name) && !contains(kPlatformArgs, use.name)) {
        report_.add(from.text.offset(use.at), "no ARG before the first FROM declares " + use.name,
                    "add ARG " + use.name + "=DEFAULT above the first FROM");
      }
    }
  }

  void check_instruction(const StageView& stage, const InstructionView& one) {
    for (const VariableUse& use : variable_uses(one.text.text, view_.escape())) {
      if (contains(kAlwaysSet, use.name) || view_.is_set(stage, use.name, one.index)) {
        continue;
      }
      const bool python =
          stage.base.repository == "library/python" && contains(kPythonSets, use.name);
      if (global_.contains(use.name) || contains(kPlatformArgs, use.name)) {
        report_.add(one.text.offset(use.at),
                    use.name + " is declared outside of this stage only, so it is empty here",
                    "add ARG " + use.name + " after FROM");
      } else if (environment_is_known(stage.base) && !python) {
        report_.add(one.text.offset(use.at), "nothing sets " + use.name + ", so it is empty",
                    "declare it with ARG or ENV, or give a default: ${" + use.name + ":-}");
      }
    }
  }

  const DockerfileView& view_;
  Report& report_;
  std::set<std::string> global_;
};

void check_variables(const DockerfileView& view, Report& report) {
  VariableCheck(view, report).run();
}

constexpr std::array<Rule, 4> kRules = {{
    {.info =
         {"dockerfile-legacy-pair", Severity::kNote, "ENV or LABEL with a blank instead of =",
          "The old form takes one variable a line and all that follows as its value, comments and "
          "second variables included. The fix writes the = and quotes where they are needed.",
          "FROM debian:12\nENV LANG C.UTF-8\n", "FROM debian:12\nENV LANG=C.UTF-8\n"},
     .dockerfile = check_legacy_pair},
    {.info = {"dockerfile-maintainer", Severity::kNote, "MAINTAINER",
              "Deprecated since 2017; a label holds the same and more, and tools show it. The fix "
              "writes the label.",
              "FROM debian:12\nMAINTAINER Ada Lovelace\n",
              "FROM debian:12\nLABEL org.opencontainers.image.authors=\"Ada Lovelace\"\n"},
     .dockerfile = check_maintainer},
    {.info =
         {"relative-workdir", Severity::kWarning, "a first WORKDIR that is relative",
          "It is taken from the base image's WORKDIR, which a new version of the base may change.",
          "FROM python:3.12\nWORKDIR app\n", "FROM python:3.12\nWORKDIR /app\n"},
     .dockerfile = check_workdir},
    {.info =
         {"undefined-variable", Severity::kWarning, "a variable that nothing sets",
          "It becomes an empty text without a word. An ARG above the first FROM counts in FROM "
          "lines only, until ARG NAME repeats it in the stage. Silent where the base image may set "
          "the variable.",
          "ARG VERSION=1.0\nFROM debian:12\nENV APP_VERSION=$VERSION\n",
          "ARG VERSION=1.0\nFROM debian:12\nARG VERSION\nENV APP_VERSION=$VERSION\n"},
     .dockerfile = check_variables},
}};

}  // namespace

std::span<const Rule> instruction_rules() { return kRules; }

}  // namespace cloche::definition
