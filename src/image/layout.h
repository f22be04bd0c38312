// An OCI image layout (image-spec, image-layout.md) over the blob store's own directory:
// oci-layout, index.json and blobs/sha256/. skopeo, podman and umoci read it in place
// ("oci:<root>:<name>").
//
// Any number of threads and processes may use one layout: changes of index.json are made one at a
// time (blob/work_lock.h), and are there whole or not at all.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "blob/blob_store.h"
#include "core/result.h"
#include "image/config.h"
#include "image/image_index.h"
#include "image/manifest.h"

namespace cloche::image {

// A manifest with its name in the layout; "" when it has none (others may leave such).
struct StoredImage {
  std::string name;
  Descriptor manifest;  // without the name's annotation; may be an index's

  bool operator==(const StoredImage&) const = default;
};

class Layout {
 public:
  explicit Layout(std::string root);

  const std::string& root() const { return root_; }
  const blob::BlobStore& blobs() const { return blobs_; }

  // Makes what is missing of oci-layout and index.json. kUnsupported: a layout of another version.
  Status create() const;

  // In the order of index.json; empty when there is no layout yet. kCorrupt.
  Result<std::vector<StoredImage>> list() const;

  // kNotFound, with the nearest name as a hint.
  Result<Descriptor> find(std::string_view name) const;

  // Gives the manifest the name, which another one loses. Makes the layout when there is none. The
  // manifest's blob must be there (kNotFound). kInvalid: a name that image-spec's grammar refuses.
  Status set(std::string_view name, const Descriptor& manifest) const;

  // Takes the name away; the blobs stay (cloche gc). kNotFound.
  Status remove(std::string_view name) const;

 private:
  Result<ImageIndex> read_index() const;
  Status change(const std::function<Status(ImageIndex&)>& edit) const;

  std::string root_;
  blob::BlobStore blobs_;
};

// The grammar of "org.opencontainers.image.ref.name" (annotations.md), which allows whole
// references: "docker.io/library/python:3.11".
bool is_ref_name(std::string_view name);

// Documents in a store, by digest; kNotFound, kCorrupt, and what parsing them says.
Result<Manifest> read_manifest(const blob::BlobStore& blobs, const Digest& digest);
Result<ImageIndex> read_image_index(const blob::BlobStore& blobs, const Digest& digest);
Result<ImageConfig> read_image_config(const blob::BlobStore& blobs, const Descriptor& config);

// Puts the config and the manifest that points at it into the store, as OCI's documents, and
// returns the manifest's descriptor with its platform. manifest.config is made from `config`; the
// layers must fit it (check_layers).
Result<Descriptor> put_image(const blob::BlobStore& blobs, Manifest manifest,
                             const ImageConfig& config);

}  // namespace cloche::image
