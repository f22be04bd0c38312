#include "source/conda/sharded_index.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "core/check.h"
#include "core/text.h"
#include "io/decompress.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/http_sink.h"
#include "io/reader.h"
#include "io/system_error.h"
#include "io/temporary.h"
#include "source/conda/channel_url.h"
#include "source/conda/msgpack.h"

namespace cloche::source {
namespace {

// conda-forge's index of linux-64 is 0.7 MB compressed, its largest shards some 100 KB.
constexpr std::size_t kMaxIndexBytes = std::size_t{64} << 20U;
constexpr std::size_t kMaxShardBytes = std::size_t{64} << 20U;  // decompressed
constexpr std::uint64_t kMaxShardFileBytes = std::uint64_t{16} << 20U;
constexpr std::size_t kHashBytes = 32;
constexpr std::string_view kActivity = "fetching package records";

Result<std::string> read_zstd(const std::string& path, std::size_t limit_bytes) {
  io::FileReader file = TRY(io::FileReader::open(path));
  const auto reader = io::decompress(file, io::Compression::kZstd);
  return io::read_all(*reader, limit_bytes);
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    out += kDigits[value >> 4U];
    out += kDigits[value & 0xFU];
  }
  return out;
}

Digest digest_of(std::string_view hash) {
  const Result<Digest> digest = Digest::parse("sha256:" + to_hex(hash));
  CHECK(digest.has_value());
  return *digest;
}

bool exists(const std::string& path) { return ::access(path.c_str(), R_OK) == 0; }

}  // namespace

// A shard on its way.
struct ShardedIndex::Missing {
  const ShardedIndex* index = nullptr;
  Digest digest;
  std::string name;
  std::unique_ptr<io::StringSink> sink;
};

ShardedIndex::ShardedIndex(RepodataFile file, std::string directory, io::HttpClient& client,
                           const Credentials& credentials, bool offline)
    : file_(std::move(file)),
      directory_(std::move(directory)),
      client_(&client),
      credentials_(&credentials),
      offline_(offline),
      base_url_(resolve_url(file_.url, "")),
      shards_base_url_(resolve_url(file_.url, "")),
      bytes_(std::make_unique<std::string>()) {}

Result<ShardedIndex> ShardedIndex::open(const RepodataFile& file, std::string directory,
                                        io::HttpClient& client, const Credentials& credentials,
                                        bool offline) {
  ShardedIndex index(file, std::move(directory), client, credentials, offline);
  const auto damaged = [&file](Error error) {
    error.message = fmt::format("the index of shards of {}/{} cannot be read: {}",
                                file.channel.name, file.subdir, error.message);
    return error;
  };
  Result<std::string> bytes = read_zstd(file.path, kMaxIndexBytes);
  if (!bytes) {
    return damaged(bytes.error());
  }
  *index.bytes_ = std::move(*bytes);
  if (const Status read = index.read_index(); !read) {
    return damaged(read.error());
  }
  return index;
}

Status ShardedIndex::read_index() {
  MsgpackReader reader(*bytes_);
  const std::size_t count = TRY(reader.read_map());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view key = TRY(reader.read_string());
    if (key == "version") {
      const std::int64_t version = TRY(reader.read_integer());
      if (version != 1) {
        return fail(ErrorKind::kUnsupported, "it is of version {}, not 1", version);
      }
    } else if (key == "info") {
      TRY(read_info(reader));
    } else if (key == "shards") {
      TRY(read_shards(reader));
    } else {
      TRY(reader.skip());
    }
  }
  if (!reader.at_end()) {
    return fail(ErrorKind::kCorrupt, "there is more data behind its end");
  }
  return {};
}

Status ShardedIndex::read_shards(MsgpackReader& reader) {
  const std::size_t count = TRY(reader.read_map());
  shards_.reserve(std::min(count, bytes_->size() / kHashBytes));  // a hostile count says little
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = TRY(reader.read_string());
    const std::string_view hash = TRY(reader.read_binary());
    if (hash.size() != kHashBytes) {
      return fail(ErrorKind::kCorrupt, "the hash of {} has {} bytes, not {}", printable(name),
                  hash.size(), kHashBytes);
    }
    shards_.push_back({name, hash});
  }
  std::ranges::stable_sort(shards_, {}, &Shard::name);
  return {};
}

const ShardedIndex::Shard* ShardedIndex::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(shards_, name, {}, &Shard::name);
  return found != shards_.end() && found->name == name ? &*found : nullptr;
}

Status ShardedIndex::read_info(MsgpackReader& reader) {
  const std::size_t count = TRY(reader.read_map());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view key = TRY(reader.read_string());
    const bool text = TRY(reader.type()) == MsgpackReader::Type::kString;
    if (text && key == "base_url") {
      base_url_ = package_url(file_.url, TRY(reader.read_string()), "");
    } else if (text && key == "shards_base_url") {
      shards_base_url_ = package_url(file_.url, TRY(reader.read_string()), "");
    } else if (text && key == "subdir") {
      const std::string_view subdir = TRY(reader.read_string());
      if (!subdir.empty() && subdir != file_.subdir) {
        return fail(ErrorKind::kCorrupt, "it says that it is for {}, not {}",
                    printable(subdir.substr(0, 40)), file_.subdir);
      }
    } else {
      TRY(reader.skip());
    }
  }
  return {};
}

