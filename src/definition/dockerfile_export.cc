// conda packages are installed by the base image's own conda where its name says that it has one;
// otherwise by micromamba in a stage of its own, from the image its makers publish, since nothing
// is to be downloaded that no registry has checked. The environment is copied from there: conda
// packages hold their prefix, and it is the same in both stages.
#include "definition/dockerfile_export.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/conda_yaml.h"
#include "definition/dockerfile.h"
#include "definition/lint/base_images.h"
#include "definition/requirements_txt.h"
#include "package/conda/match_spec.h"
#include "package/conda/selector.h"
#include "package/oci/reference.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kPrefix = "/opt/cloche/env";
constexpr std::string_view kMicromamba = "docker.io/mambaorg/micromamba:2.3.2";
constexpr std::string_view kPlatform = "linux-64";

// A shell's name; ENV takes '.' and '-' in it too.
bool is_name(std::string_view text, std::string_view more = "") {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto valid = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit(c) || c == '_' ||
           more.contains(c);
  };
  return !text.empty() && std::ranges::all_of(text, valid) && !digit(text.front()) &&
         !more.contains(text.front());
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// A word for /bin/sh.
std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-:~=_/@,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out + "'";
}

// pip's ${VARIABLES}: upper case only (pip: req_file.py, ENV_VAR_RE).
void collect_variables(std::string_view text, std::set<std::string>& out) {
  for (std::size_t begin = 0; (begin = text.find("${", begin)) != std::string_view::npos;) {
    begin += 2;
    const std::string_view name = text.substr(begin, text.find('}', begin) - begin);
    if (is_name(name) && to_upper(name) == name &&
        text.find('}', begin) != std::string_view::npos) {
      out.emplace(name);
    }
  }
}

bool is_relative_path(std::string_view text) {
  constexpr std::array<std::string_view, 3> kOptions = {
      "--editable=", "--find-links=", "--requirement="};
  for (const std::string_view option : kOptions) {
    if (text.starts_with(option)) {
      const std::string_view value = text.substr(option.size());
      return !value.contains("://") && !value.starts_with('/') && !value.starts_with("file:") &&
             !value.starts_with("git+") && !value.starts_with("${");
    }
  }
  return text.starts_with("./") || text.starts_with("../") || text == "." || text.starts_with(".[");
}

class Exporter {
 public:
  explicit Exporter(const Environment& environment)
      : environment_(environment), definition_(environment.definition) {}

  Result<WrittenFiles> run() {
    if (definition_.os_type == OsType::kWindows) {
      return fail(ErrorKind::kUnsupported, "a Windows environment has no Dockerfile export");
    }
    TRY(read_base());
    if (!definition_.user_managed()) {
      add_user_root();
      if (definition_.apt && !definition_.apt->packages.empty()) {
        TRY(add_apt(*definition_.apt));
      }
      if (definition_.conda) {
        TRY(add_conda(*definition_.conda));
      }
      if (definition_.pip && !definition_.pip->lines.empty()) {
        TRY(add_pip(*definition_.pip));
      }
      restore_user();
    }
    TRY(add_variables());
    files_["Dockerfile"] = TRY(whole());
    return std::move(files_);
  }

 private:
  // What stands before our own steps.
  Status read_base() {
    if (const auto* image = std::get_if<ImageBase>(&definition_.base)) {
      TRY(oci::parse_reference(image->reference).context("in the base image"));
      base_text_ = fmt::format("FROM {}\n", image->reference);
    } else if (const auto* dockerfile = std::get_if<DockerfileBase>(&definition_.base)) {
      base_text_ = dockerfile->text;
    } else {
      return fail(ErrorKind::kUnsupported, "a build context has its own Dockerfile")
          .with_hint("copy the context's directory: docker builds it as it is");
    }
    Diagnostics ignored;
    base_ = TRY(parse_dockerfile(base_text_, "Dockerfile", ignored));
    escape_ = base_.instructions.front().escape;
    image_ = describe_image(stage_images(base_).back());
    return {};
  }

  void add(std::string step) { steps_.push_back(std::move(step)); }

  // "a \<newline>    b"
  std::string broken(std::string_view indent = "    ") const {
    return fmt::format(" {}\n{}", escape_, indent);
  }

