#include "source/conda/channel.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/text.h"
#include "source/conda/channel_places.h"
#include "source/conda/channel_url.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxNesting = 8;  // of multichannels in multichannels
constexpr std::size_t kMaxChannels = 1000;

using Urls = std::set<std::string, std::less<>>;

const std::vector<std::string>* multichannel(const ChannelSettings& settings,
                                             std::string_view name) {
  const auto found =
      std::ranges::find(settings.custom_multichannels, name,
                        [](const auto& entry) -> std::string_view { return entry.first; });
  if (found != settings.custom_multichannels.end()) {
    return &found->second;
  }
  return name == "defaults" ? &settings.default_channels : nullptr;
}

// Credentials that turn up go to `credentials`; without any they are dropped.
class Resolver {
 public:
  Resolver(const ChannelSettings& settings, const Surroundings& surroundings,
           const ChannelPlaces& places, Credentials* credentials)
      : settings_(settings),
        surroundings_(surroundings),
        places_(places),
        credentials_(credentials) {}

  Status resolve_all(std::span<const std::string> texts) {
    for (const std::string& text : texts) {
      TRY(resolve(text, {}));
    }
    return {};
  }

  std::vector<Channel> take() && { return std::move(channels_); }

 private:
  // Adds what one text means, which was reached through the multichannels `within`.
  Status resolve(std::string_view text, const std::vector<std::string>& within) {
    text = trim(text);
    if (text == "nodefaults") {
      return {};
    }
    if (text.empty()) {
      return fail(ErrorKind::kInvalid, "a channel's name is empty");
    }
    if (has_scheme(text)) {
      return add(TRY(parse_channel_url(text)), within);
    }
    if (is_path(text)) {
      return add(TRY(channel_url_of_path(text, surroundings_)), within);
    }
    if (const std::vector<std::string>* members = multichannel(settings_, text)) {
      return resolve_members(text, *members, within);
    }
    if (text == "local") {
      return fail(ErrorKind::kUnsupported,
                  "the channel \"local\" is conda-build's output folder on its own machine")
          .with_hint("name that folder as a path: ./conda-bld");
    }
    return add(TRY(places_.find(text)), within);
  }

  Status resolve_members(std::string_view name, const std::vector<std::string>& members,
                         std::vector<std::string> within) {
    const bool circle = std::ranges::find(within, name) != within.end();
    if (circle || within.size() >= kMaxNesting) {
      return fail(ErrorKind::kInvalid, "the multichannel {} contains itself", printable(name))
          .with_hint("see custom_multichannels and default_channels in .condarc");
    }
    if (!expanded_.emplace(name).second) {
      return {};  // its channels are there; a thousand lists of a thousand lists stay bounded
    }
    within.emplace_back(name);
    for (const std::string& member : members) {
      TRY(resolve(member, within).context("in the multichannel {}", name));
    }
    return {};
  }

  Status add(ChannelUrl url, const std::vector<std::string>& within) {
    places_.migrate(url);
    Channel channel;
    channel.url = url.base;
    channel.name = places_.name_of(url);
    channel.aliases = within;
    if (!url.subdir.empty()) {
      channel.subdirs = {url.subdir};
    }
    if (const auto same = by_url_.find(channel.url); same != by_url_.end()) {
      merge(std::move(channel), channels_[same->second]);
      return {};
    }
    if (channels_.size() >= kMaxChannels) {
      return fail(ErrorKind::kInvalid, "more than {} channels", kMaxChannels);
    }
    remember(channel.url, url.credential);
    TRY(set_mirrors(channel));
    by_url_.emplace(channel.url, channels_.size());
    channels_.push_back(std::move(channel));
    return {};
  }

  // Named twice: the earlier place counts, with the subdirs of both.
  static void merge(Channel channel, Channel& into) {
    if (channel.subdirs.empty() || into.subdirs.empty()) {
      into.subdirs.clear();
    } else if (std::ranges::find(into.subdirs, channel.subdirs.front()) == into.subdirs.end()) {
      into.subdirs.push_back(std::move(channel.subdirs.front()));
    }
    for (std::string& alias : channel.aliases) {
      if (!into.is_called(alias)) {
        into.aliases.push_back(std::move(alias));
      }
    }
  }

  Status set_mirrors(Channel& channel) {
    for (const auto& [name, urls] : settings_.mirrored_channels) {
      if (name != channel.name) {
        continue;
      }
      for (const std::string& text : urls) {
        if (text.starts_with("oci:")) {
          continue;  // mamba reads channels from container registries; the others do as well
        }
        const ChannelUrl mirror =
            TRY(parse_location(text, surroundings_).context("in mirrored_channels, {}", name));
        remember(mirror.base, mirror.credential);
        channel.mirrors.push_back(mirror.base);
      }
    }
    if (channel.mirrors.empty()) {
      channel.mirrors = {channel.url};
    }
    return {};
  }

  void remember(const std::string& url, const Credential& credential) {
    if (credentials_ != nullptr) {
      credentials_->add(url, credential);
    }
  }

