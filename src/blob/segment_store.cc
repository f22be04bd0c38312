#include "blob/segment_store.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/frame.h"
#include "blob/segment_records.h"
#include "blob/work_lock.h"
#include "core/check.h"
#include "core/files.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/mapped_file.h"
#include "io/system_error.h"
#include "io/temporary.h"

namespace cloche::blob {
namespace {

constexpr std::size_t kMaxRecordBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxNoteBytes = std::size_t{256} << 20U;
constexpr std::size_t kMaxIndexBytes = std::size_t{1} << 30U;

Json to_json(const Segment& segment) {
  const auto number = [](std::uint64_t value) { return Json(static_cast<std::int64_t>(value)); };
  return Json::object()
      .set("compression", to_string(segment.compression))
      .set("diff_id", segment.diff_id.to_string())
      .set("digest", segment.digest.to_string())
      .set("entries", number(segment.entries))
      .set("index", segment.index.to_string())
      .set("index_bytes", number(segment.index_bytes))
      .set("size_bytes", number(segment.size_bytes))
      .set("tar_bytes", number(segment.tar_bytes));
}

Result<std::uint64_t> number_of(const Json& json, std::string_view key) {
  if (!json[key].is_integer() || json[key].as_integer() < 0) {
    return fail(ErrorKind::kCorrupt, "no number {}", key);
  }
  return static_cast<std::uint64_t>(json[key].as_integer());
}

Result<Segment> segment_of(const Json& json) {
  Segment segment;
  segment.compression = TRY(parse_compression(json.string_or_empty("compression")));
  segment.diff_id = TRY(Digest::parse(json.string_or_empty("diff_id")));
  segment.digest = TRY(Digest::parse(json.string_or_empty("digest")));
  segment.index = TRY(Digest::parse(json.string_or_empty("index")));
  segment.entries = TRY(number_of(json, "entries"));
  segment.index_bytes = TRY(number_of(json, "index_bytes"));
  segment.size_bytes = TRY(number_of(json, "size_bytes"));
  segment.tar_bytes = TRY(number_of(json, "tar_bytes"));
  return segment;
}

// A line with the sha256 of what follows, so that a damaged file is known for one.
std::string sealed(std::string_view text) {
  return Digest::of(text).to_string() + "\n" + std::string(text);
}

std::optional<std::string> unsealed(const std::string& path, std::size_t limit) {
  Result<std::string> file = io::DiskFiles().read(path, limit);
  if (!file) {
    return std::nullopt;
  }
  const std::size_t line = file->find('\n');
  if (line == std::string::npos) {
    return std::nullopt;
  }
  std::string text = file->substr(line + 1);
  if (file->substr(0, line) != Digest::of(text).to_string()) {
    return std::nullopt;
  }
  return text;
}

// Not synced: what a power cut leaves of it does not fit its seal, and is made again.
Status put_sealed(const std::string& root, const std::string& path, std::string_view text) {
  const std::string work = join_path(root, "tmp");
  TRY(io::make_directories(work));
  TRY(io::make_directories(parent_path(path)));
  io::TemporaryFile file = TRY(io::TemporaryFile::create(work));
  TRY(file.write(sealed(text)));
  file.close();
  if (std::rename(file.path().c_str(), path.c_str()) != 0) {
    return io::system_error(errno, "write", path);
  }
  return {};
}

// Whether a blob is there with its size. One of another size is none: it goes, or a new one could
// not take its place.
bool is_whole(const BlobStore& blobs, const Digest& digest, std::uint64_t size) {
  if (!blobs.use(digest)) {
    return false;
  }
  const Result<std::string> path = blobs.path(digest);
  struct stat info{};
  if (!path || ::stat(path->c_str(), &info) != 0) {
    return false;
  }
  if (static_cast<std::uint64_t>(info.st_size) != size) {
    ::unlink(path->c_str());
    return false;
  }
  return true;
}

// A layer of several segments while it is put together.
class LayerWriter {
 public:
  LayerWriter(BlobStore::Writer blob, SegmentCompression compression)
      : blob_(std::move(blob)), end_(layer_end(compression)), expander_(compression) {}

