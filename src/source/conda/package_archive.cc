#include "source/conda/package_archive.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "core/json.h"
#include "core/text.h"
#include "io/decompress.h"
#include "io/reader.h"
#include "io/zip_directory.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxComponentBytes = 255;
constexpr std::uint64_t kAlwaysAllowedBytes = std::uint64_t{64} << 20U;
constexpr std::uint64_t kMaxExpansion = 1000;
constexpr std::int64_t kFormatVersion = 2;

std::uint64_t content_limit(std::uint64_t file_bytes) {
  return std::max(kAlwaysAllowedBytes, file_bytes * kMaxExpansion);
}

std::string shown(std::string_view path) { return printable(path.substr(0, 200)); }

// The member "info-....tar.zst" or "pkg-....tar.zst". Its middle should be the package's name, but
// people rename archives, so there must be one and only one.
Result<const io::ZipMember*> find_member(const io::ZipDirectory& zip, std::string_view kind) {
  const io::ZipMember* found = nullptr;
  for (const io::ZipMember& member : zip.members()) {
    if (!member.name.starts_with(kind) || !member.name.ends_with(".tar.zst")) {
      continue;
    }
    if (found != nullptr) {
      return fail(ErrorKind::kInvalid, "it holds two {}*.tar.zst", kind);
    }
    found = &member;
  }
  if (found == nullptr) {
    return fail(ErrorKind::kInvalid, "it holds no {}*.tar.zst", kind)
        .with_hint("a .conda file holds metadata.json, info-*.tar.zst and pkg-*.tar.zst (CEP 35)");
  }
  return found;
}

// Old archives have no metadata.json; one that is there must say what we know.
Status check_format_version(const io::ZipDirectory& zip) {
  constexpr std::size_t kMaxBytes = std::size_t{64} * 1024;
  for (const io::ZipMember& member : zip.members()) {
    if (member.name != "metadata.json") {
      continue;
    }
    const std::unique_ptr<io::Reader> reader = TRY(zip.read(member));
    const std::string text = TRY(io::read_all(*reader, kMaxBytes).context("in metadata.json"));
    const Json json = TRY(parse_json(text, "metadata.json"));
    const Json& version = json["conda_pkg_format_version"];
    if (version.is_integer() && version.as_integer() != kFormatVersion) {
      return fail(ErrorKind::kUnsupported, "its format version is {}; {} is read",
                  version.as_integer(), kFormatVersion);
    }
  }
  return {};
}

}  // namespace

Result<std::string> package_path(std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, "the path '{}' {}", shown(path), why);
  };
  if (path.starts_with('/')) {
    return refuse("is absolute");
  }
  if (path.size() > kMaxPathBytes || path.find('\0') != std::string_view::npos) {
    return refuse(path.size() > kMaxPathBytes ? "is too long" : "holds a NUL byte");
  }
  std::string out;
  out.reserve(path.size());
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      return refuse("leads out with '..'");
    }
    if (part.size() > kMaxComponentBytes) {
      return refuse("has a part that is too long");
    }
    if (!out.empty()) {
      out += '/';
    }
    out += part;
  }
  if (out.empty()) {
    return refuse("is empty");
  }
  return out;
}

// The readers in the order in which the bytes come, each using the one before it.
struct EntryStream::State {
  std::unique_ptr<io::ZipDirectory> zip;
  std::unique_ptr<io::FileReader> file;
  std::unique_ptr<io::Reader> member;
  std::unique_ptr<io::Reader> plain;
  std::unique_ptr<io::TarReader> tar;

  bool info = false;
  std::uint64_t bytes_left = 0;
  std::unordered_set<std::string> seen;

  Status check(io::TarEntry& entry);
};

EntryStream::EntryStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
EntryStream::EntryStream(EntryStream&&) noexcept = default;
EntryStream::~EntryStream() = default;

Result<bool> EntryStream::next(io::TarEntry& entry) {
  while (TRY(state_->tar->next(entry))) {
    if (entry.kind == io::TarKind::kDirectory && (entry.path == "." || entry.path.empty())) {
      continue;  // `tar c .` names the root itself
    }
    TRY(state_->check(entry));
    const bool is_info = entry.path == "info" || entry.path.starts_with("info/");
    if (is_info == state_->info) {
      return true;
    }
  }
  return false;
}

