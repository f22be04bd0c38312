// Layers of images as directories, ready to be mounted: <cache>/unpacked/<diff_id, 64 hex digits>/.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/config.h"
#include "image/manifest.h"
#include "io/thread_pool.h"

namespace cloche::runtime {

// Each layer is unpacked once and shared by all images that have it; so environments share files on
// the disk and in the page cache. A directory of that name is whole, and verified against its
// diff_id; nobody writes into it. docs/formats/container.md. Evictions (blob/eviction.h) take those
// that were not used within the last hour and that no container stands on. Safe for many threads
// and processes.
class UnpackedLayers {
 public:
  explicit UnpackedLayers(std::string cache);

  // The directories of an image's layers, the lowest first; unpacks what is missing, several at
  // once. Whiteouts are kept in overlayfs's form. Without root, all files are the caller's.
  // kNotFound: the store lacks a layer's blob; kCorrupt: a blob is not what the config says; else
  // as blob::unpack.
  Result<std::vector<std::string>> get(const image::Manifest& manifest,
                                       const image::ImageConfig& config,
                                       const blob::BlobStore& blobs, io::ThreadPool& pool,
                                       const std::stop_token& stop, Progress& progress) const;

 private:
  Status unpack_layer(const image::Descriptor& layer, const Digest& diff_id,
                      const blob::BlobStore& blobs, const std::stop_token& stop,
                      Progress& progress) const;
  std::string place_of(const Digest& diff_id) const;

  std::string cache_;
};

}  // namespace cloche::runtime
