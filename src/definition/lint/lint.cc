#include "definition/lint/lint.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "core/text.h"
#include "definition/dockerfile.h"
#include "definition/lint/dockerfile_view.h"
#include "definition/lint/ignore_comments.h"
#include "definition/lint/report.h"
#include "definition/lint/rules.h"
#include "definition/lint/source_file.h"
#include "definition/validate.h"

namespace cloche::definition {
namespace {

class Linter {
 public:
  Linter(FileSource& files, const LintOptions& options)
      : sources_(files), report_(sources_), files_(files), options_(options) {}

  Result<std::vector<Finding>> lint(const std::string& path) {
    TRY(files_.kind(path));
    const auto format = detect_format(path, files_);
    if (!format.has_value()) {
      TRY(refused(path, format.error()));
    } else if (*format == Format::kDockerfile) {
      TRY(lint_dockerfile(path));
    } else if (*format == Format::kBuildContext) {
      TRY(lint_dockerfile(join_path(path, "Dockerfile")));
    } else {
      TRY(lint_definition(path));
    }
    return finish();
  }

 private:
  // What the author can mend is a finding, what the disk does is an error.
  Status refused(const std::string& path, const Error& error) {
    if (error.kind != ErrorKind::kInvalid && error.kind != ErrorKind::kNotFound &&
        error.kind != ErrorKind::kUnsupported) {
      return error;
    }
    Diagnostic diagnostic;
    diagnostic.severity = Severity::kError;
    diagnostic.rule = error.kind == ErrorKind::kNotFound ? "missing-file" : "syntax";
    diagnostic.message = error.message;
    diagnostic.hint = error.hint;
    diagnostic.at = error.at;
    if (diagnostic.at.file.empty()) {
      diagnostic.at.file = path;
    }
    report_.add(diagnostic);
    return {};
  }

  Status lint_dockerfile(const std::string& path) {
    std::string text = TRY(files_.read(path, kMaxTextBytes));
    const std::string directory = parent_path(path);
    add_dockerfile(sources_.add(path, std::move(text)), directory.empty() ? "." : directory);
    Environment alone;
    alone.definition.base = DockerfileBase{sources_.get(path).text(), {path, 0, 0}};
    Diagnostics diagnostics;
    validate(alone, diagnostics);
    add_diagnostics(diagnostics);
    return {};
  }

  void add_dockerfile(const SourceFile& source, const std::string& directory) {
    Diagnostics diagnostics;
    const auto dockerfile = parse_dockerfile(source.text(), source.name(), diagnostics);
    if (!dockerfile.has_value()) {
      (void)refused(source.name(), dockerfile.error());
      return;
    }
    add_diagnostics(diagnostics);
    const DockerfileView view(*dockerfile, source, files_, directory);
    for (const Rule& rule : all_rules()) {
      if (rule.dockerfile != nullptr) {
        report_.begin(rule.info, source.name());
        rule.dockerfile(view, report_);
      }
    }
    for (const Instruction& instruction : dockerfile->instructions) {
      spans_[source.name()].push_back({instruction.at.line, instruction.last_line});
    }
    touched_.push_back(source.name());
  }

  Status lint_definition(const std::string& path) {
    touched_.push_back(path);
    LoadRequest request;
    request.file = path;
    const auto loaded = load(request, files_, options_.read);
    if (!loaded.has_value()) {
      return refused(path, loaded.error());
    }
    add_diagnostics(loaded->diagnostics);
    const Environment& environment = loaded->environment;
    Diagnostics diagnostics;
    validate(environment, diagnostics);
    add_diagnostics(without_default_image(environment, diagnostics));
    add_packages(environment, path);
    add_own_dockerfile(environment.definition, path);
    return {};
  }

  // The default image is a setting, not a line of this file.
  static Diagnostics without_default_image(const Environment& environment,
                                           const Diagnostics& diagnostics) {
    const auto* image = std::get_if<ImageBase>(&environment.definition.base);
    Diagnostics out;
    for (const Diagnostic& one : diagnostics.list()) {
      if (image == nullptr || !image->at.empty() ||
          (one.rule != "image-without-tag" && one.rule != "invalid-image")) {
        out.add(one);
      }
    }
    return out;
  }

  void add_packages(const Environment& environment, const std::string& path) {
    const Definition& definition = environment.definition;
    const PackagesView view{.conda = definition.conda ? &*definition.conda : nullptr,
                            .pip = definition.pip ? &*definition.pip : nullptr,
                            .environment = &environment};
    for (const Rule& rule : all_rules()) {
      if (rule.packages != nullptr) {
        report_.begin(rule.info, path);
        rule.packages(view, report_);
      }
    }
  }

  void add_own_dockerfile(const Definition& definition, const std::string& path) {
    const std::string* text = dockerfile_text(definition);
    if (text == nullptr) {
      return;
    }
    if (const auto* context = std::get_if<BuildContextBase>(&definition.base)) {
      if (!context->root.empty()) {
        const std::string name = join_path(context->root, context->dockerfile_path);
        add_dockerfile(sources_.add(name, *text), context->root);
      }
      return;
    }
    const std::string& written_in = std::get<DockerfileBase>(definition.base).at.file;
    if (!written_in.empty() && written_in != path) {
      add_dockerfile(sources_.add(written_in, *text), parent_path(written_in));
    }
  }

