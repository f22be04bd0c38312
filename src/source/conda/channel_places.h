// Where channels stand by name, and what a place is called: channel_alias, custom_channels,
// migrated_channel_aliases, read once. For channel.cc only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "source/conda/channel_url.h"
#include "source/conda/condarc.h"
#include "source/conda/surroundings.h"

namespace cloche::source {

// A URL, a path, or a bare "host/path" as older .condarc have it: what channels stand below.
Result<ChannelUrl> parse_location(const std::string& location, const Surroundings& surroundings);

class ChannelPlaces {
 public:
  // kInvalid, kUnsupported: a setting that is no place.
  static Result<ChannelPlaces> read(const ChannelSettings& settings,
                                    const Surroundings& surroundings);

  // "conda-forge", "conda-forge/label/dev/linux-64": custom_channels may name "a/b" or "a" for the
  // channel "a/b/c", and the longest counts; else it is below channel_alias.
  Result<ChannelUrl> find(std::string_view name) const;

  // A URL below a place that channels have moved away from is below channel_alias now.
  void migrate(ChannelUrl& url) const;

  // The shortest name under which the same place could have been written, or the URL. Adds the
  // credentials of that place's setting where the URL has none.
  std::string name_of(ChannelUrl& url) const;

 private:
  struct Custom {
    std::string name;
    ChannelUrl location;
  };

  ChannelUrl alias_;
  std::vector<ChannelUrl> migrated_;
  std::vector<Custom> custom_;
  std::map<std::string, std::size_t, std::less<>> by_name_;  // into custom_
  std::map<std::string, std::size_t, std::less<>> by_url_;   // of the channel itself
};

// `name` below `location`, with one slash between.
std::string joined_url(std::string location, std::string_view name);

// What stands behind `prefix` in a URL, when that is a prefix of whole components; else nothing.
std::optional<std::string_view> url_behind(std::string_view url, std::string_view prefix);

}  // namespace cloche::source
