#include "source/conda/repodata_fetch.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check.h"
#include "core/files.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/http_sink.h"
#include "io/temporary.h"
#include "source/conda/local_repodata.h"
#include "source/conda/repodata_state.h"
#include "source/conda/repodata_variant.h"

namespace cloche::source {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kMsPerMinute = 60'000;
constexpr std::int64_t kMsPerHour = 60 * kMsPerMinute;
constexpr std::int64_t kMsPerDay = 24 * kMsPerHour;
// How long it is believed that a server has no such variant (conda's has_zst: 14 days).
constexpr std::int64_t kAbsentMs = 14 * kMsPerDay;
constexpr std::int64_t kMissingMaxAgeSeconds =
    std::int64_t{20} * 60;  // of a subdir that is not there
constexpr std::int64_t kNoShardsMaxAgeSeconds = std::int64_t{24} * 3600;
constexpr std::uint64_t kMaxRepodataBytes = std::uint64_t{2} << 30U;

// What a person may have meant by the name of a channel that does not exist.
constexpr std::array<std::string_view, 14> kWellKnown{
    "conda-forge", "bioconda", "defaults", "main",  "anaconda", "pytorch", "nvidia",
    "rapidsai",    "dglteam",  "pyg",      "intel", "r",        "fastai",  "huggingface"};

std::string age_text(std::int64_t ms) {
  if (ms < 2 * kMsPerHour) {
    return fmt::format("{} minutes", std::max<std::int64_t>(0, ms / kMsPerMinute));
  }
  return ms < 2 * kMsPerDay ? fmt::format("{} hours", ms / kMsPerHour)
                            : fmt::format("{} days", ms / kMsPerDay);
}

// One subdir on its way to a file.
struct Item {
  const ChannelSubdir* want = nullptr;
  RepodataPlace place;
  RepodataState state;
  bool sharded = false;  // asking for the index of shards; without one, it goes on with repodata
  bool cached = false;   // the state's file (or its "missing") can be used
  std::vector<RepodataVariant> left;  // still to be asked for, first to last
  bool asked_all = false;             // `left` began with every variant
  std::optional<Error> refused;       // why a variant was not given, when it was not a plain 404

  std::optional<io::TemporaryFile> file;
  std::unique_ptr<io::FileSink> sink;

  std::optional<Result<RepodataFile>> result;
};

class Fetch {
 public:
  Fetch(const std::string& directory, const Credentials& credentials,
        const RepodataOptions& options, std::int64_t now_ms, Diagnostics& diagnostics)
      : directory_(directory),
        credentials_(credentials),
        options_(options),
        now_ms_(now_ms),
        diagnostics_(diagnostics) {}

  Result<std::vector<RepodataFile>> run(std::span<const ChannelSubdir> subdirs,
                                        io::HttpClient& client, const std::stop_token& stop,
                                        Progress& progress) {
    for (const ChannelSubdir& want : subdirs) {
      items_.emplace_back();
      items_.back().want = &want;
      begin(items_.back());
    }
    while (ask(client, stop, progress)) {
    }
    for (Item& item : items_) {
      check_noarch(item);
    }
    std::vector<RepodataFile> out;
    out.reserve(items_.size());
    for (Item& item : items_) {
      CHECK(item.result.has_value());
      warn_of_empty(item);
      out.push_back(TRY(std::move(*item.result)));
    }
    return out;
  }

 private:
  void begin(Item& item) {
    if (item.want->channel.is_local()) {
      item.result = local_repodata(*item.want, now_ms_);
      return;
    }
    item.sharded = options_.use_shards;
    open_state(item);
    if (options_.offline) {
      if (item.sharded && (!item.cached || item.state.missing)) {
        without_shards(item);
      } else {
        item.result = stale(item, fail(ErrorKind::kUnavailable, "offline"));
      }
    } else if (item.cached && !options_.refresh && item.state.fresh_at(now_ms_)) {
      settle(item);
    } else {
      choose_variants(item, false);
    }
  }

  // The state of the subdir's repodata, or of its index of shards: each has a cache of its own.
  void open_state(Item& item) {
    const std::string url =
        item.want->url() + (item.sharded ? "/" + std::string(kShardsVariant.name) : "");
    item.place = RepodataPlace::of(directory_, url);
    const auto state = read_state(item.place, url);
    item.state = state.value_or(RepodataState{});
    item.state.url = url;
    item.cached = state && check_cached(item);
  }