std::vector<std::string_view> ShardedIndex::names() const {
  std::vector<std::string_view> out;
  out.reserve(shards_.size());
  for (const Shard& shard : shards_) {
    out.push_back(shard.name);
  }
  return out;
}

std::string ShardedIndex::path_of(const Digest& digest) const {
  return directory_ + "/shards/" + digest.hex().substr(0, 2) + "/" + digest.hex() + ".msgpack.zst";
}

Status ShardedIndex::prefetch(std::span<const std::string_view> names, const std::stop_token& stop,
                              Progress& progress) {
  ShardedIndex* const self = this;
  return prefetch(std::span(&self, 1), names, stop, progress);
}

Status ShardedIndex::prefetch(std::span<ShardedIndex* const> indexes,
                              std::span<const std::string_view> names, const std::stop_token& stop,
                              Progress& progress) {
  std::map<Digest, Missing> missing;  // two channels may share one
  for (const ShardedIndex* index : indexes) {
    for (const std::string_view name : names) {
      const Shard* const shard = index->find(name);
      if (shard == nullptr) {
        continue;
      }
      const Digest digest = digest_of(shard->hash);
      if (!exists(index->path_of(digest))) {
        missing[digest] = {index, digest, std::string(name), nullptr};
      }
    }
  }
  if (missing.empty()) {
    return {};
  }
  std::vector<Missing*> asked;
  std::vector<io::HttpRequest> requests;
  for (auto& [digest, shard] : missing) {
    const RepodataFile& file = shard.index->file_;
    if (shard.index->offline_) {
      return fail(ErrorKind::kUnavailable, "the records of {} in {}/{} are not cached",
                  printable(shard.name), file.channel.name, file.subdir)
          .with_hint("run once with a network");
    }
    shard.sink = std::make_unique<io::StringSink>();
    io::HttpRequest request;
    request.urls =
        request_urls(file.channel, shard.index->shards_base_url_ + digest.hex() + ".msgpack.zst",
                     *shard.index->credentials_);
    request.sink = shard.sink.get();
    request.name = shard.name;
    request.limit_bytes = kMaxShardFileBytes;
    request.hash_is_checked = true;
    requests.push_back(std::move(request));
    asked.push_back(&shard);
  }
  const auto responses = asked.front()->index->client_->run(requests, stop, progress, kActivity);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Missing& shard = *asked[i];
    const std::string& channel = shard.index->file_.channel.name;
    if (!responses[i]) {
      Error error = responses[i].error();
      error.message = fmt::format("the records of {} in {} cannot be read: {}",
                                  printable(shard.name), channel, error.message);
      return error;
    }
    if (Digest::of(shard.sink->content()) != shard.digest) {
      return fail(ErrorKind::kCorrupt, "the records of {} from {} are not what the index says",
                  printable(shard.name), responses[i]->url)
          .with_hint("the channel or a mirror serves a damaged file: try again later");
    }
    TRY(shard.index->keep_shard(shard.digest, shard.sink->content()));
  }
  return {};
}

// Not synced, as hundreds of them would take seconds: what a power cut leaves is known by its hash.
Status ShardedIndex::keep_shard(const Digest& digest, std::string_view bytes) const {
  const std::string path = path_of(digest);
  const std::string folder = path.substr(0, path.rfind('/'));
  if (!exists(folder)) {
    TRY(io::make_directories(folder));
  }
  io::TemporaryFile file = TRY(io::TemporaryFile::create(folder));
  TRY(file.write(bytes));
  if (::link(file.path().c_str(), path.c_str()) != 0 && errno != EEXIST) {
    return io::system_error(errno, "write", path);
  }
  return {};
}

Result<std::vector<conda::PackageRecord>> ShardedIndex::records(std::string_view name) {
  const Shard* const shard = find(name);
  if (shard == nullptr) {
    return std::vector<conda::PackageRecord>();
  }
  const Digest digest = digest_of(shard->hash);
  Progress silent;
  TRY(prefetch(std::span(&name, 1), {}, silent));
  Result<std::vector<conda::PackageRecord>> out = read_shard(digest);
  if (!out && out.error().kind == ErrorKind::kCorrupt && !offline_) {
    // The cached file was damaged: once more from the channel.
    ::unlink(path_of(digest).c_str());
    TRY(prefetch(std::span(&name, 1), {}, silent));
    out = read_shard(digest);
  }
  if (!out) {
    Error error = out.error();
    error.message = fmt::format("the records of {} in {}/{} cannot be read: {}", printable(name),
                                file_.channel.name, file_.subdir, error.message);
    return error;
  }
  return out;
}

Result<std::vector<conda::PackageRecord>> ShardedIndex::read_shard(const Digest& digest) const {
  const std::string path = path_of(digest);
  const std::string stored = TRY(io::DiskFiles().read(path, kMaxShardFileBytes));
  if (Digest::of(stored) != digest) {
    return fail(ErrorKind::kCorrupt, "the cached file {} is damaged", path);
  }
  io::MemoryReader memory(stored);
  const auto reader = io::decompress(memory, io::Compression::kZstd);
  const std::string bytes = TRY(io::read_all(*reader, kMaxShardBytes));
  return parse_shard(bytes, file_.channel, file_.subdir, base_url_);
}

}  // namespace cloche::source
