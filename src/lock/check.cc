#include "lock/check.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/fingerprint.h"
#include "package/conda/match_spec.h"
#include "package/conda/matching.h"
#include "package/conda/selector.h"
#include "package/conda/version.h"

namespace cloche::lock {
namespace {

constexpr std::array<std::string_view, 6> kWords = {"platform",   "request",   "dependency",
                                                    "constraint", "duplicate", "unreadable"};

// What specs are held against: a locked package, or what the target has.
struct Candidate {
  const conda::PackageRecord* record = nullptr;  // nullptr: virtual
  std::string name;
  std::optional<conda::Version> version;  // nothing: unreadable
  std::string build;
};

struct Spec {
  conda::MatchSpec parsed;
  conda::RecordMatcher matcher;
  std::optional<std::string> when;  // CEP 43: counts only if this spec is met
};

std::string shown(const Candidate& candidate) {
  const std::string version = candidate.version ? candidate.version->text() : "?";
  return candidate.build.empty()
             ? fmt::format("{} {}", candidate.name, version)
             : fmt::format("{} {} {}", candidate.name, version, candidate.build);
}

bool is_virtual(std::string_view name) { return name.starts_with("__"); }

bool is_pattern(std::string_view name) {
  return name.find_first_of("*^") != std::string_view::npos;
}

class Checker {
 public:
  explicit Checker(const Lock& lock) : lock_(lock) {
    for (const VirtualPackage& one : lock.virtual_packages) {
      add({nullptr, one.name, {}, one.build}, one.version);
    }
    for (const CondaPackage& package : lock.conda.packages) {
      add({&package.record, package.record.name, {}, package.record.build}, package.record.version);
    }
  }

  std::vector<Finding> run(const definition::Definition& definition) && {
    check_platform(definition);
    for (const auto* dependency : requested_on(definition, lock_.platform)) {
      check_request(*dependency);
    }
    check_packages();
    return std::move(findings_);
  }

 private:
  void add(Candidate candidate, const std::string& version) {
    if (auto parsed = conda::Version::parse(version)) {
      candidate.version = std::move(*parsed);
    }
    by_name_[candidate.name].push_back(std::move(candidate));
  }

  void check_platform(const definition::Definition& definition) {
    if (!definition.conda || definition.conda->platforms.empty()) {
      return;
    }
    const auto& platforms = definition.conda->platforms;
    if (std::ranges::find(platforms, lock_.platform) == platforms.end()) {
      findings_.push_back(
          {.kind = FindingKind::kPlatform,
           .package = "",
           .spec = lock_.platform,
           .message = fmt::format("the definition is not for {}", printable(lock_.platform)),
           .hint = fmt::format("it is for {}", fmt::join(platforms, ", ")),
           .at = {}});
    }
  }

  void check_request(const definition::CondaDependency& dependency) {
    const Spec* spec = compiled(dependency.text, "", dependency.at);
    if (spec == nullptr || met(*spec)) {
      return;
    }
    findings_.push_back({.kind = FindingKind::kRequest,
                         .package = "",
                         .spec = dependency.text,
                         .message = fmt::format("{} is not met: {}", printable(dependency.text),
                                                what_is_there(spec->parsed)),
                         .hint = "lock again with --update-all, or loosen the line",
                         .at = dependency.at});
  }

  // By name, as the lock is sorted; extras that somebody asks for add dependencies (CEP 44).
  void check_packages() {
    for (const auto& [name, candidates] : by_name_) {
      if (candidates.size() > 1) {
        report_duplicate(name, candidates);
      }
      for (const Candidate& candidate : candidates) {
        check_package(candidate);
      }
    }
    while (!wanted_extras_.empty()) {
      const auto [name, extra] = *wanted_extras_.begin();
      done_extras_.insert(wanted_extras_.extract(wanted_extras_.begin()));
      check_extra(name, extra);
    }
  }

  void report_duplicate(const std::string& name, const std::vector<Candidate>& candidates) {
    std::vector<std::string> versions;
    versions.reserve(candidates.size());
    for (const Candidate& one : candidates) {
      versions.push_back(printable(shown(one)));
    }
    findings_.push_back({.kind = FindingKind::kDuplicate,
                         .package = name,
                         .spec = "",
                         .message = fmt::format("{} is locked {} times: {}", printable(name),
                                                versions.size(), fmt::join(versions, ", ")),
                         .hint = "a lock holds one package of a name",
                         .at = {}});
  }

  void check_package(const Candidate& candidate) {
    if (!candidate.version) {
      findings_.push_back({.kind = FindingKind::kUnreadable,
                           .package = candidate.name,
                           .spec = "",
                           .message = fmt::format("the version of {} cannot be understood",
                                                  printable(candidate.name)),
                           .hint = "",
                           .at = {}});
    }
    if (candidate.record == nullptr) {
      return;
    }
    for (const std::string& depends : candidate.record->depends) {
      check_dependency(candidate, depends);
    }
    for (const std::string& constrains : candidate.record->constrains) {
      check_constraint(candidate, constrains);
    }
  }