  // The channel has no shards: its repodata then.
  void without_shards(Item& item) {
    item.sharded = false;
    item.refused.reset();
    open_state(item);
    if (options_.offline) {
      item.result = stale(item, fail(ErrorKind::kUnavailable, "offline"));
    } else if (item.cached && !options_.refresh && item.state.fresh_at(now_ms_)) {
      item.result = present(item);
    } else {
      choose_variants(item, false);
    }
  }

  // The state is up to date and says what there is.
  void settle(Item& item) {
    if (item.sharded && item.state.missing) {
      without_shards(item);
    } else {
      item.result = present(item);
    }
  }

  // The cached file is there and is what the state says.
  bool check_cached(Item& item) const {
    if (item.state.missing) {
      return true;
    }
    if (item.state.file.empty() || item.state.digest.empty()) {
      return false;
    }
    const Digest before = item.state.digest;
    bool changed = false;
    const auto digest = known_digest(path_of(item), item.state, now_ms_, changed);
    if (!digest || *digest != before) {
      item.state.digest = {};
      return false;
    }
    if (changed) {
      (void)write_state(item.place, item.state);  // only saves the next hash
    }
    return true;
  }

  std::string path_of(const Item& item) const { return directory_ + "/" + item.state.file; }

  RepodataFile present(const Item& item) const {
    RepodataFile out;
    out.channel = item.want->channel;
    out.subdir = item.want->subdir;
    out.missing = item.state.missing;
    out.sharded = item.sharded;
    out.checked_at_ms = item.state.checked_at_ms;
    if (!out.missing) {
      out.path = path_of(item);
      out.compression = io::compression_of(item.state.variant);
      out.content_key = item.state.digest.hex();
      out.size_bytes = item.state.stamp.size_bytes;
      out.url = item.want->url() + "/" + item.state.variant;
    }
    return out;
  }

  // Which variants to ask for. What the server had not is left out for a while, unless everything
  // else turned out to be missing (`again`).
  void choose_variants(Item& item, bool again) const {
    item.left.clear();
    if (item.sharded) {
      item.left = {kShardsVariant};
      item.asked_all = true;
      return;
    }
    for (const RepodataVariant& variant : kRepodataVariants) {
      const auto absent = item.state.absent.find(variant.name);
      const bool known_absent = absent != item.state.absent.end() && absent->second <= now_ms_ &&
                                now_ms_ - absent->second < kAbsentMs;
      if (again || !known_absent) {
        item.left.push_back(variant);
      }
    }
    item.asked_all = item.left.size() == kRepodataVariants.size();
    if (item.left.empty()) {
      choose_variants(item, true);
    }
  }

  // One round over all items that are not done; false when there was nothing to ask.
  bool ask(io::HttpClient& client, const std::stop_token& stop, Progress& progress) {
    std::vector<Item*> asking;
    std::vector<io::HttpRequest> requests;
    for (Item& item : items_) {
      if (item.result) {
        continue;
      }
      if (Result<io::HttpRequest> request = request_for(item)) {
        requests.push_back(std::move(*request));
        asking.push_back(&item);
      } else {
        item.result = request.error();
      }
    }
    if (requests.empty()) {
      return false;
    }
    const auto responses = client.run(requests, stop, progress, "fetching channels");
    for (std::size_t i = 0; i < asking.size(); ++i) {
      take(*asking[i], responses[i]);
      asking[i]->sink.reset();
      asking[i]->file.reset();  // what is not in its place now is gone
    }
    return true;
  }

  Result<io::HttpRequest> request_for(Item& item) const {
    TRY(io::make_directories(directory_));
    item.file.emplace(TRY(io::TemporaryFile::create(directory_)));
    item.sink = TRY(io::FileSink::open(item.file->path()));
    const RepodataVariant& variant = item.left.front();
    io::HttpRequest request;
    request.urls = request_urls(item.want->channel,
                                item.want->url() + "/" + std::string(variant.name), credentials_);
    request.sink = item.sink.get();
    request.name = item.want->channel.name + "/" + item.want->subdir;
    request.limit_bytes = kMaxRepodataBytes;
    if (item.cached && !item.state.missing && item.state.variant == variant.name) {
      request.etag = item.state.etag;
      // Another mirror's date says nothing about this one's copy.
      const bool dated = item.state.etag.empty() || request.urls.size() == 1;
      request.last_modified = dated ? item.state.last_modified : "";
    }
    return request;
  }

