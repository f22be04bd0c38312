#include "source/conda/provider_candidates.h"

#include <algorithm>
#include <utility>

namespace cloche::source::conda_solving {

using conda::ChannelPriority;
using conda::Version;
using resolve::NameId;
using resolve::SolvableId;

// What decides between two candidates before their dependencies are looked at.
struct Candidates::SortKey {
  bool favoured = false;
  bool has_features = false;
  std::uint32_t channel = 0;
  std::uint32_t version = 0;
  std::uint64_t build_number = 0;
  std::uint32_t late_channel = 0;

  auto tie() const {
    return std::tuple(!favoured, has_features, channel, ~version, ~build_number, late_channel);
  }
  auto operator<=>(const SortKey& other) const { return tie() <=> other.tie(); }
  bool operator==(const SortKey& other) const { return tie() == other.tie(); }
};

namespace {

bool serves(const ProviderChannel& channel, const NameRow& name) {
  return name.wants_channel ? is_called(channel, name.channel) : !channel.only_when_named;
}

}  // namespace

Candidates::Candidates(Tables& tables) : tables_(tables) {
  for (const conda::PackageRecord& record : tables_.options.favoured) {
    favoured_[record.name].push_back(&record);
  }
}

Status Candidates::load(NameId id) {
  if (tables_.row(id).loaded) {
    return {};
  }
  if (!tables_.row(id).extra.empty()) {
    return load_extra(id);
  }
  std::vector<SolvableRow> found;
  TRY(find_records(id, found));
  NameRow& name = tables_.row(id);
  name.loaded = true;
  order_versions(name, found);
  add_virtual_package(id, name, found);

  std::vector<std::pair<SortKey, std::uint32_t>> order;
  order.reserve(found.size());
  for (std::uint32_t i = 0; i < found.size(); ++i) {
    order.emplace_back(found[i].record == nullptr ? SortKey() : sort_key(found[i], name), i);
  }
  std::ranges::sort(order, [&](const auto& a, const auto& b) {
    const auto compared = a.first <=> b.first;
    return compared == 0 ? found[a.second].record != nullptr &&
                               late_key(found[a.second]) > late_key(found[b.second])
                         : compared < 0;
  });
  std::uint32_t tie = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    tie += i > 0 && !(order[i].first == order[i - 1].first) ? 1U : 0U;
    found[order[i].second].tie = tie;
    name.solvables.push_back(tables_.add_solvable(found[order[i].second]));
  }
  return {};
}

Status Candidates::prefetch(std::span<const NameId> wanted) {
  std::vector<std::string_view> unknown;
  for (const NameId id : wanted) {
    const NameRow& name = tables_.row(id);
    if (!name.loaded && name.extra.empty() && !name.unreadable && !is_virtual(name.text)) {
      unknown.push_back(name.text);
    }
  }
  for (ProviderChannel& channel : tables_.channels) {
    for (const auto& subdir : channel.subdirs) {
      TRY(subdir->prefetch(unknown));
    }
  }
  return {};
}

std::tuple<bool, std::int64_t, std::string_view, std::string_view> Candidates::late_key(
    const SolvableRow& one) const {
  return {tables_.index_of(one).index->subdir() != "noarch", one.record->timestamp_ms,
          tables_.text_of(one, one.record->build), tables_.text_of(one, one.record->version)};
}

// Every record of a name, as a strict priority leaves it. Virtual packages are the target's, and no
// channel can claim otherwise.
Status Candidates::find_records(NameId id, std::vector<SolvableRow>& out) {
  if (is_virtual(tables_.row(id).text)) {
    return {};
  }
  for (std::uint32_t i = 0; i < tables_.channels.size(); ++i) {
    ProviderChannel& channel = tables_.channels[i];
    if (!serves(channel, tables_.row(id))) {
      continue;
    }
    const std::size_t before = out.size();
    for (const std::unique_ptr<RecordSource>& subdir : channel.subdirs) {
      const RecordSource::Found found = TRY(subdir->records_of(tables_.row(id).text));
      for (const index_layout::Record& record : found.records) {
        SolvableRow one;
        one.name = id;
        one.index = tables_.index_id(found.index, i);
        one.record = &record;
        out.push_back(one);
      }
    }
    if (out.size() > before && tables_.options.priority == ChannelPriority::kStrict) {
      break;
    }
  }
  return {};
}

