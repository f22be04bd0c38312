// Segments by what they are made from: each is made once.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "blob/blob_store.h"
#include "blob/segment.h"
#include "blob/segment_index.h"
#include "core/json.h"
#include "core/progress.h"
#include "core/result.h"

namespace cloche::blob {

// Everything that decides a segment, as an object of texts: {"kind": "conda", "sha256": "...",
// ...}. The format's version and the compression's identity join by themselves.
class SegmentKey {
 public:
  SegmentKey(std::string kind, SegmentCompression compression);
  SegmentKey& add(std::string_view name, std::string_view value);

  SegmentCompression compression() const { return compression_; }
  const Json& inputs() const { return inputs_; }
  Digest digest() const { return Digest::of(inputs_.canonical()); }

 private:
  SegmentCompression compression_;
  Json inputs_;
};

// <root>/segments/<key>.json beside a blob store's <root>/blobs; docs/formats/segment.md describes
// the record. Any thread; several processes may use one root, each record is whole or not there.
class SegmentStore {
 public:
  explicit SegmentStore(std::string root);

  const BlobStore& blobs() const { return blobs_; }
  const std::string& root() const { return root_; }

  // The segment of a key; nothing when it was never made, or when its record or blobs are damaged
  // or gone: then what is left of it is removed, so that it can be made again. Blobs are looked at
  // (present, of the right size), not read.
  std::optional<Segment> find(const SegmentKey& key);

  struct Found {
    Segment segment;
    bool made = false;  // now
  };
  // The same, or what `make` makes, which is remembered. Of several threads and processes that ask
  // for one key, one makes it; the others wait, and say so with progress.note(). `what` is for
  // people: "making the segment of numpy". kCancelled: stopped while waiting.
  Result<Found> find_or_make(const SegmentKey& key, std::string_view what,
                             const std::function<Result<Segment>()>& make,
                             const std::stop_token& stop, Progress& progress);

  // kNotFound, kCorrupt.
  Result<SegmentIndex> index(const Segment& segment) const;

  // A small value beside the segments, kept and found like them: which paths a package has.
  std::optional<std::string> find_note(const SegmentKey& key);
  Status put_note(const SegmentKey& key, std::string_view text);

  struct Layer {
    Digest digest;
    std::uint64_t size_bytes = 0;
    Digest diff_id;

    bool operator==(const Layer&) const = default;
  };
  // Puts the layer of these segments (at least one) and layer_end() into another store, under a
  // name that its sync() makes durable. Of one segment it is a second name of its file. Of several
  // it is made by reading them (about 0.5 GB/s), which verifies them too; what it is is remembered
  // by their digests, so that where it is present nothing is read. All have the same compression
  // (kInvalid else). kCorrupt: a segment is not what its digest says. kUnavailable: the disk is
  // full. kCancelled.
  Result<Layer> put_layer(std::span<const Segment> segments, const BlobStore& target,
                          const std::stop_token& stop = {});

 private:
  std::string place_of(std::string_view kind, const Digest& digest) const;

  std::string root_;
  BlobStore blobs_;
};

}  // namespace cloche::blob
