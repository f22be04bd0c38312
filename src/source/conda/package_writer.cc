#include "source/conda/package_writer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <bzlib.h>
#include <zstd.h>

#include "core/check.h"
#include "core/digest.h"
#include "core/files.h"
#include "core/text.h"
#include "io/decompress.h"
#include "io/file.h"
#include "io/mapped_file.h"
#include "io/reader.h"
#include "io/temporary.h"
#include "io/zip_writer.h"

namespace cloche::source {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10U;

Error no_memory() { return fail(ErrorKind::kUnavailable, "no memory for compressing"); }

// A stream of zstd: what is put in comes out of the sink sooner or later.
class ZstdStream {
 public:
  ZstdStream(PayloadWriter::Sink sink, int level)
      : sink_(std::move(sink)), context_(ZSTD_createCCtx()), out_(kBufferBytes) {
    if (context_ != nullptr) {
      ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
      ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    }
  }

  Status put(std::string_view bytes, bool end = false) {
    if (context_ == nullptr) {
      return no_memory();
    }
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (true) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left =
          ZSTD_compressStream2(context_.get(), &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0) {
        return no_memory();
      }
      if (out.pos > 0) {
        TRY(sink_(std::string_view(out_.data(), out.pos)));
      }
      if (end ? left == 0 : in.pos == in.size) {
        return {};
      }
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  PayloadWriter::Sink sink_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::vector<char> out_;
};

// The same for bzip2.
class Bzip2Stream {
 public:
  explicit Bzip2Stream(PayloadWriter::Sink sink) : sink_(std::move(sink)), out_(kBufferBytes) {
    good_ = BZ2_bzCompressInit(&stream_, 9, 0, 0) == BZ_OK;
  }
  ~Bzip2Stream() {
    if (good_) {
      BZ2_bzCompressEnd(&stream_);
    }
  }
  Bzip2Stream(const Bzip2Stream&) = delete;
  Bzip2Stream& operator=(const Bzip2Stream&) = delete;

  Status put(std::string_view bytes, bool end = false) {
    if (!good_) {
      return no_memory();
    }
    std::string in(bytes);  // bzip2 takes no const
    stream_.next_in = in.data();
    stream_.avail_in = static_cast<unsigned>(in.size());
    while (stream_.avail_in > 0 || end) {
      stream_.next_out = out_.data();
      stream_.avail_out = static_cast<unsigned>(out_.size());
      const int code = BZ2_bzCompress(&stream_, end ? BZ_FINISH : BZ_RUN);
      CHECK(code >= 0);
      if (stream_.avail_out < out_.size()) {
        TRY(sink_(std::string_view(out_.data(), out_.size() - stream_.avail_out)));
      }
      if (code == BZ_STREAM_END) {
        return {};
      }
    }
    return {};
  }

