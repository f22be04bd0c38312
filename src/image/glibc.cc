#include "image/glibc.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "core/ascii.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "image/layer_reader.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/reader.h"
#include "io/tar_reader.h"
#include "package/conda/match_spec.h"
#include "package/conda/matching.h"
#include "package/conda/version.h"

namespace cloche::image {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30U;  // uncompressed, of all layers
constexpr std::size_t kMaxStatusBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxMemoryBytes = 4096;

// "2.36" of "2.36-9+deb12u10", "2.31.so", "2.38.9000"; "" when it does not begin so.
std::string leading_version(std::string_view text) {
  constexpr std::size_t kMostDigits = 4;
  const auto digits = [&](std::size_t from) {
    std::size_t end = from;
    while (end < text.size() && end - from < kMostDigits && is_digit(text[end])) {
      ++end;
    }
    return end;
  };
  const std::size_t dot = digits(0);
  if (dot == 0 || dot >= text.size() || text[dot] != '.') {
    return "";
  }
  const std::size_t end = digits(dot + 1);
  return end == dot + 1 ? "" : std::string(text.substr(0, end));
}

// Where the loader of the image's own processor looks: not a cross compiler's sysroot, not lib32.
// Debian's directories are named "x86_64-linux-gnu"; Nix has one for each package.
bool is_library_directory(std::string_view directory) {
  if (directory.starts_with("nix/store/")) {
    return directory.contains("-glibc-") && directory.ends_with("/lib");
  }
  if (directory.starts_with("usr/")) {
    directory.remove_prefix(4);
  }
  constexpr std::array<std::string_view, 6> kDirectories = {"lib",
                                                            "lib64",
                                                            "lib/x86_64-linux-gnu",
                                                            "lib/aarch64-linux-gnu",
                                                            "lib64/x86_64-linux-gnu",
                                                            "lib64/aarch64-linux-gnu"};
  return std::ranges::find(kDirectories, directory) != kDirectories.end();
}

// glibc's banner: "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36."
class Banner {
 public:
  void take(std::string_view piece) {
    window_ += piece;
    for (std::size_t at = window_.find(kMark); at != std::string::npos && version_.empty();
         at = window_.find(kMark, at + 1)) {
      if (at + kMark.size() + kTail > window_.size()) {
        break;  // the number may go on in the next piece
      }
      version_ = leading_version(std::string_view(window_).substr(at + kMark.size()));
    }
    const std::size_t keep = kMark.size() + kTail;
    if (window_.size() > keep) {
      window_.erase(0, window_.size() - keep);
    }
  }
  void end() { take(std::string(kTail, '\0')); }
  const std::string& version() const { return version_; }

 private:
  static constexpr std::string_view kMark = "release version ";
  static constexpr std::size_t kTail = 32;  // more than a version is long

  std::string window_;
  std::string version_;
};

// dpkg's paragraph of libc6 (deb-control(5)).
std::string version_in_status(std::string_view status) {
  bool wanted = false;
  for (const std::string_view line : split_lines(status)) {
    if (line.starts_with("Package:")) {
      wanted = trim(line.substr(8)) == "libc6";
    } else if (wanted && line.starts_with("Version:")) {
      return leading_version(trim(line.substr(8)));
    }
  }
  return "";
}

// One layer's entries, until one tells.
class LayerSearch {
 public:
  explicit LayerSearch(io::Reader& tar) : reader_(tar) {}

  Result<std::optional<CLibrary>> run() {
    io::TarEntry entry;
    bool musl = false;
    while (TRY(reader_.next(entry))) {
      const std::string path = normal_path(entry.path);
      const std::string version = TRY(version_at(path, entry));
      if (!version.empty()) {
        return std::optional(CLibrary{CLibrary::Kind::kGlibc, version});
      }
      musl = musl ||
             (base_name(path).starts_with("ld-musl-") && is_library_directory(parent_path(path)));
    }
    return musl ? std::optional(CLibrary{.kind = CLibrary::Kind::kMusl})
                : std::optional<CLibrary>();
  }

 private:
  Result<std::string> version_at(const std::string& path, const io::TarEntry& entry) {
    const std::string_view name = base_name(path);
    if (name.starts_with("libc") && is_library_directory(parent_path(path))) {
      return version_of_library(name, entry);
    }
    const bool status = path == "var/lib/dpkg/status" || path == "var/lib/dpkg/status.d/libc6";
    if (status && entry.kind == io::TarKind::kFile && entry.size_bytes <= kMaxStatusBytes) {
      return version_in_status(TRY(content()));
    }
    return std::string();
  }

