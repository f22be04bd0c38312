// Sharded repodata (CEP 16): an index of package names, and for each name a small file that never
// changes. Only the names that a solve reaches are fetched.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"
#include "package/conda/record.h"
#include "source/conda/credentials.h"
#include "source/conda/repodata_fetch.h"

namespace cloche::source {

// One subdir of one channel. One thread at a time; the references outlive the object.
class ShardedIndex {
 public:
  // Reads the index file that RepodataCache::fetch() found (`file.sharded`). Shards are kept under
  // `<directory>/shards/`, for ever: they are named by their hash. kCorrupt: no such index.
  static Result<ShardedIndex> open(const RepodataFile& file, std::string directory,
                                   io::HttpClient& client, const Credentials& credentials,
                                   bool offline = false);

  // What the subdir has packages of, in the order of the names' bytes.
  std::vector<std::string_view> names() const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }

  // Fetches the shards of those names that are here and not yet local, many at once. Names that
  // are not here are nothing to do. kUnavailable, kPermission as the HTTP client has them;
  // kCorrupt: a shard that is not what its name says.
  Status prefetch(std::span<const std::string_view> names, const std::stop_token& stop,
                  Progress& progress);
  // The same for several subdirs, in one go.
  static Status prefetch(std::span<ShardedIndex* const> indexes,
                         std::span<const std::string_view> names, const std::stop_token& stop,
                         Progress& progress);

  // The packages of a name; none when it is not here. Fetches the shard where prefetch() has not.
  // In the order of the file names' bytes; of one distribution as .conda and .tar.bz2 the .conda.
  Result<std::vector<conda::PackageRecord>> records(std::string_view name);

  const RepodataFile& file() const { return file_; }
  const std::string& base_url() const { return base_url_; }  // of packages; absolute, ends in '/'

 private:
  struct Missing;
  struct Shard {
    std::string_view name;
    std::string_view hash;  // 32 bytes
  };

  ShardedIndex(RepodataFile file, std::string directory, io::HttpClient& client,
               const Credentials& credentials, bool offline);
  Status read_index();
  Status read_shards(class MsgpackReader& reader);
  const Shard* find(std::string_view name) const;
  Status read_info(class MsgpackReader& reader);
  std::string path_of(const Digest& digest) const;
  Status keep_shard(const Digest& digest, std::string_view bytes) const;
  Result<std::vector<conda::PackageRecord>> read_shard(const Digest& digest) const;

  RepodataFile file_;
  std::string directory_;
  io::HttpClient* client_;
  const Credentials* credentials_;
  bool offline_;
  std::string base_url_;                // where packages are, with a final slash
  std::string shards_base_url_;         // the same for shards
  std::unique_ptr<std::string> bytes_;  // behind a pointer: views into it survive a move
  std::vector<Shard> shards_;           // by name
};

// The records of one shard, decompressed. `base_url` ends in '/'. kCorrupt with the reason.
Result<std::vector<conda::PackageRecord>> parse_shard(std::string_view bytes,
                                                      const Channel& channel,
                                                      std::string_view subdir,
                                                      std::string_view base_url);

}  // namespace cloche::source