  void check_extra(const std::string& name, const std::string& extra) {
    for (const Candidate& candidate : by_name_[name]) {
      if (candidate.record == nullptr) {
        continue;
      }
      const auto found = candidate.record->extra_depends.find(extra);
      if (found == candidate.record->extra_depends.end()) {
        continue;
      }
      for (const std::string& depends : found->second) {
        check_dependency(candidate, depends);
      }
    }
  }

  void check_dependency(const Candidate& candidate, const std::string& text) {
    const Spec* spec = compiled_of_record(text, candidate.name);
    if (spec == nullptr || met(*spec)) {
      return;
    }
    findings_.push_back({.kind = FindingKind::kDependency,
                         .package = candidate.name,
                         .spec = text,
                         .message = fmt::format("{} needs {}: {}", printable(shown(candidate)),
                                                printable(text), what_is_there(spec->parsed)),
                         .hint = "lock again with --update-all",
                         .at = {}});
  }

  void check_constraint(const Candidate& candidate, const std::string& text) {
    const Spec* spec = compiled_of_record(text, candidate.name);
    if (spec == nullptr || !counts(*spec)) {
      return;
    }
    for (const Candidate* other : named(spec->parsed.name)) {
      if (!matches(*spec, *other)) {
        findings_.push_back({.kind = FindingKind::kConstraint,
                             .package = candidate.name,
                             .spec = text,
                             .message = fmt::format("{} does not go with {}: it allows {}",
                                                    printable(shown(candidate)),
                                                    printable(shown(*other)), printable(text)),
                             .hint = "lock again with --update-all",
                             .at = {}});
      }
    }
  }

  // Parsed once for all packages that say the same. nullptr: it cannot be understood, and was
  // reported.
  const Spec* compiled(const std::string& text, const std::string& package, const Location& at) {
    const auto [entry, is_new] = specs_.try_emplace(text);
    if (is_new) {
      auto spec = compile(text);
      if (spec) {
        entry->second = std::make_unique<Spec>(std::move(*spec));
      } else {
        findings_.push_back({.kind = FindingKind::kUnreadable,
                             .package = package,
                             .spec = text,
                             .message = fmt::format("'{}' cannot be understood: {}",
                                                    printable(text), spec.error().message),
                             .hint = spec.error().hint,
                             .at = at});
      }
    }
    return entry->second.get();
  }

  // Records name one package each: patterns are for people (CEP 48), and would make the cost of a
  // check quadratic.
  const Spec* compiled_of_record(const std::string& text, const std::string& package) {
    const Spec* spec = compiled(text, package, {});
    if (spec == nullptr || !is_pattern(spec->parsed.name)) {
      return spec;
    }
    findings_.push_back({.kind = FindingKind::kUnreadable,
                         .package = package,
                         .spec = text,
                         .message = fmt::format("{} says '{}', which names no package",
                                                printable(package), printable(text)),
                         .hint = "",
                         .at = {}});
    return nullptr;
  }

  static Result<Spec> compile(const std::string& text) {
    Spec out;
    out.parsed = TRY(conda::parse_match_spec(text));
    if (const auto when = out.parsed.brackets.find("when"); when != out.parsed.brackets.end()) {
      out.when = when->second;
    }
    out.matcher = TRY(conda::RecordMatcher::compile(out.parsed));
    return out;
  }

  // Whether a conditional spec's condition holds. Conditions of several specs joined by and/or are
  // the solver's to judge; here they count as not held, so that nothing false is reported.
  bool counts(const Spec& spec) {
    if (!spec.when) {
      return true;
    }
    const auto condition = compile(*spec.when);
    return condition && !condition->when && met(*condition);
  }

  bool met(const Spec& spec) {
    if (!counts(spec)) {
      return true;
    }
    if (is_virtual(spec.parsed.name) && lock_.virtual_packages.empty()) {
      return true;
    }
    want_extras(spec.parsed);
    return std::ranges::any_of(named(spec.parsed.name), [&](const Candidate* candidate) {
      return matches(spec, *candidate);
    });
  }

  void want_extras(const conda::MatchSpec& spec) {
    const auto extras = spec.brackets.find("extras");
    if (extras == spec.brackets.end() || extras->second.size() < 2) {
      return;
    }
    const std::string_view list = extras->second;  // "[a,b]"
    for (const std::string_view extra : split(list.substr(1, list.size() - 2), ',')) {
      std::pair<std::string, std::string> wanted(spec.name, extra);
      if (!done_extras_.contains(wanted)) {
        wanted_extras_.insert(std::move(wanted));
      }
    }
  }

  std::vector<const Candidate*> named(const std::string& name) const {
    std::vector<const Candidate*> out;
    const auto take = [&](const std::vector<Candidate>& candidates) {
      for (const Candidate& one : candidates) {
        out.push_back(&one);
      }
    };
    if (!is_pattern(name)) {
      if (const auto found = by_name_.find(name); found != by_name_.end()) {
        take(found->second);
      }
      return out;
    }
    for (const auto& [each, candidates] : by_name_) {
      if (!is_virtual(each)) {
        take(candidates);
      }
    }
    return out;
  }

