#include "source/conda/channel_places.h"

#include <utility>

#include "core/text.h"

namespace cloche::source {
namespace {

constexpr std::string_view kAnaconda = "https://repo.anaconda.com";  // of the default channels

// The text without its last component; "" for the last one.
std::string_view parent_of(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : text.substr(0, slash);
}

// The entry of the text or of the longest part of it that ends at a slash.
const std::size_t* longest(const std::map<std::string, std::size_t, std::less<>>& map,
                           std::string_view text) {
  for (; !text.empty(); text = parent_of(text)) {
    if (const auto found = map.find(text); found != map.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

}  // namespace

std::string joined_url(std::string location, std::string_view name) {
  while (location.ends_with('/')) {
    location.pop_back();
  }
  return name.empty() ? location : location + "/" + std::string(name);
}

std::optional<std::string_view> url_behind(std::string_view url, std::string_view prefix) {
  if (!url.starts_with(prefix)) {
    return std::nullopt;
  }
  url.remove_prefix(prefix.size());
  if (url.empty()) {
    return url;
  }
  return url.starts_with('/') ? std::optional(url.substr(1)) : std::nullopt;
}

Result<ChannelUrl> parse_location(const std::string& location, const Surroundings& surroundings) {
  if (is_path(location)) {
    return channel_url_of_path(location, surroundings);
  }
  return parse_channel_url(has_scheme(location) ? location : "https://" + location);
}

Result<ChannelPlaces> ChannelPlaces::read(const ChannelSettings& settings,
                                          const Surroundings& surroundings) {
  ChannelPlaces out;
  out.alias_ =
      TRY(parse_location(settings.channel_alias, surroundings).context("in channel_alias"));
  for (const std::string& old : settings.migrated_channel_aliases) {
    out.migrated_.push_back(
        TRY(parse_location(old, surroundings).context("in migrated_channel_aliases")));
  }
  for (const auto& [name, location] : settings.custom_channels) {
    ChannelUrl place =
        TRY(parse_location(location, surroundings).context("in custom_channels, {}", name));
    out.by_name_.emplace(name, out.custom_.size());
    out.by_url_.emplace(joined_url(place.base, name), out.custom_.size());
    out.custom_.push_back({name, std::move(place)});
  }
  return out;
}

Result<ChannelUrl> ChannelPlaces::find(std::string_view name) const {
  const std::size_t* const custom = longest(by_name_, name);
  const ChannelUrl& location = custom != nullptr ? custom_[*custom].location : alias_;
  ChannelUrl url = TRY(parse_channel_url(joined_url(location.base, name))
                           .context("in the channel's name {}", printable(name)));
  url.credential = location.credential;
  return url;
}

void ChannelPlaces::migrate(ChannelUrl& url) const {
  for (const ChannelUrl& from : migrated_) {
    if (const auto name = url_behind(url.base, from.base); name && !name->empty()) {
      url.base = joined_url(alias_.base, *name);
      url.credential = url.credential.empty() ? alias_.credential : url.credential;
      return;
    }
  }
}

std::string ChannelPlaces::name_of(ChannelUrl& url) const {
  const auto below = [&url](const ChannelUrl& place) {
    std::string name(url_behind(url.base, place.base).value_or(std::string_view()));
    if (!name.empty() && url.credential.empty()) {
      url.credential = place.credential;
    }
    return name;
  };
  if (const std::size_t* const custom = longest(by_url_, url.base)) {
    if (std::string name = below(custom_[*custom].location); !name.empty()) {
      return name;
    }
  }
  if (const auto name = url_behind(url.base, kAnaconda); name && name->starts_with("pkgs/")) {
    return std::string(*name);
  }
  const std::string name = below(alias_);
  return name.empty() ? url.base : name;
}

}  // namespace cloche::source