  // Piece by piece; what it holds must be what its digest says.
  Status add(const BlobStore& blobs, const Segment& segment, const std::stop_token& stop) {
    const io::MappedFile file = TRY(io::MappedFile::open(TRY(blobs.path(segment.digest))));
    if (!file.bytes().ends_with(end_)) {
      return damaged(segment);
    }
    std::string_view rest = file.bytes().substr(0, file.bytes().size() - end_.size());
    std::uint64_t tar_bytes = 0;
    Hasher hasher;
    while (!rest.empty()) {
      if (stop.stop_requested()) {
        return fail(ErrorKind::kCancelled, "stopped");
      }
      const std::string_view before = rest;
      const std::string_view piece = TRY(expander_.expand(rest));
      const std::string_view frame = before.substr(0, before.size() - rest.size());
      hasher.update(frame);
      diff_id_.update(piece);
      tar_bytes += piece.size();
      TRY(append(frame));
    }
    hasher.update(end_);
    return hasher.finish() == segment.digest && tar_bytes == segment.tar_bytes ? Status()
                                                                               : damaged(segment);
  }

  Result<SegmentStore::Layer> finish() && {
    TRY(append(end_));
    diff_id_.update(std::string(kTarEndBytes, '\0'));
    SegmentStore::Layer layer;
    layer.digest = TRY(std::move(blob_).commit_to_cache());
    layer.size_bytes = size_bytes_;
    layer.diff_id = diff_id_.finish();
    return layer;
  }

 private:
  static Error damaged(const Segment& segment) {
    return fail(ErrorKind::kCorrupt, "the stored segment {} does not hold what its name says",
                segment.digest.to_string())
        .with_hint("remove it and build again");
  }

  Status append(std::string_view bytes) {
    size_bytes_ += bytes.size();
    return blob_.append(bytes);
  }