  bool matches(const Spec& spec, const Candidate& candidate) const {
    if (!candidate.version) {
      return false;
    }
    conda::RecordView view;
    view.name = candidate.name;
    view.version = &*candidate.version;
    view.build = candidate.build;
    if (const conda::PackageRecord* record = candidate.record) {
      view.build_number = record->build_number;
      view.channel = channel_as_asked(spec.parsed.channel, record->channel);
      view.subdir = record->subdir;
      view.file_name = record->file_name;
      view.md5 = record->md5;
      view.sha256 = record->sha256;
    }
    return spec.matcher.matches(view);
  }

  // A spec may name a channel as the lock does: "defaults" stands for several URLs.
  std::string_view channel_as_asked(std::string_view asked, const std::string& url) const {
    const bool is_it = std::ranges::any_of(lock_.conda.channels, [&](const Channel& channel) {
      return channel.name == asked && channel.url == url;
    });
    return is_it ? asked : std::string_view(url);
  }

  std::string what_is_there(const conda::MatchSpec& spec) const {
    const auto there = named(spec.name);
    if (is_pattern(spec.name) || there.empty()) {
      return is_virtual(spec.name) ? fmt::format("the target has no {}", printable(spec.name))
                                   : fmt::format("no {} is locked", printable(spec.name));
    }
    std::vector<std::string> versions;
    versions.reserve(there.size());
    for (const Candidate* one : there) {
      versions.push_back(printable(shown(*one)));
    }
    return fmt::format("{} {}", fmt::join(versions, " and "),
                       is_virtual(spec.name) ? "is what the target has" : "is locked");
  }

  const Lock& lock_;
  std::map<std::string, std::vector<Candidate>> by_name_;
  std::unordered_map<std::string, std::unique_ptr<Spec>> specs_;  // nullptr: unreadable
  std::set<std::pair<std::string, std::string>> wanted_extras_;   // package, extra
  std::set<std::pair<std::string, std::string>> done_extras_;
  std::vector<Finding> findings_;
};

void take_pip(PypiLock& out, const definition::PipSection& pip) {
  for (const definition::PipLine& line : pip.lines) {
    switch (line.kind) {
      case definition::PipLine::Kind::kRequirement:
        out.requirements.push_back(line.text);
        break;
      case definition::PipLine::Kind::kConstraint:
        out.constraints.push_back(line.text);
        break;
      case definition::PipLine::Kind::kOption:
        out.options.push_back(line.text);
        break;
    }
  }
}

// A reference may hold its digest: "python@sha256:...".
void take_base_image(Lock& lock, const std::string& reference) {
  if (reference.empty()) {
    lock.base_image.reset();
  } else if (!lock.base_image || lock.base_image->reference != reference) {
    const std::size_t at = reference.find("@sha256:");
    const bool exact = at != std::string::npos && Digest::parse(reference.substr(at + 1));
    lock.base_image = BaseImage{reference, exact ? reference.substr(at + 1) : ""};
  }
}

// pip's part needs pip, which conda adds as well (conda: cli/main_env_create.py).
std::vector<std::string> requested_texts(const definition::Definition& definition,
                                         std::string_view platform) {
  std::vector<std::string> out;
  bool has_pip = !definition.conda || !definition.pip || definition.pip->lines.empty();
  for (const auto* dependency : requested_on(definition, platform)) {
    out.push_back(dependency->text);
    has_pip = has_pip || dependency_name(dependency->text) == "pip";
  }
  if (!has_pip) {
    out.emplace_back("pip");
  }
  return out;
}

}  // namespace

std::string_view to_string(FindingKind kind) { return kWords.at(static_cast<std::size_t>(kind)); }

std::vector<const definition::CondaDependency*> requested_on(
    const definition::Definition& definition, std::string_view platform) {
  std::vector<const definition::CondaDependency*> out;
  if (definition.conda) {
    for (const definition::CondaDependency& one : definition.conda->dependencies) {
      if (conda::selector_matches(one.selector, platform)) {
        out.push_back(&one);
      }
    }
  }
  return out;
}

void bind(Lock& lock, const definition::Definition& definition) {
  lock.fingerprint = definition::fingerprint(definition);
  take_base_image(lock, std::string(image_reference(definition)));
  lock.conda.requested = requested_texts(definition, lock.platform);
  lock.pypi.requirements.clear();
  lock.pypi.constraints.clear();
  lock.pypi.options.clear();
  if (definition.pip) {
    take_pip(lock.pypi, *definition.pip);
  }
  lock.debian.requirements.clear();
  if (definition.apt) {
    for (const definition::Line& line : definition.apt->packages) {
      lock.debian.requirements.push_back(line.text);
    }
  }
  sort(lock);
  set_reasons(lock);
}

std::vector<Finding> check(const Lock& lock, const definition::Definition& definition) {
  return Checker(lock).run(definition);
}

}  // namespace cloche::lock
