#include "source/conda/channel_index.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "io/decompress.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/temporary.h"
#include "source/conda/local_repodata.h"
#include "source/conda/repodata_index_builder.h"
#include "source/conda/repodata_parser.h"
#include "source/conda/sharded_index.h"
#include "source/conda/sharded_source.h"

namespace cloche::source {

namespace {

// The channel and subdir in few letters, so that an index's predecessors are known by their name.
std::string place_key(const RepodataFile& file) {
  return Digest::of(file.channel.url + "/" + file.subdir).hex().substr(0, 16);
}

std::string index_name(const RepodataFile& file) {
  return fmt::format("{}-{}-v{}.idx", place_key(file), file.content_key.substr(0, 32),
                     index_layout::kVersion);
}

Status make_index(const RepodataFile& file, const std::string& directory, const std::string& path) {
  io::FileReader source = TRY(io::FileReader::open(file.path));
  const std::unique_ptr<io::Reader> text = io::decompress(source, file.compression);
  RepodataIndexBuilder builder;
  constexpr std::uint64_t kUsualRatio = 8;  // of compressed repodata
  const bool plain = file.compression == io::Compression::kNone;
  builder.expect(file.size_bytes * (plain ? 1 : kUsualRatio));
  TRY(parse_repodata(*text, file.subdir, builder));
  TRY(io::make_directories(directory));
  io::TemporaryFile out = TRY(io::TemporaryFile::create(directory));
  TRY(std::move(builder).finish([&](std::string_view piece) { return out.write(piece); }));
  if (file.channel.is_local()) {
    TRY(check_unchanged(file));
  }
  return std::move(out).rename_to(path);
}

// What cannot be removed stays: it costs space, nothing else.
void remove_predecessors(const RepodataFile& file, const std::string& directory) {
  const std::string prefix = place_key(file) + "-";
  const std::string current = index_name(file);
  const auto entries = io::DiskFiles().list(directory);
  if (!entries) {
    return;
  }
  for (const FileEntry& entry : *entries) {
    if (entry.name.starts_with(prefix) && entry.name != current) {
      unlink((directory + "/" + entry.name).c_str());
    }
  }
}

Result<ShardedIndex> open_shards(const RepodataFile& file, const ChannelRequest& request) {
  return ShardedIndex::open(file, request.shard_directory, request.client, request.credentials,
                            request.options.offline);
}

std::string place_text(const RepodataFile& file) {
  return fmt::format("{}/{}", file.channel.name, file.subdir);
}

bool is_damaged(const Result<RepodataIndex>& index) {
  return !index && index.error().kind == ErrorKind::kCorrupt;
}

// The channel's new file is damaged however often it is asked for; `age` is that of the copy before
// it, if there is one.
Error damaged_twice(Error error, const std::string& age) {
  if (!age.empty()) {
    error.hint += fmt::format("{}there is an earlier copy, {} old: --offline uses it",
                              error.hint.empty() ? "" : "; ", age);
  }
  return error;
}

// One file after the other on each of two threads: the two big ones of a channel are made at once.
std::vector<Result<RepodataIndex>> open_all(std::span<const RepodataFile> files,
                                            const std::string& directory, Progress& progress) {
  std::vector<Result<RepodataIndex>> out;
  out.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    out.emplace_back(fail(ErrorKind::kInternal, "not opened"));
  }
  progress.begin("reading channels", files.size(), Progress::Unit::kItems);
  const auto open_every_second = [&](std::size_t from) {
    for (std::size_t i = from; i < files.size(); i += 2) {
      if (!files[i].missing && !files[i].sharded) {
        out[i] = open_index(files[i], directory);
      }
      progress.advance("reading channels", 1, place_text(files[i]));
    }
  };
  const bool made = std::ranges::all_of(files, [&](const RepodataFile& file) {
    return file.missing || file.sharded ||
           access((directory + "/" + index_name(file)).c_str(), R_OK) == 0;
  });
  if (made || files.size() < 2) {
    open_every_second(0);
    open_every_second(1);
  } else {
    const std::jthread other([&] { open_every_second(1); });
    open_every_second(0);
  }
  progress.end("reading channels");
  return out;
}

}  // namespace

Result<RepodataIndex> open_index(const RepodataFile& file, const std::string& directory) {
  const std::string path = directory + "/" + index_name(file);
  if (auto known = RepodataIndex::open(path)) {
    return known;
  }
  TRY(make_index(file, directory, path).context("in the repodata of {}", place_text(file)));
  remove_predecessors(file, directory);
  return RepodataIndex::open(path);
}

Result<std::vector<ProviderChannel>> open_channels(const ChannelRequest& request,
                                                   RepodataCache& cache,
                                                   const std::stop_token& stop, Progress& progress,
                                                   Diagnostics& diagnostics) {
  std::vector<Channel> channels(request.channels.begin(), request.channels.end());
  channels.insert(channels.end(), request.named.begin(), request.named.end());
  const std::vector<ChannelSubdir> subdirs = channel_subdirs(channels, request.platform);
  std::vector<RepodataFile> files =
      TRY(cache.fetch(subdirs, request.options, stop, progress, diagnostics));
  std::vector<Result<RepodataIndex>> indexes = open_all(files, request.index_directory, progress);

  std::optional<Error> damaged;  // the first; all of them are discarded
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (is_damaged(indexes[i]) && !files[i].channel.is_local() && !request.options.offline) {
      TRY(cache.discard(files[i]));
      RepodataOptions again = request.options;
      again.refresh = true;
      files[i] = TRY(cache.fetch(std::span(&subdirs[i], 1), again, stop, progress, diagnostics))[0];
      indexes[i] = open_index(files[i], request.index_directory);
      if (is_damaged(indexes[i])) {
        Error error = damaged_twice(indexes[i].error(), TRY(cache.discard(files[i])));
        damaged = damaged ? std::move(damaged) : std::optional(std::move(error));
      }
    }
  }
  if (damaged) {
    return *damaged;
  }

  std::vector<ProviderChannel> out;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    ProviderChannel channel;
    channel.name = channels[i].name;
    channel.url = channels[i].url;
    channel.aliases = channels[i].aliases;
    channel.only_when_named = i >= request.channels.size();
    out.push_back(std::move(channel));
  }
  const auto group = std::make_shared<ShardGroup>(stop, progress);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].missing) {
      continue;
    }
    const auto channel = std::ranges::find(out, files[i].channel.url, &ProviderChannel::url);
    if (files[i].sharded) {
      auto shards = open_shards(files[i], request);
      if (!shards && shards.error().kind == ErrorKind::kCorrupt && !request.options.offline) {
        TRY(cache.discard(files[i]));
        files[i] = TRY(cache.fetch(std::span(&subdirs[i], 1), request.options, stop, progress,
                                   diagnostics))[0];
        shards = open_shards(files[i], request);
      }
      channel->subdirs.push_back(std::make_unique<ShardedSource>(group, TRY(std::move(shards))));
      continue;
    }
    if (!indexes[i]) {
      return indexes[i].error();
    }
    channel->subdirs.push_back(std::make_unique<IndexSource>(std::move(*indexes[i])));
  }
  return out;
}

}  // namespace cloche::source