  BlobStore::Writer blob_;
  const std::string& end_;
  FrameExpander expander_;
  Hasher diff_id_;
  std::uint64_t size_bytes_ = 0;
};

Json to_json(const SegmentStore::Layer& layer) {
  return Json::object()
      .set("diff_id", layer.diff_id.to_string())
      .set("digest", layer.digest.to_string())
      .set("size_bytes", Json(static_cast<std::int64_t>(layer.size_bytes)));
}

Result<SegmentStore::Layer> layer_of(const Json& json) {
  SegmentStore::Layer layer;
  layer.diff_id = TRY(Digest::parse(json.string_or_empty("diff_id")));
  layer.digest = TRY(Digest::parse(json.string_or_empty("digest")));
  layer.size_bytes = TRY(number_of(json, "size_bytes"));
  return layer;
}

}  // namespace

SegmentKey::SegmentKey(std::string kind, SegmentCompression compression)
    : compression_(compression) {
  inputs_.set("compression", compression_identity(compression))
      .set("format", std::to_string(kSegmentFormat))
      .set("kind", std::move(kind));
}

SegmentKey& SegmentKey::add(std::string_view name, std::string_view value) {
  inputs_.set(name, value);
  return *this;
}

SegmentStore::SegmentStore(std::string root) : root_(std::move(root)), blobs_(root_) {}

std::string SegmentStore::place_of(std::string_view kind, const Digest& digest) const {
  return join_path(root_, fmt::format("{}/{}.json", kind, digest.hex()));
}

std::optional<Segment> SegmentStore::find(const SegmentKey& key) {
  const std::string place = place_of("segments", key.digest());
  const std::optional<std::string> text = unsealed(place, kMaxRecordBytes);
  if (!text) {
    return std::nullopt;
  }
  const Result<Json> json = parse_json(*text, place);
  if (!json || (*json)["key"].canonical() != key.inputs().canonical()) {
    return std::nullopt;
  }
  const Result<Segment> segment = segment_of((*json)["segment"]);
  if (!segment || !is_whole(blobs_, segment->digest, segment->size_bytes) ||
      !is_whole(blobs_, segment->index, segment->index_bytes)) {
    return std::nullopt;
  }
  return *segment;
}

Result<SegmentStore::Found> SegmentStore::find_or_make(const SegmentKey& key, std::string_view what,
                                                       const std::function<Result<Segment>()>& make,
                                                       const std::stop_token& stop,
                                                       Progress& progress) {
  if (const std::optional<Segment> found = find(key)) {
    return Found{.segment = *found};
  }
  const Digest digest = key.digest();
  const WorkLock lock = TRY(WorkLock::hold(root_, "segment " + digest.hex(), what, stop, progress));
  // Somebody may have made it since the look above, also when this lock was free at once.
  if (const std::optional<Segment> found = find(key)) {
    return Found{.segment = *found};
  }
  Segment segment = TRY(make());
  const Json record = Json::object().set("key", key.inputs()).set("segment", to_json(segment));
  TRY(put_sealed(root_, place_of("segments", digest), record.dump() + "\n"));
  return Found{.segment = std::move(segment), .made = true};
}

Result<SegmentIndex> SegmentStore::index(const Segment& segment) const {
  return parse_index(TRY(blobs_.read(segment.index, kMaxIndexBytes)));
}

std::optional<std::string> SegmentStore::find_note(const SegmentKey& key) {
  return unsealed(place_of("notes", key.digest()), kMaxNoteBytes);
}

Status SegmentStore::put_note(const SegmentKey& key, std::string_view text) {
  return put_sealed(root_, place_of("notes", key.digest()), text);
}

Result<SegmentStore::Layer> SegmentStore::put_layer(std::span<const Segment> segments,
                                                    const BlobStore& target,
                                                    const std::stop_token& stop) {
  CHECK(!segments.empty());
  const Segment& first = segments.front();
  if (segments.size() == 1) {
    TRY(target.link_from(blobs_, first.digest));
    return Layer{.digest = first.digest, .size_bytes = first.size_bytes, .diff_id = first.diff_id};
  }
  std::string list;
  for (const Segment& segment : segments) {
    if (segment.compression != first.compression) {
      return fail(ErrorKind::kInvalid, "segments of one layer are compressed in two ways");
    }
    list += segment.digest.to_string() + "\n";
  }
  const std::string place = place_of("layers", Digest::of(list));
  if (const std::optional<std::string> text = unsealed(place, kMaxRecordBytes)) {
    const Result<Json> json = parse_json(*text, place);
    const Result<Layer> known = json ? layer_of(*json) : json.error();
    if (known && is_whole(target, known->digest, known->size_bytes)) {
      return *known;
    }
  }
  LayerWriter writer(TRY(target.writer()), first.compression);
  for (const Segment& segment : segments) {
    TRY(writer.add(blobs_, segment, stop));
  }
  Layer layer = TRY(std::move(writer).finish());
  TRY(put_sealed(root_, place, to_json(layer).dump() + "\n"));
  return layer;
}

std::size_t forget_missing_segments(const std::string& root) {
  const BlobStore blobs(root);
  const std::string directory = join_path(root, "segments");
  const auto entries = io::DiskFiles().list(directory);
  std::size_t count = 0;
  for (const FileEntry& entry : entries.value_or(std::vector<FileEntry>())) {
    const std::string place = join_path(directory, entry.name);
    const std::optional<std::string> text = unsealed(place, kMaxRecordBytes);
    const Result<Json> json = text ? parse_json(*text) : Result<Json>(Json());
    const Result<Segment> segment = json ? segment_of((*json)["segment"]) : json.error();
    const bool whole = segment && blobs.contains(segment->digest) && blobs.contains(segment->index);
    if (!whole && ::unlink(place.c_str()) == 0) {
      ++count;
    }
  }
  return count;
}

}  // namespace cloche::blob