  void take(Item& item, const Result<io::HttpResponse>& response) {
    const RepodataVariant variant = item.left.front();
    if (!response) {
      take_error(item, variant, response.error());
      return;
    }
    item.state.max_age_s = max_age_of(response->cache_control);
    item.state.checked_at_ms = now_ms_;
    if (response->not_modified) {
      item.result = keep_state(item);
      return;
    }
    if (!looks_like(variant, item.sink->head())) {
      item.refused = fail(ErrorKind::kCorrupt, "{} is no repodata: it begins with \"{}\"",
                          response->url, printable(item.sink->head()))
                         .with_hint("a proxy or a log-in page may have answered instead");
      next_variant(item);
      return;
    }
    item.result = commit(item, variant, *response);
  }

  void take_error(Item& item, const RepodataVariant& variant, const Error& error) {
    if (error.kind == ErrorKind::kNotFound) {
      item.state.absent[std::string(variant.name)] = now_ms_;
      next_variant(item);
    } else if (error.kind == ErrorKind::kPermission && !item.refused) {
      item.refused = error;  // some stores forbid what they do not have
      next_variant(item);
    } else {
      item.result = unreachable(item, error);
    }
  }

  void next_variant(Item& item) {
    item.left.erase(item.left.begin());
    if (!item.left.empty()) {
      return;
    }
    if (item.refused && item.sharded) {
      without_shards(item);
    } else if (item.refused) {
      item.result = unreachable(item, *item.refused);
    } else if (!item.asked_all) {
      choose_variants(item, true);
    } else {
      item.state.missing = true;
      item.state.file.clear();
      item.state.digest = {};
      item.state.absent.clear();
      item.state.max_age_s = item.sharded ? kNoShardsMaxAgeSeconds : kMissingMaxAgeSeconds;
      item.state.checked_at_ms = now_ms_;
      if (const Status kept = write_state(item.place, item.state); !kept) {
        item.result = kept.error();
      } else {
        settle(item);
      }
    }
  }

  Result<RepodataFile> keep_state(Item& item) const {
    TRY(write_state(item.place, item.state));
    return present(item);
  }

  // The data first, then the state that names it: a crash in between leaves the old pair.
  Result<RepodataFile> commit(Item& item, const RepodataVariant& variant,
                              const io::HttpResponse& response) const {
    CHECK(item.file.has_value());
    const io::FileSink::Hashes hashes = TRY(item.sink->finish());
    RepodataState& state = item.state;
    const std::string name = item.place.data_name(hashes.sha256, variant.name);
    if (name != state.file) {
      state.previous = std::exchange(state.file, name);
    }
    TRY(std::move(*item.file).rename_to(path_of(item)));
    state.missing = false;
    state.variant = variant.name;
    state.absent.erase(std::string(variant.name));
    state.digest = hashes.sha256;
    state.stamp = TRY(stamp_of(path_of(item)));
    state.etag = response.etag;
    state.last_modified = response.last_modified;
    TRY(write_state(item.place, state));
    remove_old(item);
    return present(item);
  }

  // Data that neither this state nor the one before names; another process may be writing one, so
  // only what has some age.
  void remove_old(const Item& item) const {
    const auto entries = io::DiskFiles().list(directory_);
    if (!entries) {
      return;
    }
    for (const FileEntry& entry : *entries) {
      if (!entry.name.starts_with(item.place.key + "-") || entry.name == item.state.file ||
          entry.name == item.state.previous) {
        continue;
      }
      const std::string path = directory_ + "/" + entry.name;
      const auto stamp = stamp_of(path);
      if (stamp && now_ms_ - (stamp->mtime_ns / kNsPerMs) > kMsPerHour) {
        ::unlink(path.c_str());
      }
    }
  }

  Result<RepodataFile> unreachable(Item& item, const Error& error) {
    const bool outage = error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kCorrupt;
    if (outage && options_.allow_stale) {
      return stale(item, error);
    }
    Error out = error;
    out.message =
        fmt::format("the channel {} cannot be read: {}", item.want->channel.name, error.message);
    if (outage && item.cached) {
      out.hint += fmt::format("{}there is a cached copy, {} old: --offline uses it",
                              out.hint.empty() ? "" : "; ", age(item));
    }
    return out;
  }

  std::string age(const Item& item) const { return age_text(now_ms_ - item.state.checked_at_ms); }