  Result<std::string> version_of_library(std::string_view name, const io::TarEntry& entry) {
    constexpr std::string_view kVersioned = "libc-";
    if (name == "libc.so.6" && entry.kind == io::TarKind::kSymlink) {
      name = base_name(entry.link_target);
    }
    if (name.starts_with(kVersioned) && name.ends_with(".so")) {
      return leading_version(name.substr(kVersioned.size()));
    }
    if (name != "libc.so.6" || entry.kind != io::TarKind::kFile) {
      return std::string();
    }
    Banner banner;
    for (;;) {
      const std::string_view piece = TRY(reader_.content());
      if (piece.empty()) {
        banner.end();
        return banner.version();
      }
      banner.take(piece);
    }
  }

  Result<std::string> content() {
    std::string out;
    for (;;) {
      const std::string_view piece = TRY(reader_.content());
      if (piece.empty()) {
        return out;
      }
      out += piece;
    }
  }

  io::TarReader reader_;
};

constexpr std::array<std::string_view, 3> kKinds = {"unknown", "glibc", "musl"};

std::string remembered_text(const CLibrary& library) {
  Json json;
  json.set("format", 1)
      .set("library", kKinds.at(static_cast<std::size_t>(library.kind)))
      .set("version", library.version);
  return json.dump() + "\n";
}

std::optional<CLibrary> recall(const std::string& path) {
  const auto text = io::DiskFiles().read(path, kMaxMemoryBytes);
  const auto json = text ? parse_json(*text) : Result<Json>(text.error());
  if (!json || (*json)["format"] != Json(1)) {
    return std::nullopt;
  }
  const auto* const kind = std::ranges::find(kKinds, json->string_or_empty("library"));
  if (kind == kKinds.end()) {
    return std::nullopt;
  }
  CLibrary out;
  out.kind = static_cast<CLibrary::Kind>(kind - kKinds.begin());
  out.version = leading_version(json->string_or_empty("version"));
  const bool glibc = out.kind == CLibrary::Kind::kGlibc;
  return glibc == out.version.empty() ? std::nullopt : std::optional(out);
}

}  // namespace

std::string CLibrary::to_string() const {
  switch (kind) {
    case Kind::kGlibc:
      return "glibc " + version;
    case Kind::kMusl:
      return "musl";
    case Kind::kUnknown:
      break;
  }
  return "no C library that is known";
}

Result<CLibrary> find_c_library(const blob::BlobStore& blobs, const Manifest& manifest,
                                const std::stop_token& stop) {
  std::uint64_t left = kMostBytes;
  for (const Descriptor& layer : manifest.layers) {
    const std::unique_ptr<io::Reader> tar = TRY(open_layer(blobs, layer, left, stop));
    auto found = LayerSearch(*tar).run();
    if (!found && left > 0) {
      return std::move(found).error();
    }
    if (found) {
      if (const std::optional<CLibrary>& library = *found; library.has_value()) {
        return *library;
      }
    }
    if (left == 0) {
      break;
    }
  }
  return CLibrary{};
}

Result<CLibrary> c_library_of(const blob::BlobStore& blobs, const Digest& digest,
                              const Manifest& manifest, const std::string& directory,
                              const std::stop_token& stop) {
  const std::string path = join_path(directory, digest.hex() + ".json");
  if (auto known = recall(path)) {
    return std::move(*known);
  }
  CLibrary found = TRY(find_c_library(blobs, manifest, stop));
  (void)io::write_file_atomically(path, remembered_text(found));
  return found;
}

Result<std::vector<std::string>> unmet_needs(std::span<const std::string> needs,
                                             const CLibrary& library) {
  std::vector<std::string> out;
  if (library.kind == CLibrary::Kind::kUnknown) {
    return out;
  }
  for (const std::string& need : needs) {
    const conda::MatchSpec spec = TRY(conda::parse_match_spec(need));
    if (spec.name != "__glibc") {
      continue;
    }
    bool met = false;
    if (library.kind == CLibrary::Kind::kGlibc) {
      const conda::Version version = TRY(conda::Version::parse(library.version));
      conda::RecordView record;
      record.name = "__glibc";
      record.version = &version;
      record.build = "0";
      met = TRY(conda::RecordMatcher::compile(spec)).matches(record);
    }
    if (!met) {
      out.push_back(need);
    }
  }
  return out;
}

}  // namespace cloche::image