  std::string_view last_user() const {
    std::string_view user;
    for (std::size_t i = base_.stages.back().first; i < base_.instructions.size(); ++i) {
      const Instruction& instruction = base_.instructions[i];
      user = instruction.kind == InstructionKind::kUser ? instruction.rest : user;
    }
    return user;
  }

  void add_user_root() {
    const bool is_root = last_user().empty() ? image_.root.value_or(false) : last_user() == "root";
    if (!is_root) {
      add("USER root");
    }
  }

  void restore_user() {
    if (!last_user().empty() && last_user() != "root") {
      add(fmt::format("USER {}", last_user()));
    }
  }

  Status add_apt(const AptSection& apt) {
    std::string step = "RUN apt-get update" + broken() +
                       "&& DEBIAN_FRONTEND=noninteractive apt-get install --yes"
                       " --no-install-recommends";
    for (const Line& package : apt.packages) {
      if (package.text.empty() || package.text.starts_with('-') || has_control(package.text)) {
        return fail(ErrorKind::kInvalid, "\"{}\" is no Debian package", printable(package.text))
            .with_location(package.at);
      }
      step += broken("        ") + shell_word(package.text);
    }
    add(step + broken() + "&& rm -rf /var/lib/apt/lists/*");
    return {};
  }

  // The conda part for one platform: selectors decided, and pip there when something needs it, as
  // conda does by itself for a pip section.
  Result<CondaSection> conda_section(const CondaSection& conda) const {
    CondaSection out = conda;
    const auto is_linux = [](const std::string& one) { return one.starts_with("linux-"); };
    const auto linux_platform = std::ranges::find_if(out.platforms, is_linux);
    if (!out.platforms.empty() && linux_platform == out.platforms.end()) {
      return fail(ErrorKind::kUnsupported, "the conda part is for {} only",
                  join(out.platforms, ", "));
    }
    const bool any =
        out.platforms.empty() || std::ranges::find(out.platforms, kPlatform) != out.platforms.end();
    const std::string platform = any ? std::string(kPlatform) : *linux_platform;
    std::erase_if(out.dependencies, [&](const CondaDependency& one) {
      return !conda::selector_matches(one.selector, platform);
    });
    bool has_pip = false;
    for (CondaDependency& one : out.dependencies) {
      one.selector.clear();
      const auto spec = conda::parse_match_spec(one.text);
      has_pip = has_pip || (spec.has_value() && spec->name == "pip");
    }
    if (!has_pip && definition_.pip && !definition_.pip->lines.empty()) {
      out.dependencies.push_back({.text = "pip", .selector = {}, .at = {}});
    }
    out.name.clear();
    out.platforms.clear();
    out.variables.clear();  // written as ENV: nothing activates the environment
    return out;
  }

  Status add_conda(const CondaSection& conda) {
    files_["environment.yml"] = write_conda_yaml(TRY(conda_section(conda)), std::nullopt);
    if (image_.has_conda.value_or(false)) {
      add("COPY environment.yml /opt/cloche/");
      add(
          fmt::format("RUN conda env create --prefix {} --file /opt/cloche/environment.yml{}"
                      "&& conda clean --all --force-pkgs-dirs --yes",
                      kPrefix, broken()));
    } else {
      const std::string stage = free_stage_name();
      builder_ = fmt::format(
          "FROM {} AS {}\nUSER root\nCOPY environment.yml /opt/cloche/\n"
          "RUN micromamba create --yes --prefix {} --file /opt/cloche/environment.yml{}"
          "&& micromamba clean --all --yes\n\n",
          kMicromamba, stage, kPrefix, broken());
      builder_instructions_ = 4;
      add(fmt::format("COPY --from={} /opt/cloche /opt/cloche", stage));
    }
    add(fmt::format("ENV CONDA_PREFIX={}{}PATH={}/bin:$PATH", kPrefix, broken(), kPrefix));
    return {};
  }

  std::string free_stage_name() const {
    std::string name = "cloche-conda";
    while (std::ranges::find(base_.stages, name, &Stage::name) != base_.stages.end()) {
      name += "-";
    }
    return name;
  }