  // The cached copy although nobody was asked, or nobody answered.
  Result<RepodataFile> stale(Item& item, const Error& why) {
    if (!item.cached) {
      return fail(ErrorKind::kUnavailable, "the channel {} cannot be read and {} is not cached: {}",
                  item.want->channel.name, item.want->subdir, why.message)
          .with_hint(options_.offline ? "run once with a network" : why.hint);
    }
    RepodataFile out = present(item);
    out.stale = !item.state.fresh_at(now_ms_);
    if (out.stale) {
      diagnostics_.warn(
          "conda-stale-channel", {},
          fmt::format("{}: the cached {} is used, {} old ({})", item.want->channel.name,
                      item.want->subdir, age(item), why.message));
    }
    return out;
  }

  // CEP 26: noarch/repodata.json makes a place a channel. One without is let pass with a warning
  // as long as it has the platform; one with neither does not exist.
  void check_noarch(Item& item) {
    if (!item.result || !*item.result || !(*item.result)->missing ||
        item.want->subdir != "noarch") {
      return;
    }
    const Channel& channel = item.want->channel;
    const bool other = std::ranges::any_of(items_, [&](const Item& one) {
      return one.want->channel.url == channel.url && one.want->subdir != "noarch" && one.result &&
             (!*one.result || !(*one.result)->missing);
    });
    if (other) {
      diagnostics_.warn("conda-no-noarch", {},
                        fmt::format("the channel {} has no noarch/repodata.json", channel.name),
                        "every channel should have one (CEP 26)");
      return;
    }
    item.result = no_such_channel(channel);
  }

  // CEP 36 lets an empty file stand for {}. An answer without a body is more often a proxy's.
  void warn_of_empty(const Item& item) {
    const Result<RepodataFile>& file = *item.result;
    if (file && !file->missing && !file->channel.is_local() && file->size_bytes == 0) {
      diagnostics_.warn("conda-empty-repodata", {},
                        fmt::format("the channel {} answered for {} with an empty file: it counts "
                                    "as having no packages",
                                    file->channel.name, file->subdir),
                        "where that cannot be, look at the proxy between, then use --refresh");
    }
  }

  static Error no_such_channel(const Channel& channel) {
    std::string hint = "a channel is a folder with noarch/repodata.json and, say, linux-64/";
    const std::string_view near = nearest(channel.name, kWellKnown);
    if (channel.is_local()) {
      hint += fmt::format("; `conda index {}` writes them", printable(channel.path()));
    } else if (!near.empty() && near != channel.name) {
      hint = fmt::format("did you mean {}?", near);
    }
    return fail(ErrorKind::kNotFound, "there is no channel {} (asked at {})", channel.name,
                channel.url)
        .with_hint(std::move(hint));
  }

  const std::string& directory_;
  const Credentials& credentials_;
  const RepodataOptions& options_;
  std::int64_t now_ms_;
  Diagnostics& diagnostics_;
  std::vector<Item> items_;
};

}  // namespace

RepodataCache::RepodataCache(std::string directory, io::HttpClient& client,
                             const Credentials& credentials, Clock& clock)
    : directory_(std::move(directory)), client_(client), credentials_(credentials), clock_(clock) {}

Result<std::vector<RepodataFile>> RepodataCache::fetch(std::span<const ChannelSubdir> subdirs,
                                                       const RepodataOptions& options,
                                                       const std::stop_token& stop,
                                                       Progress& progress,
                                                       Diagnostics& diagnostics) {
  Fetch fetch(directory_, credentials_, options, clock_.now_ms(), diagnostics);
  return fetch.run(subdirs, client_, stop, progress);
}

Result<std::string> RepodataCache::discard(const RepodataFile& file) {
  if (file.channel.is_local()) {
    return std::string();
  }
  const std::string place_url = ChannelSubdir{file.channel, file.subdir}.url();
  const std::string url =
      file.sharded ? place_url + "/" + std::string(kShardsVariant.name) : place_url;
  const RepodataPlace place = RepodataPlace::of(directory_, url);
  const auto before = read_state(place, url);
  // The state first: data without a state is not believed.
  ::unlink(place.state_path().c_str());
  ::unlink(file.path.c_str());
  const auto earlier = before ? earlier_copy(place, *before) : std::nullopt;
  if (!earlier) {
    return std::string();
  }
  TRY(write_state(place, *earlier));
  return age_text(clock_.now_ms() - earlier->checked_at_ms);
}

}  // namespace cloche::source
