// .condarc, read for channels only: everything else in it is ignored without noise (conda:
// conda/base/context.py; docs/formats/channels.md).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "io/http_client.h"
#include "package/conda/channel_priority.h"
#include "source/conda/surroundings.h"

namespace cloche::source {

using conda::ChannelPriority;

// What the files and the environment say about channels; unset where they are silent. Lists and
// maps are in order: of a key that stands twice the first counts.
struct ChannelSettings {
  using Named = std::vector<std::pair<std::string, std::string>>;
  using NamedLists = std::vector<std::pair<std::string, std::vector<std::string>>>;

  std::string channel_alias = "https://conda.anaconda.org";
  std::vector<std::string> channels;
  std::vector<std::string> default_channels = {"https://repo.anaconda.com/pkgs/main",
                                               "https://repo.anaconda.com/pkgs/r"};
  Named custom_channels = {{"pkgs/pro", "https://repo.anaconda.com"}};
  NamedLists custom_multichannels;
  NamedLists mirrored_channels;  // mamba's: name -> URLs
  std::vector<std::string> migrated_channel_aliases;
  std::vector<std::string> allowlist_channels;
  std::vector<std::string> denylist_channels;
  std::string lists_from;  // the file with the allow or deny list, for messages

  // Ours is strict where nobody says otherwise; conda's own default is flexible.
  std::optional<conda::ChannelPriority> channel_priority;
  std::optional<bool> add_pip_as_python_dependency;  // conda and mamba: true
  std::optional<bool> override_channels_enabled;     // conda: true
  std::optional<bool> offline;
  std::optional<bool> use_sharded_repodata;

  // "true", "false", or the path of a CA file or folder; "" where nobody says.
  std::string ssl_verify;
  std::map<std::string, std::string> proxy_servers;  // "http", "https", "https://host", "all"
  std::optional<double> remote_connect_timeout_s;
  std::optional<double> remote_read_timeout_s;
  std::optional<int> remote_max_retries;
  std::optional<double> remote_backoff_factor;

  // Settings that a file marked "#!final": files after it and the environment do not change them.
  std::set<std::string, std::less<>> final_keys;
};

// One file's settings over those of files that count less: lists are put in front, maps are
// overlaid, single values replaced. ${VARIABLES} of `surroundings` are expanded where conda does.
// kInvalid with place and excerpt: malformed YAML, a known key with a value of another form.
Status apply_condarc(std::string_view text, const std::string& file,
                     const Surroundings& surroundings, ChannelSettings& settings);

// CONDA_CHANNEL_ALIAS, CONDA_CHANNELS, CONDA_CHANNEL_PRIORITY, ...: they count most.
Status apply_environment(const Surroundings& surroundings, ChannelSettings& settings);

// The files conda would read, the ones that count less first; directories (condarc.d/) end in '/'.
std::vector<std::string> condarc_search_path(const Surroundings& surroundings);

// All of it. A file that does not exist is skipped; one that cannot be read is an error.
Result<ChannelSettings> read_channel_settings(const Surroundings& surroundings, FileSource& files);

// The part that the HTTP client needs, over what the environment said (io::http_options()).
void apply_to(io::HttpOptions& options, const ChannelSettings& settings);

}  // namespace cloche::source