  const ChannelSettings& settings_;
  const Surroundings& surroundings_;
  const ChannelPlaces& places_;
  Credentials* credentials_;
  std::vector<Channel> channels_;
  std::map<std::string, std::size_t> by_url_;
  std::set<std::string, std::less<>> expanded_;  // multichannels
};

// The URLs of what a list of channels means.
Result<Urls> urls_of(std::span<const std::string> texts, const ChannelSettings& settings,
                     const Surroundings& surroundings, const ChannelPlaces& places) {
  Resolver resolver(settings, surroundings, places, nullptr);
  TRY(resolver.resolve_all(texts));
  Urls out;
  for (Channel& channel : std::move(resolver).take()) {
    out.insert(std::move(channel.url));
  }
  return out;
}

Status check_allowed(std::span<const Channel> channels, const ChannelSettings& settings,
                     const Surroundings& surroundings, const ChannelPlaces& places) {
  const Urls allowed = TRY(urls_of(settings.allowlist_channels, settings, surroundings, places)
                               .context("in allowlist_channels"));
  const Urls denied = TRY(urls_of(settings.denylist_channels, settings, surroundings, places)
                              .context("in denylist_channels"));
  for (const Channel& channel : channels) {
    if (!settings.allowlist_channels.empty() && !allowed.contains(channel.url)) {
      return fail(ErrorKind::kPermission, "the channel {} is not among allowlist_channels",
                  channel.name)
          .with_hint("what is allowed stands in " + settings.lists_from);
    }
    if (denied.contains(channel.url)) {
      return fail(ErrorKind::kPermission, "the channel {} is among denylist_channels", channel.name)
          .with_hint("what is forbidden stands in " + settings.lists_from);
    }
  }
  return {};
}

// conda's canonical names: what a multichannel lists is called by its name too, however it was
// written ("defaults::numpy" for a channel named by its URL).
void add_aliases(std::vector<Channel>& channels, const ChannelSettings& settings,
                 const Surroundings& surroundings, const ChannelPlaces& places) {
  const auto add = [&](const std::string& name, std::span<const std::string> members) {
    std::vector<std::string> direct;  // lists within it have their own turn
    std::ranges::copy_if(members, std::back_inserter(direct), [&](const std::string& member) {
      return multichannel(settings, trim(member)) == nullptr && trim(member) != "local";
    });
    const auto urls = urls_of(direct, settings, surroundings, places);
    if (!urls) {
      return;  // nobody asked for this one: it is an error where it is used
    }
    for (Channel& channel : channels) {
      if (urls->contains(channel.url) && !channel.is_called(name)) {
        channel.aliases.push_back(name);
      }
    }
  };
  add("defaults", settings.default_channels);
  for (const auto& [name, members] : settings.custom_multichannels) {
    add(name, members);
  }
}

}  // namespace

std::string Channel::path() const { return path_of_file_url(url); }

bool Channel::is_called(std::string_view text) const {
  const auto same = [this](std::string_view one) {
    return one == name || one == url || std::ranges::find(aliases, one) != aliases.end();
  };
  if (same(text)) {  // "file:///", the root itself, keeps its slash
    return true;
  }
  while (text.ends_with('/')) {
    text.remove_suffix(1);
  }
  return same(text);
}

Result<std::vector<Channel>> resolve_channels(std::span<const std::string> texts,
                                              const ChannelSettings& settings,
                                              const Surroundings& surroundings,
                                              Credentials& credentials) {
  const ChannelPlaces places = TRY(ChannelPlaces::read(settings, surroundings));
  Resolver resolver(settings, surroundings, places, &credentials);
  TRY(resolver.resolve_all(texts));
  std::vector<Channel> channels = std::move(resolver).take();
  TRY(check_allowed(channels, settings, surroundings, places));
  add_aliases(channels, settings, surroundings, places);
  return channels;
}

std::vector<io::HttpUrl> request_urls(const Channel& channel, std::string_view url,
                                      const Credentials& credentials) {
  const auto rest = url_behind(url, channel.url);
  if (!rest || channel.mirrors.empty()) {
    return {credentials.authorize(url)};
  }
  std::vector<io::HttpUrl> out;
  out.reserve(channel.mirrors.size());
  for (const std::string& mirror : channel.mirrors) {
    out.push_back(credentials.authorize(joined_url(mirror, *rest)));
  }
  return out;
}

std::vector<ChannelSubdir> channel_subdirs(std::span<const Channel> channels,
                                           std::string_view platform) {
  std::vector<ChannelSubdir> out;
  for (const Channel& channel : channels) {
    for (const std::string_view subdir : {platform, std::string_view("noarch")}) {
      const bool wanted = channel.subdirs.empty() ||
                          std::ranges::find(channel.subdirs, subdir) != channel.subdirs.end();
      if (wanted && (subdir != "noarch" || platform != "noarch" || out.empty() ||
                     out.back().channel.url != channel.url)) {
        out.push_back({channel, std::string(subdir)});
      }
    }
  }
  return out;
}

}  // namespace cloche::source
