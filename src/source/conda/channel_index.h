// From a channel's repodata.json on disk to an open index, which is made when it is not there yet.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "source/conda/provider.h"
#include "source/conda/repodata_fetch.h"
#include "source/conda/repodata_index.h"

namespace cloche::source {

// Opens the index of a repodata file, which is kept in `directory` under the file's digest; makes
// it first when it is missing or of another version, and removes the ones of the file's
// predecessors. Any number of threads and processes at once: the same bytes are made, and renamed
// into place. kCorrupt: the repodata is damaged (repodata_parser.h). kUnavailable: the disk is
// full.
Result<RepodataIndex> open_index(const RepodataFile& file, const std::string& directory);

// Fetches and opens all subdirs, indexes being made in parallel, and puts them together by channel,
// in the channels' order. A channel that offers shards (CEP 16) is read name by name as solving
// reaches them; the progress then outlives the result. A damaged cached copy is fetched once more
// before it is an error, which names the channel.
struct ChannelRequest {
  std::span<const Channel> channels;
  std::span<const Channel> named;  // used only for specs that name them
  std::string platform;
  RepodataOptions options;
  std::string index_directory;
  std::string shard_directory;
  io::HttpClient& client;  // for shards, as the next: they outlive the channels that are opened
  const Credentials& credentials;
};
Result<std::vector<ProviderChannel>> open_channels(const ChannelRequest& request,
                                                   RepodataCache& cache,
                                                   const std::stop_token& stop, Progress& progress,
                                                   Diagnostics& diagnostics);

}  // namespace cloche::source
