#include "source/conda/provider_matching.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "source/conda/provider_requirements.h"

namespace cloche::source::conda_solving {

using conda::MatchSpec;
using conda::RecordMatcher;
using conda::RecordView;
using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

namespace {

std::vector<conda::TextMatcher> flags_of(const MatchSpec& spec) {
  std::vector<conda::TextMatcher> out;
  if (const auto found = spec.brackets.find("flags"); found != spec.brackets.end()) {
    for (const std::string& one : list_items(found->second)) {
      if (auto matcher = conda::TextMatcher::compile(one)) {
        out.push_back(std::move(*matcher));
      }
    }
  }
  return out;
}

}  // namespace

Status Matching::evaluate(RequirementId id) {
  RequirementRow& requirement = tables_.row(id);
  if (requirement.evaluated) {
    return {};
  }
  for (const NameId name : requirement.names) {
    TRY(candidates_.load(name));
  }
  requirement.evaluated = true;
  if (requirement.impossible) {
    return {};
  }
  const auto matcher = RecordMatcher::compile(requirement.spec);
  if (!matcher) {
    requirement.text += fmt::format(" ({})", matcher.error().message);
    return {};
  }
  for (const NameId name : requirement.names) {
    collect(*matcher, requirement, tables_.row(name));
  }
  return {};
}

void Matching::collect(const RecordMatcher& matcher, RequirementRow& requirement,
                       const NameRow& name) const {
  // Extras have the versions of their package, which also decides by the whole record.
  const NameRow& versions = name.extra.empty() ? name : tables_.row(name.extra_of);
  std::vector<signed char> fits(versions.versions.size(), -1);
  const auto version_fits = [&](std::uint32_t version) {
    if (fits[version] < 0) {
      fits[version] = matcher.version().matches(versions.versions[version]) ? 1 : 0;
    }
    return fits[version] == 1;
  };
  const auto flags = flags_of(requirement.spec);
  for (const SolvableId id : name.solvables) {
    const SolvableRow& one = tables_.row(id);
    if (!version_fits(one.version)) {
      continue;
    }
    if (matcher.version_only() ||
        (matches_record(matcher, requirement.spec, one, versions) && has_flags(one, flags))) {
      requirement.matching.push_back(id);
    }
  }
}

// CEP 45: every flag that is wanted is among the record's.
bool Matching::has_flags(const SolvableRow& one,
                         const std::vector<conda::TextMatcher>& wanted) const {
  return std::ranges::all_of(wanted, [&](const conda::TextMatcher& matcher) {
    const auto fits = [&](std::uint32_t flag) {
      return matcher.matches(tables_.text_of(one, flag));
    };
    return one.record != nullptr &&
           std::ranges::any_of(tables_.index_of(one).index->list(one.record->flags), fits);
  });
}

bool Matching::matches_record(const RecordMatcher& matcher, const MatchSpec& spec,
                              const SolvableRow& one, const NameRow& name) const {
  RecordView view;
  view.name = name.text;
  view.version = &name.versions[one.version];
  if (one.record == nullptr) {
    const conda::VirtualPackage* const found = tables_.find_virtual(name.text);
    view.build = found == nullptr ? std::string_view() : found->build;
    return matcher.matches(view);
  }
  const IndexRow& index = tables_.index_of(one);
  const ProviderChannel& channel = tables_.channels[index.channel];
  view.build = tables_.text_of(one, one.record->build);
  view.build_number = static_cast<std::int64_t>(one.record->build_number);
  view.channel = is_called(channel, spec.channel) ? spec.channel : channel.url;
  view.subdir = index.index->subdir();
  if (!matcher.needs_file()) {
    return matcher.matches(view);
  }
  const conda::PackageRecord record = index.index->package_record(*one.record, channel.url);
  const std::string features = join(record.track_features, " ");
  view.file_name = record.file_name;
  view.url = record.url;
  view.md5 = record.md5;
  view.sha256 = record.sha256;
  view.license = record.license;
  view.license_family = record.license_family;
  view.track_features = features;
  return matcher.matches(view);
}

}  // namespace cloche::source::conda_solving
