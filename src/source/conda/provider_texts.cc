#include "source/conda/provider_texts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"
#include "package/conda/matching.h"
#include "package/conda/version_spec.h"
#include "source/conda/nearest_versions.h"
#include "source/conda/provider_requirements.h"

namespace cloche::source::conda_solving {

using conda::MatchSpec;
using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

namespace {

// "a, b and c"; of many the first few.
std::string listed(std::vector<std::string> texts) {
  constexpr std::size_t kMost = 6;
  if (texts.size() > kMost) {
    texts.resize(kMost);
    texts.emplace_back("others");
  }
  std::string out = texts.front();
  for (std::size_t i = 1; i < texts.size(); ++i) {
    out += (i + 1 == texts.size() ? " and " : ", ") + texts[i];
  }
  return out;
}

// Of the versions that fit, each build once.
std::vector<std::string> builds_of(const Tables& tables, const NameRow& name,
                                   const conda::VersionMatcher& matcher) {
  std::vector<std::string> builds;
  for (const SolvableId id : name.solvables) {
    const SolvableRow& one = tables.row(id);
    if (matcher.matches(name.versions[one.version])) {
      std::string build = printable(tables.text_of(one, one.record->build));
      if (std::ranges::find(builds, build) == builds.end()) {
        builds.push_back(std::move(build));
      }
    }
  }
  return builds;
}

std::string no_such_version(const NameRow& name, const conda::VersionSpec& constraint,
                            const std::string& wanted) {
  const std::string text = printable(name.text);
  const auto near = nearest_versions(constraint, name.versions);
  return name.versions.size() == 1
             ? fmt::format("there is only {} {}", text, printable(near.front()))
             : fmt::format("there is no {} {}: the nearest {} {}", text, printable(wanted),
                           near.size() == 1 ? "is" : "are", listed(near));
}

}  // namespace

std::string why_none(const Tables& tables, const RequirementRow& wanted) {
  const NameRow& given = tables.row(wanted.names.front());
  const NameRow& name = given.extra.empty() ? given : tables.row(given.extra_of);
  const MatchSpec& spec = wanted.spec;
  if (wanted.impossible || is_pattern(spec.name)) {
    return fmt::format("nothing fits {}", printable(wanted.text));
  }
  const std::string text = printable(name.text);
  if (const conda::VirtualPackage* const has = tables.find_virtual(name.text);
      has != nullptr && is_virtual(name.text)) {
    return fmt::format("the target has {} {}{}", text, printable(has->version),
                       spec.build.empty() ? "" : " " + printable(has->build));
  }
  const auto constraint = conda::VersionSpec::parse(spec.version);
  const auto matcher =
      conda::VersionMatcher::compile(constraint ? *constraint : conda::VersionSpec());
  if (!constraint || !matcher) {
    return fmt::format("nothing fits {}", printable(wanted.text));
  }
  const std::vector<std::string> builds = builds_of(tables, name, *matcher);
  if (builds.empty()) {
    return no_such_version(name, *constraint, spec.version);
  }
  if (!spec.build.empty()) {
    return fmt::format("no {}{}{} has a build {}: there {} {}", text,
                       spec.version.empty() ? "" : " ", printable(spec.version),
                       printable(spec.build), builds.size() == 1 ? "is" : "are", listed(builds));
  }
  return fmt::format("no {} is what {} asks for", text, printable(wanted.text));
}

std::string why_absent(Tables& tables, const NameRow& name) {
  const std::string text = printable(name.text);
  if (name.unreadable) {
    return fmt::format("'{}' is no dependency that can be read", text);
  }
  if (is_virtual(text)) {
    return fmt::format("the target has no {}", text);
  }
  if (name.wants_channel) {
    const bool known = std::ranges::any_of(tables.channels, [&](const ProviderChannel& channel) {
      return is_called(channel, name.channel);
    });
    return known ? fmt::format("{} has no package {}", printable(name.channel), text)
                 : fmt::format("{} is not among the channels", printable(name.channel));
  }
  const std::vector<std::string> near = nearest_names(tables, text);
  return near.empty()
             ? fmt::format("no channel has a package {}", text)
             : fmt::format("no channel has a package {}: did you mean {}?", text, near.front());
}

std::string text_of_candidates(const Tables& tables, std::span<const SolvableId> solvables) {
  CHECK(!solvables.empty());
  std::vector<SolvableId> sorted(solvables.begin(), solvables.end());
  std::ranges::stable_sort(sorted, std::less<>(),
                           [&](SolvableId id) { return tables.row(id).version; });
  std::vector<std::string> texts;
  for (const SolvableId id : sorted) {
    std::string text = printable(tables.text_of(id));
    if (texts.empty() || texts.back() != text) {
      texts.push_back(std::move(text));
    }
  }
  if (texts.size() == 1) {
    return texts.front();
  }
  const NameRow& name = tables.row(tables.row(solvables.front()).name);
  const std::string prefix = printable(name.text) + " ";
  for (std::size_t i = 1; i < texts.size(); ++i) {
    if (texts[i].starts_with(prefix)) {
      texts[i].erase(0, prefix.size());
    }
  }
  constexpr std::size_t kMostListed = 4;
  return texts.size() > kMostListed
             ? fmt::format("{} to {} ({} versions)", texts.front(), texts.back(), texts.size())
             : listed(std::move(texts));
}

std::optional<std::string> accepted_versions(const Tables& tables,
                                             std::span<const RequirementId> all) {
  const std::vector<NameId>& names_of_first = tables.row(all.front()).names;
  const NameRow& name = tables.row(names_of_first.front());
  std::vector<bool> accepted(name.versions.size());
  for (const RequirementId id : all) {
    const RequirementRow& one = tables.row(id);
    if (one.names != names_of_first || one.names.size() != 1 || !one.evaluated ||
        !name.extra.empty() || !one.spec.build.empty() || !one.spec.brackets.empty()) {
      return std::nullopt;
    }
    for (const SolvableId solvable : one.matching) {
      accepted[tables.row(solvable).version] = true;
    }
  }
  std::vector<std::string> runs;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    const std::size_t first = i;
    while (i < accepted.size() && accepted[i]) {
      ++i;
    }
    if (i > first) {
      runs.push_back(printable(name.versions[first].text()) +
                     (i - first > 1 ? " to " + printable(name.versions[i - 1].text()) : ""));
    }
  }
  constexpr std::size_t kMostRuns = 3;
  if (runs.empty() || runs.size() > kMostRuns) {
    return std::nullopt;
  }
  std::string out = fmt::format("{} {}", printable(name.text), runs.front());
  for (std::size_t i = 1; i < runs.size(); ++i) {
    out += (i + 1 == runs.size() ? " or " : ", ") + runs[i];
  }
  return out;
}

std::vector<std::string> nearest_names(Tables& tables, std::string_view name) {
  const std::string_view found = nearest(name, tables.every_name());
  return found.empty() ? std::vector<std::string>() : std::vector<std::string>{std::string(found)};
}

}  // namespace cloche::source::conda_solving
