#include "source/debian/release_cache.h"

#include "core/digest.h"
#include "core/json.h"
#include "io/disk_files.h"
#include "io/file.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxStateBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxReleaseBytes = std::size_t{32} << 20U;
constexpr std::int64_t kFormat = 1;

std::string path_of(const std::string& directory, const std::string& url, std::string_view ending) {
  constexpr std::size_t kDigits = 32;
  std::string out = directory + "/";
  out += Digest::of(url).hex().substr(0, kDigits);
  out += ending;
  return out;
}

}  // namespace

std::optional<CachedRelease> read_cached_release(const std::string& directory,
                                                 const std::string& url) {
  io::DiskFiles files;
  const auto text = files.read(path_of(directory, url, ".json"), kMaxStateBytes);
  const auto json = text ? parse_json(*text) : Result<Json>(text.error());
  if (!json || (*json)["format"] != Json(kFormat) || json->string_or_empty("url") != url) {
    return std::nullopt;
  }
  CachedRelease out;
  out.url = url;
  out.keys = json->string_or_empty("keys");
  out.file_sha256 = json->string_or_empty("file_sha256");
  out.etag = json->string_or_empty("etag");
  out.last_modified = json->string_or_empty("last_modified");
  const Json& checked = (*json)["checked_at_ms"];
  out.checked_at_ms = checked.is_integer() ? checked.as_integer() : 0;
  if (const Json& indexes = (*json)["indexes"]; indexes.is_array()) {
    for (const Json& one : indexes.items()) {
      if (one.is_string()) {
        out.indexes.push_back(one.as_string());
      }
    }
  }
  const auto release = files.read(path_of(directory, url, ".release"), kMaxReleaseBytes);
  if (!release || Digest::of(*release).hex() != json->string_or_empty("text_sha256")) {
    return std::nullopt;
  }
  out.text = *release;
  return out;
}

Status write_cached_release(const std::string& directory, const CachedRelease& release) {
  Json indexes = Json::array();
  for (const std::string& one : release.indexes) {
    indexes.push(one);
  }
  Json json;
  json.set("format", kFormat)
      .set("url", release.url)
      .set("keys", release.keys)
      .set("file_sha256", release.file_sha256)
      .set("text_sha256", Digest::of(release.text).hex())
      .set("etag", release.etag)
      .set("last_modified", release.last_modified)
      .set("checked_at_ms", release.checked_at_ms)
      .set("indexes", std::move(indexes));
  TRY(io::write_file_atomically(path_of(directory, release.url, ".release"), release.text));
  return io::write_file_atomically(path_of(directory, release.url, ".json"), json.dump(2) + "\n");
}

}  // namespace cloche::source