 private:
  PayloadWriter::Sink sink_;
  std::vector<char> out_;
  bz_stream stream_{};
  bool good_ = false;
};

// The files below info/ as entries of a tar; the end of the archive is not written.
Status write_info(const std::map<std::string, std::string>& info, blob::TarWriter& tar) {
  for (const auto& [name, content] : info) {
    TRY(tar.entry({.path = "info/" + name, .size_bytes = content.size()}));
    TRY(tar.content(content));
  }
  return {};
}

std::string_view tar_end() {
  static constexpr std::array<char, blob::kTarEndBytes> kZeros{};
  return {kZeros.data(), kZeros.size()};
}

Status write_conda(io::TemporaryFile& file, const std::string& distribution,
                   std::string_view payload, const std::map<std::string, std::string>& info) {
  std::string info_bytes;
  ZstdStream zstd(
      [&](std::string_view bytes) -> Status {
        info_bytes += bytes;
        return {};
      },
      3);
  blob::TarWriter tar([&](std::string_view bytes) { return zstd.put(bytes); });
  TRY(write_info(info, tar));
  TRY(zstd.put(tar_end(), true));
  const std::array<io::StoredMember, 3> members = {{
      {"metadata.json", R"({"conda_pkg_format_version": 2})"},
      {"pkg-" + distribution + ".tar.zst", payload},
      {"info-" + distribution + ".tar.zst", info_bytes},
  }};
  return io::write_stored_zip(members, [&](std::string_view bytes) { return file.write(bytes); });
}

// info/ stands first, so that whoever needs only that reads no more.
Status write_tar_bz2(io::TemporaryFile& file, std::string_view payload,
                     const std::map<std::string, std::string>& info) {
  Bzip2Stream bzip2([&](std::string_view bytes) { return file.write(bytes); });
  blob::TarWriter tar([&](std::string_view bytes) { return bzip2.put(bytes); });
  TRY(write_info(info, tar));
  io::MemoryReader compressed(payload);
  const std::unique_ptr<io::Reader> reader = io::decompress(compressed, io::Compression::kZstd);
  std::vector<char> buffer(kBufferBytes);
  while (const std::size_t size = TRY(reader->read(buffer))) {
    TRY(bzip2.put(std::string_view(buffer.data(), size)));
  }
  return bzip2.put("", true);
}

}  // namespace

struct PayloadWriter::Compressor {
  ZstdStream stream;
};

PayloadWriter::PayloadWriter(Sink sink, int level)
    : compressor_(std::make_unique<Compressor>(ZstdStream(std::move(sink), level))),
      tar_([to = compressor_.get()](std::string_view bytes) { return to->stream.put(bytes); }) {}

PayloadWriter::~PayloadWriter() = default;
PayloadWriter::PayloadWriter(PayloadWriter&&) noexcept = default;

Status PayloadWriter::note(const std::string& path) {
  return seen_.insert(path).second
             ? Status()
             : Status(fail(ErrorKind::kInvalid, "{} is there twice", printable(path)));
}

Status PayloadWriter::file(const File& file, std::string_view content) {
  TRY(note(file.path));
  TRY(tar_.entry({.path = file.path,
                  .mode = file.executable ? 0755U : 0644U,
                  .size_bytes = content.size(),
                  .mtime_s = file.mtime_s}));
  TRY(tar_.content(content));
  PathEntry entry;
  entry.path = file.path;
  entry.file_mode = file.mode;
  entry.placeholder = file.placeholder;
  entry.sha256 = Digest::of(content).hex();
  entry.size_bytes = content.size();
  paths_.push_back(std::move(entry));
  return {};
}

Status PayloadWriter::symlink(const std::string& path, const std::string& target) {
  TRY(note(path));
  TRY(tar_.entry({.path = path, .kind = io::TarKind::kSymlink, .link_target = target}));
  PathEntry entry;
  entry.path = path;
  entry.type = PathType::kSoftlink;
  entry.sha256 = Digest::of("").hex();
  entry.size_bytes = 0;
  paths_.push_back(std::move(entry));
  return {};
}

Result<std::vector<PathEntry>> PayloadWriter::finish() {
  TRY(compressor_->stream.put(tar_end(), true));
  std::ranges::sort(paths_, {}, &PathEntry::path);
  return std::move(paths_);
}

std::string paths_json_text(const std::vector<PathEntry>& paths) {
  Json lines = Json::array();
  for (const PathEntry& entry : paths) {
    Json line = Json::object();
    line.set("_path", entry.path);
    line.set("path_type", entry.type == PathType::kSoftlink ? "softlink" : "hardlink");
    if (!entry.placeholder.empty()) {
      line.set("prefix_placeholder", entry.placeholder);
      line.set("file_mode", entry.file_mode == FileMode::kText ? "text" : "binary");
    }
    line.set("sha256", entry.sha256);
    line.set("size_in_bytes", static_cast<std::int64_t>(entry.size_bytes.value_or(0)));
    lines.push(std::move(line));
  }
  return Json::object().set("paths", std::move(lines)).set("paths_version", 1).dump(2) + "\n";
}

void add_path_lists(const std::vector<PathEntry>& paths, std::map<std::string, std::string>& info) {
  std::string files;
  std::string has_prefix;
  for (const PathEntry& entry : paths) {
    files += entry.path + "\n";
    if (!entry.placeholder.empty()) {
      has_prefix += entry.placeholder;
      has_prefix += entry.file_mode == FileMode::kText ? " text \"" : " binary \"";
      has_prefix += entry.path + "\"\n";
    }
  }
  info["files"] = std::move(files);
  if (!has_prefix.empty()) {
    info["has_prefix"] = std::move(has_prefix);
  }
}

Status write_package(const std::string& path, std::string_view payload,
                     const std::map<std::string, std::string>& info) {
  io::TemporaryFile file = TRY(io::TemporaryFile::create(parent_path(path)));
  std::string_view name = base_name(path);
  if (name.ends_with(".tar.bz2")) {
    TRY(write_tar_bz2(file, payload, info).context("writing {}", path));
  } else {
    CHECK(name.ends_with(".conda"));
    name.remove_suffix(std::string_view(".conda").size());
    TRY(write_conda(file, std::string(name), payload, info).context("writing {}", path));
  }
  return std::move(file).rename_to(path);
}

Result<Json> repodata_record(const Json& index, const std::string& archive_path) {
  if (!index.is_object()) {
    return fail(ErrorKind::kInvalid, "{}: its index.json is no object", archive_path);
  }
  const io::MappedFile archive = TRY(io::MappedFile::open(archive_path));
  Hasher md5(Hasher::Algorithm::kMd5);
  md5.update(archive.bytes());
  Json record = index;
  record.set("md5", md5.finish_hex());
  record.set("sha256", Digest::of(archive.bytes()).hex());
  record.set("size", static_cast<std::int64_t>(archive.bytes().size()));
  return record;
}

Status write_repodata(const std::string& directory, const std::string& subdir,
                      const std::map<std::string, Json>& records) {
  Json old_format = Json::object();
  Json new_format = Json::object();
  for (const auto& [name, record] : records) {
    (name.ends_with(".conda") ? new_format : old_format).set(name, record);
  }
  const std::string text = Json::object()
                               .set("info", Json::object().set("subdir", subdir))
                               .set("packages", std::move(old_format))
                               .set("packages.conda", std::move(new_format))
                               .set("removed", Json::array())
                               .set("repodata_version", 1)
                               .dump(1) +
                           "\n";
  std::string compressed;
  ZstdStream zstd(
      [&](std::string_view bytes) -> Status {
        compressed += bytes;
        return {};
      },
      9);
  TRY(zstd.put(text, true));
  const std::string folder = join_path(directory, subdir);
  TRY(io::make_directories(folder));
  TRY(io::write_file_atomically(join_path(folder, "repodata.json.zst"), compressed));
  return io::write_file_atomically(join_path(folder, "repodata.json"), text);
}

}  // namespace cloche::source
