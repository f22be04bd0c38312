#include "image/complete.h"

#include <sys/stat.h>

#include "core/text.h"
#include "image/config.h"
#include "image/image_index.h"
#include "image/layout.h"
#include "image/manifest.h"
#include "image/media_type.h"

namespace cloche::image {
namespace {

Status check_blob(const blob::BlobStore& store, const Descriptor& blob) {
  const std::string path = TRY(store.path(blob.digest));
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 ||
      static_cast<std::uint64_t>(info.st_size) != blob.size_bytes) {
    return fail(ErrorKind::kInvalid, "{} has another size than the {} bytes that are said",
                blob.digest.to_string(), blob.size_bytes);
  }
  return {};
}

Status check_manifest(const blob::BlobStore& store, const Manifest& manifest) {
  TRY(check_blob(store, manifest.config));
  const ImageConfig config = TRY(read_image_config(store, manifest.config));
  TRY(check_layers(manifest, config));
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& layer = manifest.layers[i];
    TRY(check_blob(store, layer));
    const bool plain = TRY(layer_compression(layer.media_type)) == LayerCompression::kNone;
    if (plain && layer.digest != config.diff_ids[i]) {
      return fail(ErrorKind::kInvalid, "layer {} is {}, its config says {}", i + 1,
                  layer.digest.to_string(), config.diff_ids[i].to_string());
    }
  }
  return {};
}

// `within_index`: an index in an index is refused, as no engine makes one.
Status check(const blob::BlobStore& store, const Descriptor& image, bool within_index) {
  TRY(check_blob(store, image));
  const std::string text = TRY(store.read(image.digest, kMaxManifestBytes));
  const std::string media_type = TRY(document_media_type(text));
  TRY(check_document_type(TRY(parse_json(text)), image.media_type, is_index(media_type)));
  if (!is_index(media_type)) {
    return check_manifest(store, TRY(parse_manifest(text)));
  }
  if (within_index) {
    return fail(ErrorKind::kUnsupported, "an index within an index");
  }
  std::size_t present = 0;
  const ImageIndex index = TRY(parse_image_index(text));
  for (const Descriptor& one : index.manifests) {
    if (!is_attestation(one) && store.contains(one.digest)) {
      TRY(check(store, one, true));
      ++present;
    }
  }
  if (present == 0) {
    return fail(ErrorKind::kNotFound, "no image of the index {} is there",
                image.digest.to_string());
  }
  return {};
}

}  // namespace

Status check_complete(const blob::BlobStore& store, const Descriptor& image) {
  return check(store, image, false).context("in the image {}", image.digest.to_string());
}

}  // namespace cloche::image
