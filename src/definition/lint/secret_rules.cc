// Secrets in what everybody can read: layers, image configurations, environment files.
#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/packages.h"
#include "definition/lint/rules.h"
#include "definition/lint/secrets.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kHint =
    "pass it when the image is built with RUN --mount=type=secret, or when the container starts";

// Where a name stands as a whole word from `from` on; the beginning when it is not found.
std::size_t find_word(std::string_view text, std::string_view name, std::size_t from) {
  for (std::size_t i = text.find(name, from); i != std::string_view::npos;
       i = text.find(name, i + 1)) {
    const std::size_t end = i + name.size();
    const bool ends = end >= text.size() || text[end] == '=' || is_blank(text[end]);
    if ((i == 0 || is_blank(text[i - 1])) && ends) {
      return i;
    }
  }
  return from;
}

void check_pairs(const InstructionView& one, Report& report) {
  const std::string keyword(to_string(one.instruction->kind));
  std::size_t from = 0;
  for (const auto& [name, value] : one.instruction->pairs) {
    from = find_word(one.text.text, name, from);
    const std::string_view kind = value ? secret_kind(*value) : std::string_view();
    const bool argument = one.instruction->kind == InstructionKind::kArg;
    if (!kind.empty()) {
      report.add(one.text.offset(from),
                 fmt::format("{} gives {}, which holds {}", keyword, name, kind),
                 std::string(kHint));
    } else if (is_secret_name(name) && (value ? can_be_secret(*value) : argument)) {
      report.add(one.text.offset(from),
                 fmt::format("a secret in {}, {}, stands in the image's history", keyword, name),
                 std::string(kHint));
    }
  }
}

void check_dockerfile(const DockerfileView& view, Report& report) {
  for (const InstructionView& one : view.instructions()) {
    const InstructionKind kind = one.instruction->kind;
    if (kind == InstructionKind::kEnv || kind == InstructionKind::kArg ||
        kind == InstructionKind::kLabel) {
      check_pairs(one, report);
      continue;
    }
    std::string_view found = secret_kind(one.text.text);
    for (const Heredoc& heredoc : one.instruction->heredocs) {
      found = found.empty() ? secret_kind(heredoc.body) : found;
    }
    if (!found.empty()) {
      report.add(one.begin, std::string(to_string(kind)) + " holds " + std::string(found),
                 std::string(kHint));
    }
  }
}

// The line of "NAME:" in a file; the file alone when it does not stand there like that.
Location place_of(Report& report, const std::string& file, const std::string& name) {
  const SourceFile& source = report.sources().get(file);
  for (int line = 1; line <= source.line_count(); ++line) {
    const std::string_view text = source.line(line);
    const std::string_view trimmed = trim_left(text);
    if (trimmed.starts_with(name) && trimmed.substr(name.size()).starts_with(':')) {
      return {file, line, static_cast<int>(text.size() - trimmed.size()) + 1};
    }
  }
  return {file, 0, 0};
}

void check_variables(const StringMap& variables, const std::string& file, Report& report) {
  for (const auto& [name, value] : variables) {
    const std::string_view kind = secret_kind(value);
    if (!kind.empty() || (is_secret_name(name) && can_be_secret(value))) {
      report.add(place_of(report, file, name),
                 "variable " + name + " holds " + (kind.empty() ? "a secret" : std::string(kind)),
                 "keep it in the workspace's secrets: cloche secret set");
    }
  }
}

void check_packages(const PackagesView& view, Report& report) {
  if (view.conda != nullptr) {
    const std::string file = !view.conda->dependencies.empty()
                                 ? view.conda->dependencies.front().at.file
                                 : report.file().name();
    check_variables(view.conda->variables, file, report);
  }
  if (view.environment != nullptr) {
    check_variables(view.environment->definition.environment_variables, report.file().name(),
                    report);
  }
}

constexpr std::string_view kUrlMessage = "a URL with a password in it";
constexpr std::string_view kUrlHint = "use ${VARIABLES} in the URL, a netrc file or a keyring";

void check_urls(const DockerfileView& view, Report& report) {
  for (const InstructionView& one : view.instructions()) {
    if (has_url_password(one.text.text)) {
      report.add(one.begin, std::string(kUrlMessage),
                 "mount a netrc file with RUN --mount=type=secret");
    }
  }
}

// conda's form of a token: https://host/t/TOKEN/channel.
bool has_conda_token(std::string_view channel) {
  const std::size_t at = channel.find("/t/");
  return channel.find("://") != std::string_view::npos && at != std::string_view::npos &&
         channel.find('/', at + 3) > at + 10 && channel[at + 3] != '$' && channel[at + 3] != '<';
}

void check_package_urls(const PackagesView& view, Report& report) {
  if (view.conda != nullptr) {
    for (const Line& channel : view.conda->channels) {
      if (has_url_password(channel.text) || has_conda_token(channel.text)) {
        report.add(channel.at, std::string(kUrlMessage), std::string(kUrlHint));
      }
    }
  }
  if (view.pip != nullptr) {
    for (const PipLine& line : view.pip->lines) {
      if (has_url_password(line.text)) {
        report.add(line.at, std::string(kUrlMessage), std::string(kUrlHint));
      }
    }
  }
}

constexpr std::array<Rule, 2> kRules = {{
    {.info =
         {"secret-in-image", Severity::kError,
          "a secret in ENV, ARG, RUN or an environment's variables",
          "Everybody who can pull the image can read it: ENV stands in the configuration, ARG and "
          "RUN in the history. Found by the name of the variable or the form of the value; the "
          "value is never shown.",
          "FROM python:3.12\nENV DB_PASSWORD=correct-horse\n",
          "FROM python:3.12\nRUN --mount=type=secret,id=db python -c \"pass\"\n"},
     .dockerfile = check_dockerfile,
     .packages = check_packages},
    {.info =
         {"url-credentials", Severity::kError, "a password in a URL",
          "The file is shared, committed and copied into images; whoever reads it can read what "
          "the password opens. The value is never shown.",
          "--index-url https://ada:correct-horse@pypi.example.org/simple\nnumpy==2.1.0\n",
          "--index-url "
          "https://${PYPI_USER}:${PYPI_PASSWORD}@pypi.example.org/simple\nnumpy==2.1.0\n",
          Format::kRequirementsTxt},
     .dockerfile = check_urls,
     .packages = check_package_urls},
}};

}  // namespace

std::span<const Rule> secret_rules() { return kRules; }

}  // namespace cloche::definition