Result<std::string_view> EntryStream::content() { return state_->tar->content(); }

Status EntryStream::State::check(io::TarEntry& entry) {
  entry.path = TRY(package_path(entry.path));
  if (entry.kind == io::TarKind::kDevice || entry.kind == io::TarKind::kFifo) {
    return fail(ErrorKind::kInvalid, "{} is a {}", shown(entry.path),
                entry.kind == io::TarKind::kFifo ? "FIFO" : "device");
  }
  const bool link = entry.kind == io::TarKind::kSymlink || entry.kind == io::TarKind::kHardlink;
  if (link && entry.link_target.empty()) {
    return fail(ErrorKind::kInvalid, "the link {} has no target", shown(entry.path));
  }
  if (entry.size_bytes > bytes_left) {
    return fail(ErrorKind::kInvalid, "{} makes the content larger than is believable",
                shown(entry.path));
  }
  bytes_left -= entry.size_bytes;
  if (!seen.insert(entry.path).second && entry.kind != io::TarKind::kDirectory) {
    return fail(ErrorKind::kInvalid, "{} is there twice", shown(entry.path));
  }
  return {};
}

Result<PackageArchive> PackageArchive::open(const std::string& path,
                                            const std::string& temporary_directory) {
  PackageArchive archive;
  archive.path_ = path;
  archive.temporary_directory_ = temporary_directory;
  const io::Descriptor file = TRY(io::open_for_reading(path));
  std::array<char, 4> magic{};
  const std::size_t count = TRY(io::read_some(file, magic.data(), magic.size(), path));
  archive.file_bytes_ = TRY(io::file_size(file, path));
  const std::string_view start(magic.data(), count);
  if (start.starts_with("PK")) {
    TRY(archive.check_conda());
    return archive;
  }
  if (start.starts_with("BZh")) {
    TRY(archive.unpack_tar_bz2());
    return archive;
  }
  return fail(ErrorKind::kInvalid, "it is no conda package: neither a ZIP file nor bzip2")
      .with_hint("fetch it again: a server's error page often has a package's name");
}

Status PackageArchive::check_conda() const {
  const io::ZipDirectory zip = TRY(io::ZipDirectory::open(path_));
  TRY(check_format_version(zip));
  for (const std::string_view kind : {"info-", "pkg-"}) {
    TRY(zip.read(*TRY(find_member(zip, kind))));
  }
  return {};
}

Status PackageArchive::unpack_tar_bz2() {
  io::FileReader file = TRY(io::FileReader::open(path_));
  const std::unique_ptr<io::Reader> plain = io::decompress(file, io::Compression::kBzip2);
  tar_.emplace(TRY(io::TemporaryFile::create(io::temporary_place(temporary_directory_), 0600)));
  std::string buffer(std::size_t{256} * 1024, '\0');
  for (std::uint64_t left = content_limit(file_bytes_);;) {
    const std::size_t count = TRY(plain->read(buffer));
    if (count == 0) {
      tar_->close();
      return {};
    }
    if (count > left) {
      return fail(ErrorKind::kInvalid, "its content is larger than is believable");
    }
    left -= count;
    TRY(tar_->write(std::string_view(buffer).substr(0, count)));
  }
}

Result<EntryStream> PackageArchive::stream(bool info) const {
  auto state = std::make_unique<EntryStream::State>();
  state->info = info;
  state->bytes_left = content_limit(file_bytes_);
  if (tar_) {
    state->file = std::make_unique<io::FileReader>(TRY(io::FileReader::open(tar_->path())));
    state->tar = std::make_unique<io::TarReader>(*state->file);
    return EntryStream(std::move(state));
  }
  state->zip = std::make_unique<io::ZipDirectory>(TRY(io::ZipDirectory::open(path_)));
  const io::ZipMember* member = TRY(find_member(*state->zip, info ? "info-" : "pkg-"));
  state->member = TRY(state->zip->read(*member));
  state->plain = io::decompress(*state->member, io::Compression::kZstd);
  state->tar = std::make_unique<io::TarReader>(*state->plain);
  return EntryStream(std::move(state));
}

}  // namespace cloche::source
