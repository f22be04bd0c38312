// Channels: from what a definition writes ("conda-forge", "defaults", a URL, a path) to where they
// are (CEP 26, "Identifying channels"; conda: conda/models/channel.py; docs/formats/channels.md).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "source/conda/condarc.h"
#include "source/conda/credentials.h"
#include "source/conda/surroundings.h"

namespace cloche::source {

struct Channel {
  std::string name;  // to show: "conda-forge", "pkgs/main", or the URL
  std::string url;   // its identity: no credentials, no subdir, no final slash; may be file://
  std::vector<std::string> mirrors;  // where to ask, in order, in the form of `url`; never empty
  std::vector<std::string> subdirs;  // the only ones wanted ("conda-forge/linux-64"); empty: all
  std::vector<std::string> aliases;  // multichannels it is part of: "defaults"

  bool is_local() const { return url.starts_with("file://"); }
  // The directory of a local channel.
  std::string path() const;
  // Whether a MatchSpec's channel ("defaults", "pkgs/main", a URL) means this one.
  bool is_called(std::string_view text) const;

  bool operator==(const Channel&) const = default;
};

// The channels in their order, multichannels in place of their name, each once, "nodefaults" left
// out. Credentials found in URLs go to `credentials`.
// kInvalid: a text that is no channel, with the reason; kUnsupported: "local", s3://, oci://,
// ftp://; kPermission: what .condarc's allowlist_channels or denylist_channels rule out.
Result<std::vector<Channel>> resolve_channels(std::span<const std::string> texts,
                                              const ChannelSettings& settings,
                                              const Surroundings& surroundings,
                                              Credentials& credentials);

// Where to ask for something of the channel that stands at `url`: at each mirror for what is below
// the channel's own URL, else there alone; with credentials.
std::vector<io::HttpUrl> request_urls(const Channel& channel, std::string_view url,
                                      const Credentials& credentials);

struct ChannelSubdir {
  Channel channel;
  std::string subdir;

  std::string url() const { return channel.url + "/" + subdir; }
};

// What a solve for a platform has to read: of each channel the platform's subdir and noarch.
std::vector<ChannelSubdir> channel_subdirs(std::span<const Channel> channels,
                                           std::string_view platform);

}  // namespace cloche::source
