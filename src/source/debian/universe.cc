#include "source/debian/universe.h"

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "package/debian/version.h"

namespace cloche::source {

using debian::compare_versions;
using resolve::NameId;
using resolve::SolvableId;

PackageUniverse::PackageUniverse(std::span<const PackageSource> sources,
                                 const PackageIndex* installed, UniverseOptions options)
    : sources_(sources), installed_(installed), options_(std::move(options)) {
  for (const debian::PackageRecord& one : options_.favoured) {
    favoured_.emplace(one.name, one.version);
  }
  if (installed_ == nullptr) {
    return;
  }
  for (const PackageIndex::Name& name : installed_->names()) {
    const auto records = installed_->records_of(name);
    if (std::ranges::any_of(records, [&](const auto& one) { return is_ours(*installed_, one); })) {
      installed_names_.push_back(name_id(installed_->text(name.name)));
    }
  }
  std::ranges::sort(installed_names_, {}, [&](NameId id) { return text(id); });
}

NameId PackageUniverse::name_id(std::string_view name) {
  if (const auto found = ids_.find(name); found != ids_.end()) {
    return found->second;
  }
  texts_.emplace_back(name);
  const auto id = static_cast<NameId>(names_.size());
  names_.emplace_back().text = texts_.back();
  ids_.emplace(texts_.back(), id);
  return id;
}

bool PackageUniverse::is_ours(const PackageIndex& index, const PackageIndex::Record& record) const {
  const std::string_view architecture = index.text(record.architecture);
  return architecture == options_.architecture || architecture == "all";
}

void PackageUniverse::add(NameState& state, NameId name, const PackageIndex& index,
                          const PackageSource* source) {
  const PackageIndex::Name* const found = index.find(state.text);
  if (found == nullptr) {
    return;
  }
  for (const PackageIndex::Record& record : index.records_of(*found)) {
    if (!is_ours(index, record)) {
      continue;
    }
    const std::string_view version = index.text(record.version);
    const auto same = std::ranges::find(state.versions, version,
                                        [&](SolvableId id) { return package(id).version; });
    if (same != state.versions.end()) {
      Package& known = packages_[resolve::index(*same)];
      known.priority = std::max(known.priority, source == nullptr ? 0 : source->priority);
      known.source = known.source == nullptr ? source : known.source;
      continue;
    }
    const auto id = static_cast<SolvableId>(packages_.size());
    packages_.push_back({.name = name,
                         .source = source,
                         .index = &index,
                         .record = &record,
                         .version = version,
                         .priority = source == nullptr ? 0 : source->priority,
                         .installed = source == nullptr});
    state.versions.push_back(id);
    if (source == nullptr) {
      state.installed = id;
    }
  }
}

PackageUniverse::NameState& PackageUniverse::load(NameId name) {
  NameState& state = name_state(name);
  if (std::exchange(state.loaded, true)) {
    return state;
  }
  if (installed_ != nullptr) {
    add(state, name, *installed_, nullptr);
  }
  for (const PackageSource& source : sources_) {
    add(state, name, source.index, &source);
  }
  sort_versions(state);
  return state;
}

void PackageUniverse::sort_versions(NameState& state) {
  if (state.versions.size() < 2) {
    return;
  }
  constexpr int kOfInstalled = 100;
  const auto favoured = favoured_.find(state.text);
  const std::string_view locked = favoured == favoured_.end() ? "" : favoured->second;
  const std::string_view current =
      state.installed ? package(*state.installed).version : std::string_view();
  struct Key {
    bool locked;
    bool downgrade;
    int priority;
  };
  const auto key_of = [&](const Package& one) {
    return Key{.locked = !locked.empty() && one.version == locked,
               .downgrade = state.installed && compare_versions(one.version, current) < 0,
               .priority = std::max(one.priority, one.installed ? kOfInstalled : 0)};
  };
  std::ranges::stable_sort(state.versions, [&](SolvableId a, SolvableId b) {
    const Package& left = package(a);
    const Package& right = package(b);
    const Key x = key_of(left);
    const Key y = key_of(right);
    if (x.locked != y.locked) {
      return x.locked;
    }
    if (x.downgrade != y.downgrade) {
      return y.downgrade;
    }
    return x.priority != y.priority ? x.priority > y.priority
                                    : compare_versions(left.version, right.version) > 0;
  });
}

std::span<const SolvableId> PackageUniverse::versions(NameId name) { return load(name).versions; }

std::optional<SolvableId> PackageUniverse::candidate(NameId name) {
  const auto all = versions(name);
  return all.empty() ? std::nullopt : std::optional(all.front());
}

std::optional<SolvableId> PackageUniverse::installed(NameId name) { return load(name).installed; }

void PackageUniverse::load_providers(NameState& state, const PackageIndex& index) {
  const PackageIndex::Name* const found = index.find(state.text);
  if (found == nullptr) {
    return;
  }
  for (const PackageIndex::Provide& one : index.providers_of(*found)) {
    const PackageIndex::Record* const record = index.record(one.record);
    if (record == nullptr || !is_ours(index, *record)) {
      continue;
    }
    const std::string_view version = index.text(record->version);
    for (const SolvableId id : load(name_id(index.name_of(*record))).versions) {
      const bool known = std::ranges::any_of(
          state.providers, [&](const Provider& other) { return other.package == id; });
      if (package(id).version == version && (package(id).record == record || !known)) {
        state.providers.push_back({id, index.text(one.version)});
      }
    }
  }
}

std::span<const PackageUniverse::Provider> PackageUniverse::providers(NameId name) {
  NameState& state = name_state(name);
  if (!std::exchange(state.providers_loaded, true)) {
    if (installed_ != nullptr) {
      load_providers(state, *installed_);
    }
    for (const PackageSource& source : sources_) {
      load_providers(state, source.index);
    }
  }
  return state.providers;
}

debian::MultiArch PackageUniverse::multi_arch(SolvableId id) const {
  return static_cast<debian::MultiArch>(package(id).record->multi_arch);
}

debian::PackageRecord PackageUniverse::record(SolvableId id) const {
  const Package& one = package(id);
  debian::PackageRecord out = one.index->package_record(*one.record);
  if (!one.installed && one.source != nullptr) {
    out.archive = one.source->uri;
    out.suite = one.source->suite;
    out.component = one.source->component;
    out.url = out.archive + "/" + out.filename;
  }
  return out;
}

std::string_view PackageUniverse::source_name(SolvableId id) const {
  const Package& one = package(id);
  const std::string_view source = one.index->text(one.record->source);
  return source.empty() ? text(one.name) : trim_right(source.substr(0, source.find('(')));
}

std::string_view PackageUniverse::source_version(SolvableId id) const {
  const Package& one = package(id);
  const std::string_view source = one.index->text(one.record->source);
  const std::size_t open = source.find('(');
  const std::size_t close = source.rfind(')');
  return open == std::string_view::npos || close == std::string_view::npos || close < open
             ? one.version
             : trim(source.substr(open + 1, close - open - 1));
}

std::span<const NameId> PackageUniverse::installed_of_source(std::string_view source) {
  if (!std::exchange(installed_by_source_known_, true)) {
    for (const NameId name : installed_names_) {
      if (const auto id = installed(name)) {
        installed_by_source_[source_name(*id)].push_back(name);
      }
    }
  }
  const auto found = installed_by_source_.find(source);
  return found == installed_by_source_.end() ? std::span<const NameId>() : found->second;
}

std::string PackageUniverse::nearest_name(std::string_view name) const {
  std::vector<std::string_view> all;
  for (const PackageSource& source : sources_) {
    for (const PackageIndex::Name& one : source.index.names()) {
      if (one.record_count > 0) {
        all.push_back(source.index.text(one.name));
      }
    }
  }
  return std::string(nearest(name, all));
}

}  // namespace cloche::source
