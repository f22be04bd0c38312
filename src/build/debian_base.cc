#include "build/debian_base.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "image/image_files.h"
#include "io/disk_files.h"
#include "io/file.h"

namespace cloche::build {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{32} << 20U;
constexpr std::size_t kMaxMemoryBytes = 4096;
constexpr std::int64_t kFormat = 1;

using Files = std::map<std::string, std::string>;

// dpkg's own file, or the parts that images without dpkg have.
std::string status_of(const Files& files) {
  constexpr std::string_view kParts = "var/lib/dpkg/status.d/";
  if (const auto whole = files.find("var/lib/dpkg/status"); whole != files.end()) {
    return whole->second;
  }
  std::string out;
  for (const auto& [path, content] : files) {
    if (path.starts_with(kParts) && !path.ends_with(".md5sums")) {
      out += content;
      out += "\n\n";
    }
  }
  return out;
}

// "bookworm" of the first source that names no pocket.
std::string codename_of_sources(const Files& files) {
  for (const auto& [path, content] : files) {
    if (!path.starts_with("etc/apt/")) {
      continue;
    }
    Diagnostics unheard;
    const auto sources = source::parse_apt_sources(content, path, unheard);
    if (sources && !sources->empty()) {
      const std::string& suite = sources->front().suite;
      return suite.substr(0, suite.find_first_of("-/"));
    }
  }
  return "";
}

source::OsRelease release_of(const Files& files) {
  source::OsRelease out;
  for (const char* path : {"etc/os-release", "usr/lib/os-release"}) {
    if (const auto found = files.find(path); found != files.end()) {
      out = source::parse_os_release(found->second);
      break;
    }
  }
  if (out.codename.empty()) {
    out.codename = codename_of_sources(files);
  }
  return out;
}

struct Memory {
  std::string release;  // path
  std::string installed;
};

Memory memory_of(const std::string& directory, const Digest& digest) {
  const std::string path = join_path(directory, digest.hex());
  return {path + ".json", fmt::format("{}-v{}.idx", path, source::package_index_layout::kVersion)};
}

std::optional<DebianBase> recall(const Memory& memory) {
  const auto text = io::DiskFiles().read(memory.release, kMaxMemoryBytes);
  const auto json = text ? parse_json(*text) : Result<Json>(text.error());
  if (!json || (*json)["format"] != Json(kFormat)) {
    return std::nullopt;
  }
  auto installed = source::PackageIndex::open(memory.installed);
  if (!installed) {
    return std::nullopt;
  }
  DebianBase out;
  out.release = {json->string_or_empty("id"), json->string_or_empty("codename"),
                 json->string_or_empty("version")};
  out.installed = std::move(*installed);
  return out;
}

// One that cannot be written is not needed.
void remember(const Memory& memory, const DebianBase& base, const std::string& index) {
  Json json;
  json.set("format", kFormat)
      .set("id", base.release.id)
      .set("codename", base.release.codename)
      .set("version", base.release.version);
  if (io::write_file_atomically(memory.installed, index)) {
    (void)io::write_file_atomically(memory.release, json.dump() + "\n");
  }
}

Result<DebianBase> read(const image::BaseImage& base, const blob::BlobStore& blobs,
                        const Memory& memory, const std::stop_token& stop) {
  const std::array<std::string, 6> wanted = {"var/lib/dpkg/status",  "var/lib/dpkg/status.d/*",
                                             "etc/os-release",       "usr/lib/os-release",
                                             "etc/apt/sources.list", "etc/apt/sources.list.d/*"};
  const Files files =
      TRY(image::read_image_files(blobs, base.manifest, wanted, kMaxFileBytes, stop));
  const std::string status = status_of(files);
  if (status.empty()) {
    return fail(ErrorKind::kUnsupported, "the base image {} has no dpkg: it is no Debian",
                printable(base.reference))
        .with_hint("take a base such as debian:bookworm-slim for apt packages");
  }
  DebianBase out;
  out.release = release_of(files);
  if (out.release.codename.empty() || out.release.id.empty()) {
    return fail(ErrorKind::kUnsupported, "the base image {} does not say which release it is",
                printable(base.reference))
        .with_hint("its etc/os-release has no ID and VERSION_CODENAME, and it has no apt sources");
  }
  std::string index = TRY(source::make_package_index(status, source::ParagraphsOf::kStatus)
                              .context("in var/lib/dpkg/status of {}", printable(base.reference)));
  remember(memory, out, index);
  out.installed = TRY(source::PackageIndex::from_bytes(std::move(index)));
  return out;
}

}  // namespace

Result<DebianBase> debian_base(const image::BaseImage& base, const blob::BlobStore& blobs,
                               const std::string& directory, const std::stop_token& stop) {
  if (base.digest.empty()) {
    return fail(ErrorKind::kUnsupported, "the base {} has no Debian packages",
                printable(base.reference))
        .with_hint("take a base such as debian:bookworm-slim for apt packages");
  }
  const Memory memory = memory_of(directory, base.digest);
  std::optional<DebianBase> known = recall(memory);
  DebianBase out = known ? std::move(*known) : TRY(read(base, blobs, memory, stop));
  out.reference = base.reference;
  out.digest = base.digest.to_string();
  return out;
}

}  // namespace cloche::build
