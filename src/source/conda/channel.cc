#include "source/conda/channel.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/credentials.h"
#include "core/text.h"
#include "source/conda/channel_url.h"

namespace cloche::source {
namespace {

constexpr int kMaxNesting = 8;  // of multichannels in multichannels
constexpr std::size_t kMaxChannels = 1000;
constexpr std::string_view kAnaconda = "https://repo.anaconda.com";  // of the default channels

std::string joined(std::string location, std::string_view name) {
  while (location.ends_with('/')) {
    location.pop_back();
  }
  return name.empty() ? location : location + "/" + std::string(name);
}

// What stands behind `prefix` in a URL, when that is a prefix of whole components.
std::optional<std::string_view> behind(std::string_view url, std::string_view prefix) {
  if (!url.starts_with(prefix)) {
    return std::nullopt;
  }
  url.remove_prefix(prefix.size());
  if (url.empty()) {
    return url;
  }
  return url.starts_with('/') ? std::optional(url.substr(1)) : std::nullopt;
}

class Resolver {
 public:
  Resolver(const ChannelSettings& settings, const Surroundings& surroundings,
           Credentials& credentials)
      : settings_(settings), surroundings_(surroundings), credentials_(credentials) {}

  // Adds what one text means to the list.
  Status resolve(std::string_view text, std::vector<Channel>& out,
                 const std::vector<std::string>& within = {}) {
    text = trim(text);
    if (text == "nodefaults") {
      return {};
    }
    if (text.empty()) {
      return fail(ErrorKind::kInvalid, "a channel's name is empty");
    }
    if (has_scheme(text) || is_path(text)) {
      ChannelUrl url = TRY(has_scheme(text) ? parse_channel_url(text)
                                            : channel_url_of_path(text, surroundings_));
      return add(TRY(of_url(url)), out, within);
    }
    if (const std::vector<std::string>* members = multichannel(text)) {
      return resolve_members(text, *members, out, within);
    }
    if (text == "local") {
      return fail(ErrorKind::kUnsupported,
                  "the channel \"local\" is conda-build's output folder on its own machine")
          .with_hint("name that folder as a path: ./conda-bld");
    }
    return add(TRY(of_name(text)), out, within);
  }

 private:
  const std::vector<std::string>* multichannel(std::string_view name) const {
    for (const auto& [known, members] : settings_.custom_multichannels) {
      if (known == name) {
        return &members;
      }
    }
    return name == "defaults" ? &settings_.default_channels : nullptr;
  }

  Status resolve_members(std::string_view name, const std::vector<std::string>& members,
                         std::vector<Channel>& out, std::vector<std::string> within) {
    const bool circle = std::ranges::find(within, name) != within.end();
    if (circle || within.size() >= kMaxNesting) {
      return fail(ErrorKind::kInvalid, "the multichannel {} contains itself", printable(name))
          .with_hint("see custom_multichannels and default_channels in .condarc");
    }
    within.emplace_back(name);
    for (const std::string& member : members) {
      TRY(resolve(member, out, within).context("in the multichannel {}", name));
    }
    return {};
  }

  // "conda-forge", "conda-forge/label/dev", "conda-forge/linux-64".
  Result<Channel> of_name(std::string_view name) {
    ChannelUrl location = TRY(parse_location(location_for(name)));
    ChannelUrl url = TRY(parse_channel_url(joined(location.base, name))
                             .context("in the channel's name {}", printable(name)));
    url.credential = location.credential;
    return of_url(url);
  }

  // custom_channels may name "a/b" or "a" for the channel "a/b/c": the longest counts.
  std::string location_for(std::string_view name) const {
    for (std::string_view part = name; !part.empty();
         part = part.substr(0, part.find('/') == std::string_view::npos ? 0 : part.rfind('/'))) {
      for (const auto& [known, location] : settings_.custom_channels) {
        if (known == part) {
          return location;
        }
      }
    }
    return settings_.channel_alias;
  }

  // Where channels may stand below: a URL, a path, or a bare "host/path" as older .condarc have it.
  Result<ChannelUrl> parse_location(const std::string& location) const {
    if (is_path(location)) {
      return channel_url_of_path(location, surroundings_);
    }
    return parse_channel_url(has_scheme(location) ? location : "https://" + location);
  }

  Result<Channel> of_url(ChannelUrl url) {
    TRY(migrate(url));
    Channel channel;
    channel.url = url.base;
    channel.name = TRY(name_of(url));
    if (!url.subdir.empty()) {
      channel.subdirs = {url.subdir};
    }
    credentials_.add(channel.url, url.credential);
    TRY(set_mirrors(channel));
    TRY(check_allowed(channel));
    return channel;
  }

  // A URL below a place that channels have moved away from is below channel_alias now.
  Status migrate(ChannelUrl& url) const {
    for (const std::string& old : settings_.migrated_channel_aliases) {
      const ChannelUrl from = TRY(parse_location(old));
      if (const auto name = behind(url.base, from.base); name && !name->empty()) {
        const ChannelUrl alias = TRY(parse_location(settings_.channel_alias));
        url.base = joined(alias.base, *name);
        url.credential = url.credential.empty() ? alias.credential : url.credential;
        return {};
      }
    }
    return {};
  }

