// Content-addressed files under one directory, laid out as an OCI image layout has them:
// <root>/blobs/sha256/<64 hex>; work in progress under <root>/tmp/.
//
// Safe for many threads and processes at once; a blob, once present, never changes. A crash leaves
// no partial blob, only a file under tmp/ that nobody believes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/digest.h"
#include "core/result.h"

namespace cloche::blob {

class BlobStore {
 public:
  explicit BlobStore(std::string root);

  // Streams a file into the store, synced; does nothing but hash when it is present.
  // kUnavailable: the disk is full. kNotFound: no such file.
  Result<Digest> put_file(const std::string& path);
  Result<Digest> put(std::string_view content);

  bool contains(const Digest& digest) const;

  // The blob's path, for reading or linking. kNotFound.
  Result<std::string> path(const Digest& digest) const;

  // The whole content, verified against the digest. kNotFound; kCorrupt.
  Result<std::string> read(const Digest& digest, std::size_t limit_bytes) const;

 private:
  std::string root_;
};

}  // namespace cloche::blob
