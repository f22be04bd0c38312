#include "source/conda/provider_ties.h"

#include <algorithm>

namespace cloche::source::conda_solving {

using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

namespace {

bool python_first(std::string_view a, std::string_view b) {
  return std::pair(a != "python", a) < std::pair(b != "python", b);
}

}  // namespace

Status Ties::compare(SolvableId of) {
  const NameId id = tables_.row(of).name;
  const std::uint32_t tie = tables_.row(of).tie;
  std::vector<SolvableId> group;
  for (const SolvableId one : tables_.row(id).solvables) {
    if (tables_.row(one).tie == tie) {
      group.push_back(one);
    }
  }
  TRY(prefetch_dependencies(group));
  std::vector<std::vector<Allowed>> keys;
  keys.reserve(group.size());
  for (const SolvableId one : group) {
    keys.push_back(TRY(newest_allowed(one)));
  }
  const std::vector<std::string_view> shared = shared_names(keys);
  std::vector<std::size_t> order(group.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::erase_if(keys[i], [&](const Allowed& key) {
      return !std::ranges::binary_search(shared, key.first, python_first);
    });
    order[i] = i;
  }
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    for (std::size_t i = 0; i < std::min(keys[a].size(), keys[b].size()); ++i) {
      if (keys[a][i].second != keys[b][i].second) {
        return keys[a][i].second > keys[b][i].second;
      }
    }
    return candidates_.late_key(tables_.row(group[a])) >
           candidates_.late_key(tables_.row(group[b]));
  });
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    tables_.row(group[order[i]]).place = i;
  }
  return {};
}

// All names that a comparison will ask for, in one batch.
Status Ties::prefetch_dependencies(std::span<const SolvableId> group) {
  std::vector<NameId> wanted;
  for (const SolvableId id : group) {
    const SolvableRow one = tables_.row(id);  // a copy: rows move when more are loaded
    IndexRow& index = tables_.index_of(one);
    for (const std::uint32_t string : index.index->list(one.record->depends)) {
      const RequirementRow& requirement = tables_.row(requirements_.of(index, string));
      if (requirement.names.size() == 1 && !tables_.row(requirement.names.front()).loaded) {
        wanted.push_back(requirement.names.front());
      }
    }
  }
  std::ranges::sort(wanted);
  const auto rest = std::ranges::unique(wanted);
  wanted.erase(rest.begin(), rest.end());
  return wanted.empty() ? Status() : candidates_.prefetch(wanted);
}

Result<std::vector<Ties::Allowed>> Ties::newest_allowed(SolvableId id) {
  const SolvableRow one = tables_.row(id);
  std::vector<Allowed> out;
  IndexRow& index = tables_.index_of(one);
  for (const std::uint32_t string : index.index->list(one.record->depends)) {
    const RequirementId requirement = requirements_.of(index, string);
    const RequirementRow& row = tables_.row(requirement);
    if (row.names.size() != 1 || !row.when.empty()) {
      continue;
    }
    TRY(matching_.evaluate(requirement));
    const NameRow& name = tables_.row(row.names.front());
    const std::int64_t best =
        row.matching.empty() ? -1
                             : std::int64_t{name.ranks[tables_.row(row.matching.front()).version]};
    out.emplace_back(name.text, best);
  }
  std::ranges::sort(out, [](const Allowed& a, const Allowed& b) {
    return a.first == b.first ? a.second < b.second : python_first(a.first, b.first);
  });
  const auto rest = std::ranges::unique(out, {}, &Allowed::first);
  out.erase(rest.begin(), rest.end());
  return out;
}

std::vector<std::string_view> Ties::shared_names(const std::vector<std::vector<Allowed>>& keys) {
  std::vector<std::string_view> shared;
  for (const Allowed& key : keys.front()) {
    const bool everywhere = std::ranges::all_of(keys, [&](const auto& other) {
      return std::ranges::find(other, key.first, &Allowed::first) != other.end();
    });
    if (everywhere) {
      shared.push_back(key.first);
    }
  }
  return shared;
}

}  // namespace cloche::source::conda_solving