  // What a rule with a check of its own finds again, with its place and mend.
  static bool is_found_again(const std::string& name) {
    const Rule* rule = find_rule(name);
    return name == "pip-password-in-url" ||
           (rule != nullptr && rule->dockerfile != nullptr && name.starts_with("dockerfile-"));
  }

  void add_diagnostics(const Diagnostics& diagnostics) {
    for (const Diagnostic& diagnostic : diagnostics.list()) {
      if (is_found_again(diagnostic.rule)) {
        continue;
      }
      const Rule* rule = find_rule(diagnostic.rule);
      Finding& finding = report_.add(diagnostic);
      if (rule != nullptr && rule->mend != nullptr) {
        rule->mend(finding, report_);
      }
    }
  }

  void check_ignore_comments() {
    constexpr std::size_t kMaxUnknown = 100;  // looking for what was meant takes time
    const Rule* rule = find_rule("unknown-ignore");
    std::size_t unknown = 0;
    for (const std::string& name : touched_) {
      report_.begin(rule->info, name);
      const IgnoreComments comments(sources_.get(name));
      for (const IgnoreComments::Entry& entry : comments.entries()) {
        if (find_rule(entry.rule) == nullptr && ++unknown <= kMaxUnknown) {
          add_unknown_ignore({name, entry.line, entry.column}, entry.rule);
        }
      }
    }
  }

  void add_unknown_ignore(const Location& at, const std::string& rule) {
    const std::string_view meant = nearest(rule, rule_names());
    report_.add(at, "no rule is called " + rule,
                meant.empty() ? "cloche env lint --list-rules shows them"
                              : "did you mean " + std::string(meant) + "?");
  }

  static std::vector<std::string_view> rule_names() {
    std::vector<std::string_view> names;
    for (const RuleInfo& info : lint_rules()) {
      names.push_back(info.name);
    }
    return names;
  }

  // The first line of the instruction that a line of a Dockerfile belongs to; else the line.
  int instruction_line(const Location& at) const {
    const auto spans = spans_.find(at.file);
    if (spans == spans_.end()) {
      return at.line;
    }
    const auto after = std::ranges::upper_bound(spans->second, at.line, {}, &Lines::first);
    return after == spans->second.begin() || std::prev(after)->last < at.line
               ? at.line
               : std::prev(after)->first;
  }

  bool is_silenced(const Diagnostic& diagnostic) {
    if (std::ranges::find(options_.disabled, diagnostic.rule) != options_.disabled.end()) {
      return true;
    }
    if (diagnostic.at.file.empty()) {
      return false;
    }
    auto comments = comments_.find(diagnostic.at.file);
    if (comments == comments_.end()) {
      comments = comments_.emplace(diagnostic.at.file, sources_.get(diagnostic.at.file)).first;
    }
    return comments->second.silences(diagnostic.at.line, diagnostic.rule) ||
           comments->second.silences(instruction_line(diagnostic.at), diagnostic.rule);
  }

  std::vector<Finding> finish() {
    check_ignore_comments();
    std::vector<Finding> findings = report_.take();
    std::erase_if(findings, [this](const Finding& f) { return is_silenced(f.diagnostic); });
    const auto same = [](const Finding& a, const Finding& b) {
      return a.diagnostic.at == b.diagnostic.at && a.diagnostic.rule == b.diagnostic.rule &&
             a.diagnostic.message == b.diagnostic.message;
    };
    const auto doubled = std::ranges::unique(findings, same);
    findings.erase(doubled.begin(), doubled.end());
    return findings;
  }

  struct Lines {
    int first = 0;
    int last = 0;
  };

  Sources sources_;
  Report report_;
  FileSource& files_;
  const LintOptions& options_;
  std::vector<std::string> touched_;
  std::map<std::string, std::vector<Lines>> spans_;  // of a Dockerfile's instructions
  std::map<std::string, IgnoreComments> comments_;
};

}  // namespace

Result<std::vector<Finding>> lint_file(const std::string& path, FileSource& files,
                                       const LintOptions& options) {
  return Linter(files, options).lint(path);
}

std::string apply_fixes(std::string_view text, const std::string& file,
                        const std::vector<Finding>& findings) {
  std::map<std::size_t, const TextEdit*> chosen;  // by begin; none overlaps another
  const auto is_free = [&](const TextEdit& edit) {
    const auto next = chosen.lower_bound(edit.begin);
    const bool before = next == chosen.begin() || std::prev(next)->second->end <= edit.begin;
    const bool after =
        next == chosen.end() || (next->first >= edit.end && next->first > edit.begin);
    return before && after && edit.begin <= edit.end && edit.end <= text.size();
  };
  for (const Finding& finding : findings) {
    if (finding.diagnostic.at.file == file && std::ranges::all_of(finding.fix, is_free)) {
      for (const TextEdit& edit : finding.fix) {
        chosen.emplace(edit.begin, &edit);
      }
    }
  }
  std::string out;
  std::size_t at = 0;
  for (const auto& [begin, edit] : chosen) {
    out.append(text.substr(at, begin - at));
    out += edit->replacement;
    at = edit->end;
  }
  out.append(text.substr(at));
  return out;
}

}  // namespace cloche::definition
