#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "blob/tar_writer.h"
#include "core/json.h"
#include "core/text.h"
#include "image/archive.h"
#include "image/archive_layer.h"
#include "image/complete.h"
#include "image/config.h"
#include "image/image_index.h"
#include "image/json_fields.h"
#include "image/layout.h"
#include "image/manifest.h"
#include "io/reader.h"

namespace cloche::image {
namespace {

constexpr std::uint32_t kDirectoryMode = 0755;

class Exporter {
 public:
  Exporter(const blob::BlobStore& store, const ByteSink& sink, std::stop_token stop)
      : store_(store), sink_(sink), tar_(sink), stop_(std::move(stop)) {}

  Status write_oci(const std::vector<ExportedImage>& images) {
    ImageIndex index;
    for (const ExportedImage& image : images) {
      TRY(check_complete(store_, image.manifest));
      TRY(collect(image.manifest));
      Descriptor named = image.manifest;
      if (!image.name.empty()) {
        named.annotations[std::string(kRefNameAnnotation)] = image.name;
      }
      index.manifests.push_back(std::move(named));
    }
    for (const char* directory : {"blobs", "blobs/sha256"}) {
      TRY(tar_.entry({.path = directory, .kind = io::TarKind::kDirectory, .mode = kDirectoryMode}));
    }
    for (const Digest& digest : blobs_) {
      TRY(write_file("blobs/sha256/" + digest.hex(), TRY(store_.path(digest))));
    }
    TRY(write_text("index.json", index.to_json()));
    TRY(write_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
    return finish();
  }

  Status write_docker(const std::vector<ExportedImage>& images) {
    Json list = Json::array();
    std::set<Digest> written;
    for (const ExportedImage& image : images) {
      TRY(check_complete(store_, image.manifest));
      list.push(TRY(write_docker_image(image, written)));
    }
    TRY(write_text("manifest.json", list.dump()));
    return finish();
  }

 private:
  Status collect(const Descriptor& image) {
    blobs_.insert(image.digest);
    const std::string text = TRY(store_.read(image.digest, kMaxManifestBytes));
    if (is_index(TRY(document_media_type(text)))) {
      const ImageIndex index = TRY(parse_image_index(text));
      for (const Descriptor& one : index.manifests) {
        if (store_.contains(one.digest) && !is_attestation(one)) {
          TRY(collect(one));
        }
      }
      return {};
    }
    const Manifest manifest = TRY(parse_manifest(text));
    blobs_.insert(manifest.config.digest);
    for (const Descriptor& layer : manifest.layers) {
      blobs_.insert(layer.digest);
    }
    return {};
  }

  Result<Json> write_docker_image(const ExportedImage& image, std::set<Digest>& written) {
    const std::string text = TRY(store_.read(image.manifest.digest, kMaxManifestBytes));
    if (is_index(TRY(document_media_type(text)))) {
      return fail(ErrorKind::kUnsupported, "a docker archive holds an image for one platform only")
          .with_hint("name the platform, or export as an OCI archive");
    }
    const Manifest manifest = TRY(parse_manifest(text));
    const ImageConfig config = TRY(read_image_config(store_, manifest.config));
    std::vector<std::string> layers;
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      const Digest& diff_id = config.diff_ids[i];
      layers.push_back(diff_id.hex() + ".tar");
      if (written.insert(diff_id).second) {
        const ExpandedLayer layer = TRY(expand_layer(manifest.layers[i], diff_id, store_, stop_));
        TRY(write_file(layers.back(), layer.file.path()));
      }
    }
    const std::string config_path = manifest.config.digest.hex() + ".json";
    if (written.insert(manifest.config.digest).second) {
      TRY(write_file(config_path, TRY(store_.path(manifest.config.digest))));
    }
    Json json = Json::object();
    json.set("Config", config_path);
    json.set("RepoTags", image.name.empty() ? Json::array() : Json::array().push(image.name));
    json.set("Layers", to_json(layers));
    return json;
  }

  Status write_text(const std::string& path, const std::string& text) {
    TRY(tar_.entry({.path = path, .size_bytes = text.size()}));
    return tar_.content(text);
  }

  Status write_file(const std::string& path, const std::string& source) {
    const io::Descriptor file = TRY(io::open_for_reading(source));
    const std::uint64_t bytes = TRY(io::file_size(file, source));
    TRY(tar_.entry({.path = path, .size_bytes = bytes}));
    io::FileRangeReader reader(file, source, 0, bytes);
    std::string buffer(std::size_t{128} << 10U, '\0');
    while (const std::size_t count = TRY(reader.read(buffer))) {
      if (stop_.stop_requested()) {
        return fail(ErrorKind::kCancelled, "the export was stopped");
      }
      TRY(tar_.content(std::string_view(buffer).substr(0, count)));
    }
    return {};
  }

  Status finish() { return sink_(std::string(blob::kTarEndBytes, '\0')); }

  const blob::BlobStore& store_;
  const ByteSink& sink_;
  blob::TarWriter tar_;
  std::stop_token stop_;
  std::set<Digest> blobs_;
};

}  // namespace

Status export_archive(ArchiveKind kind, const std::vector<ExportedImage>& images,
                      const blob::BlobStore& store, const ByteSink& sink,
                      const std::stop_token& stop) {
  Exporter exporter(store, sink, stop);
  switch (kind) {
    case ArchiveKind::kOci:
      return exporter.write_oci(images);
    case ArchiveKind::kDocker:
      return exporter.write_docker(images);
    case ArchiveKind::kRootfs:
      break;
  }
  return fail(ErrorKind::kUnsupported, "an image is exported as an OCI or a docker archive");
}

}  // namespace cloche::image
