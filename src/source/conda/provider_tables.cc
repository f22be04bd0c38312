#include "source/conda/provider_tables.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace cloche::source::conda_solving {

using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

Tables::Tables(std::vector<ProviderChannel> all_channels, ProviderOptions all_options)
    : channels(std::move(all_channels)), options(std::move(all_options)) {}

NameId Tables::name_id(std::string_view text) {
  if (const auto found = name_ids_.find(text); found != name_ids_.end()) {
    return found->second;
  }
  const NameId id = new_name(text);
  name_ids_.emplace(row(id).text, id);
  return id;
}

NameId Tables::new_name(std::string_view text) {
  const auto id = static_cast<NameId>(names_.size());
  names_.emplace_back().text = keep(text);
  return id;
}

std::uint32_t Tables::index_id(const RepodataIndex* index, std::uint32_t channel) {
  const auto [place, added] =
      index_ids_.try_emplace(index, static_cast<std::uint32_t>(indexes_.size()));
  if (added) {
    indexes_.push_back({index, channel, {}});
  }
  return place->second;
}

SolvableId Tables::add_solvable(const SolvableRow& row) {
  solvables_.push_back(row);
  return static_cast<SolvableId>(solvables_.size() - 1);
}

RequirementId Tables::add_requirement(RequirementRow row) {
  requirements_.push_back(std::move(row));
  return static_cast<RequirementId>(requirements_.size() - 1);
}

std::string_view Tables::keep(std::string_view text) { return texts_.emplace_back(text); }

std::string Tables::text_of(SolvableId id) const {
  const SolvableRow& one = row(id);
  const NameRow& name = row(one.name);
  if (one.record == nullptr) {
    return name.versions.empty() ? std::string(name.text)
                                 : fmt::format("{} {}", name.text, name.versions[0].text());
  }
  return fmt::format("{} {}", name.text, text_of(one, one.record->version));
}

const conda::VirtualPackage* Tables::find_virtual(std::string_view name) const {
  const auto found =
      std::ranges::find(options.virtual_packages, name, &conda::VirtualPackage::name);
  return found == options.virtual_packages.end() ? nullptr : &*found;
}

const std::vector<std::string_view>& Tables::every_name() {
  if (!every_name_.empty()) {
    return every_name_;
  }
  for (const ProviderChannel& channel : channels) {
    for (const auto& subdir : channel.subdirs) {
      const auto more = subdir->names();
      every_name_.insert(every_name_.end(), more.begin(), more.end());
    }
  }
  std::ranges::sort(every_name_);
  const auto rest = std::ranges::unique(every_name_);
  every_name_.erase(rest.begin(), rest.end());
  return every_name_;
}

bool is_called(const ProviderChannel& channel, std::string_view text) {
  return channel.name == text || channel.url == text ||
         (channel.url.ends_with(text) &&
          channel.url.substr(0, channel.url.size() - text.size()).ends_with('/')) ||
         std::ranges::find(channel.aliases, text) != channel.aliases.end();
}

}  // namespace cloche::source::conda_solving
