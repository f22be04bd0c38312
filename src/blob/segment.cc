#include "blob/segment.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "blob/frame.h"
#include "blob/segment_index.h"
#include "core/check.h"
#include "core/files.h"
#include "core/text.h"
#include "io/temporary.h"

namespace cloche::blob {
namespace {

// Pieces that are compressed at once. More would keep more cores busy within one package, at the
// price of memory; with many packages at once the cores are busy anyway.
constexpr std::size_t kBatch = 4;

constexpr std::size_t kMaxPathBytes = 8192;

bool is_plain(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathBytes || path.find('\0') != std::string_view::npos) {
    return false;
  }
  return std::ranges::none_of(split(path, '/'), [](std::string_view part) {
    return part.empty() || part == "." || part == "..";
  });
}

// Each thread keeps its own from segment to segment: packages are small, and making the tables anew
// takes a good part of the time that compressing them does.
FrameCompressor& compressor_of(SegmentCompression compression) {
  thread_local FrameCompressor zstd(SegmentCompression::kZstd);
  thread_local FrameCompressor gzip(SegmentCompression::kGzip);
  return compression == SegmentCompression::kZstd ? zstd : gzip;
}

bool is_within(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

}  // namespace

bool comes_before(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

// The stream of tar bytes, cut into pieces, hashed and compressed a batch at a time.
class SegmentWriter::Body {
 public:
  Body(BlobStore::Writer blob, const BlobStore& store, SegmentCompression compression,
       io::ThreadPool& pool)
      : store_(store),
        compression_(compression),
        pool_(pool),
        blob_(std::move(blob)),
        tar_([this](std::string_view bytes) { return buffer(bytes); }) {}

  Status entry(const TarHeader& header, const std::string& sha256) {
    TRY(end_file());
    if (!is_plain(header.path)) {
      return fail(ErrorKind::kInvalid, "'{}' is no path of a segment", printable(header.path));
    }
    if (header.link_target.size() > kMaxPathBytes) {
      return fail(ErrorKind::kInvalid, "the target of the link {} is too long",
                  printable(header.path));
    }
    if (!last_.empty() && is_within(header.path, last_) &&
        index_.entries.back().kind != io::TarKind::kDirectory) {
      return fail(ErrorKind::kInvalid, "{} lies in {}, which is no directory",
                  printable(header.path), printable(last_));
    }
    if (!last_.empty() && !comes_before(last_, header.path)) {
      return fail(ErrorKind::kInvalid, "{} comes after {} in a segment", printable(last_),
                  printable(header.path));
    }
    TRY(make_parents(header.path));
    return write(header, sha256);
  }

  Status content(std::string_view bytes) {
    if (hasher_) {
      hasher_->update(bytes);
    }
    return tar_.content(bytes);
  }

  Result<Segment> finish() {
    TRY(end_file());
    TRY(flush());
    Segment segment;
    segment.compression = compression_;
    segment.tar_bytes = tar_.bytes();
    const std::string& end = layer_end(compression_);
    TRY(blob_.append(end));
    segment.size_bytes = compressed_bytes_ + end.size();
    segment.entries = index_.entries.size();
    raw_.update(std::string(kTarEndBytes, '\0'));
    segment.diff_id = raw_.finish();
    const std::string index = print_index(index_);
    segment.index_bytes = index.size();
    segment.index = Digest::of(index);
    TRY(put_unsynced(index, segment.index));
    segment.digest = TRY(std::move(blob_).commit_to_cache());
    return segment;
  }

 private:
  Status write(const TarHeader& header, const std::string& sha256) {
    TRY(tar_.entry(header));
    const bool file = header.kind == io::TarKind::kFile;
    index_.entries.push_back({.path = header.path,
                              .kind = header.kind,
                              .mode = header.mode,
                              .size_bytes = file ? header.size_bytes : 0,
                              .offset = file ? tar_.bytes() : 0,
                              .mtime_s = header.mtime_s,
                              .sha256 = file ? sha256 : "",
                              .link_target = header.link_target});
    if (file && sha256.empty()) {
      hasher_.emplace();
    }
    last_ = header.path;
    return {};
  }

  Status end_file() {
    if (hasher_) {
      index_.entries.back().sha256 = hasher_->finish_hex();
      hasher_.reset();
    }
    return {};
  }

  // The directories that `path` lies in and that the entry before does not lie in.
  Status make_parents(const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      const std::string parent = path.substr(0, slash);
      if (parent != last_ && !is_within(last_, parent)) {
        TRY(write({.path = parent, .kind = io::TarKind::kDirectory, .mode = 0755}, ""));
      }
    }
    return {};
  }

  // A sync for each index would cost as much as the segment's own. After a power cut the index may
  // be gone or have another size, which SegmentStore sees; its digest is checked when it is read.
  Status put_unsynced(std::string_view bytes, const Digest& digest) {
    io::TemporaryFile file = TRY(io::TemporaryFile::create(join_path(store_.root(), "tmp")));
    TRY(file.write(bytes));
    file.close();
    return store_.adopt(file.path(), digest);
  }

  Status buffer(std::string_view bytes) {
    while (!bytes.empty()) {
      if (filled_ == 0 || pieces_[filled_ - 1].size() == kFrameBytes) {
        if (filled_ == kBatch) {
          TRY(flush());
        }
        if (++filled_ > pieces_.size()) {
          pieces_.emplace_back();
        }
      }
      std::string& piece = pieces_[filled_ - 1];
      const std::size_t count = std::min(bytes.size(), kFrameBytes - piece.size());
      if (piece.size() + count > piece.capacity()) {
        piece.reserve(std::min(kFrameBytes, 4 * (piece.size() + count)));
      }
      piece += bytes.substr(0, count);
      bytes.remove_prefix(count);
    }
    return {};
  }

  // One task hashes what the others compress.
  Status flush() {
    std::vector<std::string_view> made(filled_);
    frames_.resize(std::max(frames_.size(), filled_));
    TRY(pool_.run(filled_ + 1, [&](std::size_t i) -> Status {
      if (i > 0) {
        made[i - 1] = TRY(compressor_of(compression_).compress(pieces_[i - 1], frames_[i - 1]));
        return {};
      }
      for (std::size_t piece = 0; piece < filled_; ++piece) {
        raw_.update(pieces_[piece]);
      }
      return {};
    }));
    for (std::size_t i = 0; i < filled_; ++i) {
      index_.frames.push_back({.compressed_bytes = static_cast<std::uint32_t>(made[i].size()),
                               .tar_bytes = static_cast<std::uint32_t>(pieces_[i].size())});
      compressed_bytes_ += made[i].size();
      TRY(blob_.append(made[i]));
      pieces_[i].clear();  // keeps its memory for the next batch
    }
    filled_ = 0;
    return {};
  }

  const BlobStore& store_;
  SegmentCompression compression_;
  io::ThreadPool& pool_;
  BlobStore::Writer blob_;
  TarWriter tar_;
  Hasher raw_;
  std::optional<Hasher> hasher_;  // of the current file
  std::string last_;
  SegmentIndex index_;
  std::uint64_t compressed_bytes_ = 0;
  std::vector<std::string> pieces_;  // the first `filled_` hold something
  std::size_t filled_ = 0;
  std::vector<FrameBuffer> frames_;
};

SegmentWriter::SegmentWriter(std::unique_ptr<Body> body) : body_(std::move(body)) {}
SegmentWriter::SegmentWriter(SegmentWriter&&) noexcept = default;
SegmentWriter::~SegmentWriter() = default;

Result<SegmentWriter> SegmentWriter::create(const BlobStore& store, SegmentCompression compression,
                                            io::ThreadPool& pool) {
  BlobStore::Writer blob = TRY(store.writer());
  return SegmentWriter(std::make_unique<Body>(std::move(blob), store, compression, pool));
}

Status SegmentWriter::directory(const std::string& path, std::uint32_t mode) {
  return entry({.path = path, .kind = io::TarKind::kDirectory, .mode = mode});
}

Status SegmentWriter::symlink(const std::string& path, const std::string& target) {
  return entry({.path = path, .kind = io::TarKind::kSymlink, .mode = 0777, .link_target = target});
}

Status SegmentWriter::hardlink(const std::string& path, const std::string& existing) {
  return entry(
      {.path = path, .kind = io::TarKind::kHardlink, .mode = 0777, .link_target = existing});
}

Status SegmentWriter::file(const std::string& path, std::string_view content, std::uint32_t mode,
                           std::int64_t mtime_s) {
  TRY(entry({.path = path, .mode = mode, .size_bytes = content.size(), .mtime_s = mtime_s}));
  return this->content(content);
}

Status SegmentWriter::entry(const TarHeader& header, const std::string& sha256) {
  return body_->entry(header, sha256);
}

Status SegmentWriter::content(std::string_view bytes) { return body_->content(bytes); }

Result<Segment> SegmentWriter::finish() && { return body_->finish(); }

std::string_view to_string(SegmentCompression compression) {
  return compression == SegmentCompression::kZstd ? "zstd" : "gzip";
}

Result<SegmentCompression> parse_compression(std::string_view text) {
  for (const SegmentCompression one : {SegmentCompression::kZstd, SegmentCompression::kGzip}) {
    if (text == to_string(one)) {
      return one;
    }
  }
  return fail(ErrorKind::kInvalid, "'{}' is no compression of layers", printable(text))
      .with_hint("zstd or gzip");
}

const std::string& layer_end(SegmentCompression compression) {
  const auto make = [](SegmentCompression one) {
    FrameBuffer buffer;
    return std::string(*FrameCompressor(one).compress(std::string(kTarEndBytes, '\0'), buffer));
  };
  static const std::string kZstd = make(SegmentCompression::kZstd);
  static const std::string kGzip = make(SegmentCompression::kGzip);
  return compression == SegmentCompression::kZstd ? kZstd : kGzip;
}

}  // namespace cloche::blob
