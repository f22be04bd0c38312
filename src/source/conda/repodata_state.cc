#include "source/conda/repodata_state.h"

#include <algorithm>
#include <charconv>

#include "core/json.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/reader.h"
#include "source/conda/repodata_variant.h"

namespace cloche::source {
namespace {

constexpr int kStateVersion = 1;
constexpr std::size_t kMaxStateBytes = std::size_t{64} << 10U;
constexpr std::int64_t kMaxAgeLimit = std::int64_t{24} * 3600;
constexpr std::int64_t kMsPerSecond = 1000;
constexpr std::int64_t kNsPerMs = 1'000'000;
// What a variant's name begins with; the rest is the ending of the data's name.
constexpr std::string_view kRepodataStem = "repodata";
constexpr std::size_t kKeyDigits = 16;

std::int64_t integer_or(const Json& json, std::string_view key, std::int64_t otherwise) {
  const Json& value = json[key];
  return value.is_integer() ? value.as_integer() : otherwise;
}

Json to_json(const RepodataState& state) {
  Json absent = Json::object();
  for (const auto& [variant, since_ms] : state.absent) {
    absent.set(variant, since_ms);
  }
  Json json = Json::object();
  json.set("version", kStateVersion)
      .set("url", state.url)
      .set("missing", state.missing)
      .set("variant", state.variant)
      .set("file", state.file)
      .set("previous", state.previous)
      .set("sha256", state.digest.hex())
      .set("size", static_cast<std::int64_t>(state.stamp.size_bytes))
      .set("mtime_ns", state.stamp.mtime_ns)
      .set("ctime_ns", state.stamp.ctime_ns)
      .set("inode", static_cast<std::int64_t>(state.stamp.inode))
      .set("device", static_cast<std::int64_t>(state.stamp.device))
      .set("etag", state.etag)
      .set("last_modified", state.last_modified)
      .set("max_age_s", state.max_age_s)
      .set("checked_at_ms", state.checked_at_ms)
      .set("absent", std::move(absent));
  return json;
}

// A name that cannot lead out of the cache's directory.
bool is_plain_name(std::string_view name) {
  return name.find('/') == std::string_view::npos && !name.starts_with('.');
}

std::optional<RepodataState> from_json(const Json& json) {
  if (!json.is_object() || integer_or(json, "version", 0) != kStateVersion) {
    return std::nullopt;
  }
  RepodataState state;
  state.url = json.string_or_empty("url");
  state.missing = json["missing"].is_bool() && json["missing"].as_bool();
  state.variant = json.string_or_empty("variant");
  state.file = json.string_or_empty("file");
  state.previous = json.string_or_empty("previous");
  state.stamp.size_bytes = static_cast<std::uint64_t>(integer_or(json, "size", 0));
  state.stamp.mtime_ns = integer_or(json, "mtime_ns", 0);
  state.stamp.ctime_ns = integer_or(json, "ctime_ns", 0);
  state.stamp.inode = static_cast<std::uint64_t>(integer_or(json, "inode", 0));
  state.stamp.device = static_cast<std::uint64_t>(integer_or(json, "device", 0));
  state.etag = json.string_or_empty("etag");
  state.last_modified = json.string_or_empty("last_modified");
  state.max_age_s = std::clamp<std::int64_t>(integer_or(json, "max_age_s", 0), 0, kMaxAgeLimit);
  state.checked_at_ms = integer_or(json, "checked_at_ms", 0);
  if (json["absent"].is_object()) {
    for (const auto& [variant, since_ms] : json["absent"].members()) {
      if (since_ms.is_integer()) {
        state.absent[variant] = since_ms.as_integer();
      }
    }
  }
  const std::string hex = json.string_or_empty("sha256");
  if (!hex.empty()) {
    Result<Digest> digest = Digest::parse("sha256:" + hex);
    if (!digest) {
      return std::nullopt;
    }
    state.digest = *digest;
  }
  return is_plain_name(state.file) && is_plain_name(state.previous) ? std::optional(state)
                                                                    : std::nullopt;
}

}  // namespace

bool RepodataState::fresh_at(std::int64_t now_ms) const {
  // A time in the future is a clock that was set back: nothing is known then.
  return checked_at_ms <= now_ms && now_ms - checked_at_ms < max_age_s * kMsPerSecond;
}

RepodataPlace RepodataPlace::of(const std::string& directory, std::string_view subdir_url) {
  return {directory, Digest::of(subdir_url).hex().substr(0, kKeyDigits)};
}

std::string RepodataPlace::data_name(const Digest& digest, std::string_view variant) const {
  const std::size_t dot = std::min(variant.find('.'), variant.size());
  return key + "-" + digest.hex().substr(0, kKeyDigits) + std::string(variant.substr(dot));
}

std::optional<RepodataState> read_state(const RepodataPlace& place, std::string_view url) {
  const Result<std::string> text = io::DiskFiles().read(place.state_path(), kMaxStateBytes);
  if (!text) {
    return std::nullopt;
  }
  const Result<Json> json = parse_json(*text);
  std::optional<RepodataState> state = json ? from_json(*json) : std::nullopt;
  return state && state->url == url ? state : std::nullopt;
}

Status write_state(const RepodataPlace& place, const RepodataState& state) {
  return io::write_file_atomically(place.state_path(), to_json(state).dump(1) + "\n");
}

std::optional<RepodataState> earlier_copy(const RepodataPlace& place, const RepodataState& now) {
  if (now.previous.empty()) {
    return std::nullopt;
  }
  const std::string path = place.directory + "/" + now.previous;
  const auto stamp = stamp_of(path);
  const auto digest = io::DiskFiles().digest(path);
  const auto dot = now.previous.find('.');
  if (!stamp || !digest || dot == std::string::npos) {
    return std::nullopt;
  }
  RepodataState out;
  out.url = now.url;
  out.file = now.previous;
  out.variant = std::string(kRepodataStem) + now.previous.substr(dot);
  if (now.variant == kShardsVariant.name) {
    out.variant = kShardsVariant.name;
  }
  out.digest = *digest;
  out.stamp = *stamp;
  out.checked_at_ms = stamp->mtime_ns / kNsPerMs;
  return place.data_name(*digest, out.variant) == out.file ? std::optional(out) : std::nullopt;
}

std::int64_t max_age_of(std::string_view cache_control) {
  std::int64_t seconds = 0;
  for (const std::string_view part : split(cache_control, ',')) {
    const std::string word = to_lower(trim(part));
    if (word == "no-cache" || word == "no-store") {
      return 0;
    }
    if (word.starts_with("max-age=")) {
      const char* end = word.data() + word.size();
      std::int64_t value = 0;
      const auto [stop, error] = std::from_chars(word.data() + 8, end, value);
      seconds = error == std::errc() && stop == end ? value : 0;
    }
  }
  return std::clamp<std::int64_t>(seconds, 0, kMaxAgeLimit);
}

Result<Digest> known_digest(const std::string& path, RepodataState& state, std::int64_t now_ms,
                            bool& changed) {
  const FileStamp stamp = TRY(stamp_of(path));
  if (stamp == state.stamp && !state.digest.empty()) {
    return state.digest;
  }
  Digest digest = TRY(io::DiskFiles().digest(path));
  const bool settled = stamp == TRY(stamp_of(path)) && stamp.settled_at(now_ms);
  state.digest = digest;
  state.stamp = settled ? stamp : FileStamp{};
  changed = true;
  return digest;
}

}  // namespace cloche::source