  // The secrets in pip's ${VARIABLES} come from the builder's secret store: they must not stay in
  // the image, as build arguments do.
  Status add_pip(const PipSection& pip) {
    std::set<std::string> secrets;
    for (const PipLine& line : pip.lines) {
      if (is_relative_path(line.text)) {
        return fail(ErrorKind::kUnsupported, "the pip line {} names a file that the export has not",
                    printable(line.text))
            .with_location(line.at)
            .with_hint("publish it as a wheel, or use a build context");
      }
      collect_variables(line.text, secrets);
    }
    std::string copied = "requirements.txt";
    files_[copied] = write_requirements_txt(pip);
    for (auto& [name, text] : write_constraint_files(pip)) {
      copied += " " + name;
      files_[name] = text;
    }
    add(fmt::format("COPY {} /opt/cloche/", copied));
    std::string step = "RUN ";
    std::string assigned;
    for (const std::string& name : secrets) {
      step += fmt::format("--mount=type=secret,id={}{}", name, broken());
      assigned += fmt::format("{}=\"$(cat /run/secrets/{})\"{}", name, name, broken());
    }
    // Without a conda part it is the base's own Python, which Debian guards (PEP 668).
    const std::string_view python =
        definition_.conda ? "python" : "PIP_BREAK_SYSTEM_PACKAGES=1 python3";
    add(step + assigned +
        fmt::format("{} -m pip install --no-cache-dir --requirement /opt/cloche/requirements.txt",
                    python));
    return {};
  }

  // In double quotes, with what the lexer would read escaped.
  Result<std::string> quoted(const std::string& name, std::string_view value) const {
    if (has_control(value)) {
      return fail(ErrorKind::kUnsupported,
                  "the variable {} holds a line break or another control character, which ENV "
                  "cannot say",
                  name);
    }
    std::string out = "\"";
    for (const char c : value) {
      out += c == '"' || c == '$' || c == escape_ ? std::string(1, escape_) : "";
      out += c;
    }
    return out + "\"";
  }

  Status add_variables() {
    StringMap variables = definition_.environment_variables;
    if (definition_.conda) {
      const StringMap& more = definition_.conda->variables;
      variables.insert(more.begin(), more.end());  // the environment's own win
    }
    std::string step;
    for (const auto& [name, value] : variables) {
      if (!is_name(name, ".-")) {
        return fail(ErrorKind::kInvalid, "\"{}\" is no name of a variable", printable(name));
      }
      step += (step.empty() ? "ENV " : broken()) + name + "=" + TRY(quoted(name, value));
    }
    if (!step.empty()) {
      add(std::move(step));
    }
    return {};
  }

  // A name that is a comment's text and no parser directive.
  std::string title() const {
    if (environment_.name.empty()) {
      return "# Made by cloche env export.\n";
    }
    const std::string version = environment_.version.empty() ? "" : ":" + environment_.version;
    return fmt::format("# Made by cloche env export from {}.\n",
                       printable(environment_.name + version));
  }

  // Head of the base, our builder stage before its last stage, the rest, our steps.
  Result<std::string> whole() const {
    const Instruction& last_from = base_.instructions[base_.stages.back().first];
    const std::size_t cut = base_.line_starts[static_cast<std::size_t>(last_from.at.line) - 1];
    std::string out = std::holds_alternative<ImageBase>(definition_.base) ? title() : "";
    out.append(base_.text, 0, cut).append(builder_).append(base_.text, cut);
    out += out.ends_with('\n') ? "" : "\n";
    for (const std::string& step : steps_) {
      out += step + "\n";
    }
    Diagnostics ignored;
    const Dockerfile parsed = TRY(parse_dockerfile(out, "Dockerfile", ignored));
    const std::size_t expected = base_.instructions.size() + builder_instructions_ + steps_.size();
    if (parsed.instructions.size() != expected) {  // it ended in a continuation
      return fail(ErrorKind::kUnsupported, "the Dockerfile ends in the middle of an instruction")
          .with_hint("take the backslash off its last line");
    }
    return out;
  }

  const Environment& environment_;
  const Definition& definition_;
  std::string base_text_;
  Dockerfile base_;
  char escape_ = '\\';
  BaseImage image_;
  std::string builder_;
  std::size_t builder_instructions_ = 0;
  std::vector<std::string> steps_;
  WrittenFiles files_;
};

}  // namespace

Result<WrittenFiles> write_dockerfile(const Environment& environment) {
  return Exporter(environment).run();
}

}  // namespace cloche::definition