// Parses and orders the versions of a name and gives every solvable its own. A record whose version
// cannot be read is left out: nothing could ask for it.
void Candidates::order_versions(NameRow& name, std::vector<SolvableRow>& found) const {
  std::unordered_map<std::string_view, std::uint32_t> by_text;
  std::vector<Version> parsed;
  std::uint32_t last_string = kNone;
  std::uint32_t last_index = kNone;
  std::uint32_t last_version = 0;
  for (SolvableRow& one : found) {
    if (one.record->version != last_string || one.index != last_index) {
      last_string = one.record->version;
      last_index = one.index;
      const std::string_view text = tables_.text_of(one, last_string);
      const auto [place, added] = by_text.try_emplace(text, kNone);
      if (added) {
        if (auto version = Version::parse(text)) {
          place->second = static_cast<std::uint32_t>(parsed.size());
          parsed.push_back(std::move(*version));
        }
      }
      last_version = place->second;
    }
    one.version = last_version;
  }
  std::erase_if(found, [](const SolvableRow& one) { return one.version == kNone; });
  std::vector<std::uint32_t> order(parsed.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    const auto compared = parsed[a] <=> parsed[b];
    return compared == 0 ? parsed[a].text() < parsed[b].text() : compared < 0;
  });
  std::vector<std::uint32_t> place(parsed.size());
  std::uint32_t rank = 0;
  for (const std::uint32_t i : order) {
    rank += !name.versions.empty() && name.versions.back() != parsed[i] ? 1U : 0U;
    place[i] = static_cast<std::uint32_t>(name.versions.size());
    name.versions.push_back(std::move(parsed[i]));
    name.ranks.push_back(rank);
  }
  for (SolvableRow& one : found) {
    one.version = place[one.version];
  }
}

bool Candidates::is_favoured(const SolvableRow& one, std::string_view name) const {
  const auto found = favoured_.find(name);
  const IndexRow& index = tables_.index_of(one);
  return found != favoured_.end() &&
         std::ranges::any_of(found->second, [&](const conda::PackageRecord* record) {
           return tables_.text_of(one, one.record->version) == record->version &&
                  tables_.text_of(one, one.record->build) == record->build &&
                  index.index->subdir() == record->subdir &&
                  tables_.channels[index.channel].url == record->channel;
         });
}

Candidates::SortKey Candidates::sort_key(const SolvableRow& one, const NameRow& name) const {
  SortKey key;
  key.favoured = !favoured_.empty() && is_favoured(one, name.text);
  key.has_features = one.record->track_features != 0;
  const std::uint32_t channel = tables_.index_of(one).channel;
  key.channel = tables_.options.priority == ChannelPriority::kDisabled ? 0 : channel;
  key.version = name.ranks[one.version];
  key.build_number = one.record->build_number;
  key.late_channel = channel;
  return key;
}

void Candidates::add_virtual_package(NameId id, NameRow& name,
                                     std::vector<SolvableRow>& found) const {
  const conda::VirtualPackage* const one = tables_.find_virtual(name.text);
  if (one == nullptr || !is_virtual(name.text)) {
    return;
  }
  if (auto version = Version::parse(one->version)) {
    name.versions = {std::move(*version)};
    name.ranks = {0};
    found.push_back({});
    found.back().name = id;
  }
}

// A group of extras has a candidate for each of its package's, which needs exactly that one.
Status Candidates::load_extra(NameId id) {
  const NameId of = tables_.row(id).extra_of;
  TRY(load(of));
  NameRow& name = tables_.row(id);
  name.loaded = true;
  for (const SolvableId package : tables_.row(of).solvables) {
    SolvableRow one = tables_.row(package);
    one.name = id;
    one.tie = resolve::index(package);
    one.extra_of = package;
    name.solvables.push_back(tables_.add_solvable(one));
  }
  return {};
}

}  // namespace cloche::source::conda_solving
