#include "image/layout.h"

#include <algorithm>

#include "blob/work_lock.h"
#include "core/ascii.h"
#include "core/files.h"
#include "core/text.h"
#include "image/json_fields.h"
#include "image/media_type.h"
#include "io/disk_files.h"
#include "io/file.h"

namespace cloche::image {
namespace {

constexpr std::string_view kVersion = "1.0.0";
constexpr std::size_t kMaxVersionBytes = 4096;
constexpr std::size_t kMaxIndexBytes = std::size_t{64} << 20U;
constexpr std::size_t kMaxNameBytes = 1024;

std::string name_of(const Descriptor& manifest) {
  const auto found = manifest.annotations.find(std::string(kRefNameAnnotation));
  return found == manifest.annotations.end() ? "" : found->second;
}

Error no_image(std::string_view name, const ImageIndex& index) {
  std::vector<std::string> names;
  names.reserve(index.manifests.size());
  for (const Descriptor& manifest : index.manifests) {
    names.push_back(name_of(manifest));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(name, views);
  return fail(ErrorKind::kNotFound, "there is no image \"{}\"", printable(name))
      .with_hint(near.empty() ? "" : "did you mean " + printable(near) + "?");
}

Status check_version(const std::string& path) {
  io::DiskFiles disk;
  const std::string text = TRY(disk.read(path, kMaxVersionBytes));
  const Json json = TRY(parse_document(text, kMaxVersionBytes, "file oci-layout"));
  const std::string version = TRY(text_field(json, "imageLayoutVersion", "oci-layout"));
  if (version != kVersion) {
    return fail(ErrorKind::kUnsupported, "{} is of version \"{}\", only {} is read",
                printable(path), printable(version), kVersion);
  }
  return {};
}

bool exists(const std::string& path) { return io::DiskFiles().kind(path).has_value(); }

}  // namespace

// component ::= alphanum ([-._:@/+] alphanum)*, and "--" too; the separators of image-spec's
// annotations.md.
bool is_ref_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || !is_alnum(name.front()) ||
      !is_alnum(name.back())) {
    return false;
  }
  return std::ranges::all_of(
      name, [](char c) { return is_alnum(c) || std::string_view("-._:@/+").contains(c); });
}

Layout::Layout(std::string root) : root_(std::move(root)), blobs_(root_) {}

Status Layout::create() const {
  const std::string version = join_path(root_, "oci-layout");
  const std::string index = join_path(root_, "index.json");
  if (exists(version) && exists(index)) {
    return check_version(version);
  }
  TRY(io::make_directories(join_path(root_, "blobs/sha256")));
  return change([](ImageIndex&) -> Status { return {}; });
}

Result<ImageIndex> Layout::read_index() const {
  const std::string path = join_path(root_, "index.json");
  if (!exists(path)) {
    return ImageIndex{};
  }
  const std::string text = TRY(io::DiskFiles().read(path, kMaxIndexBytes));
  auto index = parse_image_index(text, "", kMaxIndexBytes).context("in {}", printable(path));
  if (!index) {
    Error error = std::move(index).error();
    error.kind = ErrorKind::kCorrupt;
    return error;
  }
  return std::move(*index);
}

Result<std::vector<StoredImage>> Layout::list() const {
  ImageIndex index = TRY(read_index());
  std::vector<StoredImage> images;
  for (Descriptor& manifest : index.manifests) {
    StoredImage image{.name = name_of(manifest), .manifest = std::move(manifest)};
    image.manifest.annotations.erase(std::string(kRefNameAnnotation));
    images.push_back(std::move(image));
  }
  return images;
}

Result<Descriptor> Layout::find(std::string_view name) const {
  ImageIndex index = TRY(read_index());
  for (Descriptor& manifest : index.manifests) {
    if (!name.empty() && name_of(manifest) == name) {
      manifest.annotations.erase(std::string(kRefNameAnnotation));
      return std::move(manifest);
    }
  }
  return no_image(name, index);
}

// Whoever reads sees the index before or after: it is replaced by a rename.
Status Layout::change(const std::function<Status(ImageIndex&)>& edit) const {
  TRY(io::make_directories(root_));
  Progress nobody;
  const blob::WorkLock lock =
      TRY(blob::WorkLock::hold(root_, "index.json", "changing the list of images", {}, nobody));
  const std::string version = join_path(root_, "oci-layout");
  if (exists(version)) {
    TRY(check_version(version));
  } else {
    Json json = Json::object();
    TRY(io::write_file_atomically(version, json.set("imageLayoutVersion", kVersion).dump()));
  }
  ImageIndex index = TRY(read_index());
  const ImageIndex before = index;
  TRY(edit(index));
  const std::string path = join_path(root_, "index.json");
  if (index == before && exists(path)) {
    return {};
  }
  TRY(blobs_.sync());  // what is named must be there after a power cut
  return io::write_file_atomically(path, index.to_json());
}

Status Layout::set(std::string_view name, const Descriptor& manifest) const {
  if (!is_ref_name(name)) {
    return fail(ErrorKind::kInvalid, "\"{}\" is no name for an image",
                printable(name.substr(0, kMaxNameBytes)))
        .with_hint("letters, digits and - . _ : @ / + between them");
  }
  if (!blobs_.use(manifest.digest)) {
    return fail(ErrorKind::kNotFound, "no stored manifest {}", manifest.digest.to_string());
  }
  TRY(io::make_directories(join_path(root_, "blobs/sha256")));
  Descriptor named = manifest;
  named.annotations[std::string(kRefNameAnnotation)] = name;
  return change([&](ImageIndex& index) -> Status {
    const auto same = std::ranges::find(index.manifests, std::string(name), name_of);
    if (same != index.manifests.end()) {
      *same = named;
    } else {
      index.manifests.push_back(named);
    }
    return {};
  });
}

Status Layout::remove(std::string_view name) const {
  return change([&](ImageIndex& index) -> Status {
    const std::size_t removed = std::erase_if(index.manifests, [&](const Descriptor& manifest) {
      return !name.empty() && name_of(manifest) == name;
    });
    if (removed == 0) {
      return no_image(name, index);
    }
    return {};
  });
}

Result<Manifest> read_manifest(const blob::BlobStore& blobs, const Digest& digest) {
  return parse_manifest(TRY(blobs.read(digest, kMaxManifestBytes)))
      .context("in the manifest {}", digest.to_string());
}

Result<ImageIndex> read_image_index(const blob::BlobStore& blobs, const Digest& digest) {
  return parse_image_index(TRY(blobs.read(digest, kMaxManifestBytes)))
      .context("in the index {}", digest.to_string());
}

Result<ImageConfig> read_image_config(const blob::BlobStore& blobs, const Descriptor& config) {
  return parse_image_config(TRY(blobs.read(config.digest, kMaxConfigBytes)))
      .context("in the config {}", config.digest.to_string());
}

Result<Descriptor> put_image(const blob::BlobStore& blobs, Manifest manifest,
                             const ImageConfig& config) {
  TRY(check_layers(manifest, config));
  const std::string config_text = config.to_json();
  manifest.config = {.media_type = std::string(kOciConfig),
                     .digest = TRY(blobs.put(config_text)),
                     .size_bytes = config_text.size()};
  const std::string text = manifest.to_json();
  return Descriptor{.media_type = std::string(kOciManifest),
                    .digest = TRY(blobs.put(text)),
                    .size_bytes = text.size(),
                    .platform = config.platform};
}

}  // namespace cloche::image