  // The shortest name under which the same place could have been written. Takes the credentials of
  // the place's own setting where the URL has none.
  Result<std::string> name_of(ChannelUrl& url) const {
    for (const auto& [name, location] : settings_.custom_channels) {
      const ChannelUrl place = TRY(parse_location(location));
      if (behind(url.base, joined(place.base, name))) {
        url.credential = url.credential.empty() ? place.credential : url.credential;
        return std::string(behind(url.base, place.base).value_or(name));
      }
    }
    if (const auto name = behind(url.base, kAnaconda); name && name->starts_with("pkgs/")) {
      return std::string(*name);
    }
    const ChannelUrl alias = TRY(parse_location(settings_.channel_alias));
    if (const auto name = behind(url.base, alias.base); name && !name->empty()) {
      url.credential = url.credential.empty() ? alias.credential : url.credential;
      return std::string(*name);
    }
    return url.base;
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
        const ChannelUrl mirror = TRY(parse_location(text));
        credentials_.add(mirror.base, mirror.credential);
        channel.mirrors.push_back(mirror.base);
      }
    }
    if (channel.mirrors.empty()) {
      channel.mirrors = {channel.url};
    }
    return {};
  }

  Status check_allowed(const Channel& channel) const {
    if (!settings_.allowlist_channels.empty() &&
        !TRY(is_listed(channel, settings_.allowlist_channels))) {
      return fail(ErrorKind::kPermission, "the channel {} is not among allowlist_channels",
                  channel.name)
          .with_hint("allowed by " + settings_.lists_from + ": " +
                     join(settings_.allowlist_channels, ", "));
    }
    if (TRY(is_listed(channel, settings_.denylist_channels))) {
      return fail(ErrorKind::kPermission, "the channel {} is among denylist_channels", channel.name)
          .with_hint("forbidden by " + settings_.lists_from);
    }
    return {};
  }

  Result<bool> is_listed(const Channel& channel, const std::vector<std::string>& list) const {
    // Without lists of its own, and with credentials that nobody asks for.
    ChannelSettings plain = settings_;
    plain.allowlist_channels.clear();
    plain.denylist_channels.clear();
    Credentials unused;
    for (const std::string& text : list) {
      std::vector<Channel> meant;
      TRY(Resolver(plain, surroundings_, unused).resolve(text, meant));
      if (std::ranges::find(meant, channel.url, &Channel::url) != meant.end()) {
        return true;
      }
    }
    return false;
  }

  static Status add(Channel channel, std::vector<Channel>& out,
                    const std::vector<std::string>& within) {
    channel.aliases = within;
    const auto same = std::ranges::find(out, channel.url, &Channel::url);
    if (same != out.end()) {
      return merge(std::move(channel), *same);
    }
    if (out.size() >= kMaxChannels) {
      return fail(ErrorKind::kInvalid, "more than {} channels", kMaxChannels);
    }
    out.push_back(std::move(channel));
    return {};
  }

  // Named twice: the earlier place counts, with the subdirs of both.
  static Status merge(Channel channel, Channel& into) {
    if (channel.subdirs.empty() || into.subdirs.empty()) {
      into.subdirs.clear();
    } else {
      into.subdirs.insert(into.subdirs.end(), channel.subdirs.begin(), channel.subdirs.end());
    }
    for (std::string& alias : channel.aliases) {
      if (!into.is_called(alias)) {
        into.aliases.push_back(std::move(alias));
      }
    }
    return {};
  }

  const ChannelSettings& settings_;
  const Surroundings& surroundings_;
  Credentials& credentials_;
};

}  // namespace

std::string Channel::path() const { return path_of_file_url(url); }

bool Channel::is_called(std::string_view text) const {
  while (text.ends_with('/')) {
    text.remove_suffix(1);
  }
  return text == name || text == url || std::ranges::find(aliases, text) != aliases.end();
}

Result<std::vector<Channel>> resolve_channels(std::span<const std::string> texts,
                                              const ChannelSettings& settings,
                                              const Surroundings& surroundings,
                                              Credentials& credentials) {
  std::vector<Channel> out;
  Resolver resolver(settings, surroundings, credentials);
  for (const std::string& text : texts) {
    TRY(resolver.resolve(text, out));
  }
  return out;
}

std::vector<io::HttpUrl> request_urls(const Channel& channel, std::string_view url,
                                      const Credentials& credentials) {
  const auto rest = behind(url, channel.url);
  if (!rest || channel.mirrors.empty()) {
    return {credentials.authorize(url)};
  }
  std::vector<io::HttpUrl> out;
  out.reserve(channel.mirrors.size());
  for (const std::string& mirror : channel.mirrors) {
    out.push_back(credentials.authorize(joined(mirror, *rest)));
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
