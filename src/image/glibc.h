// Which C library the programs of an image find: what decides, with the processor, which conda
// packages can live on it (CEP 30, __glibc).
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "core/digest.h"
#include "core/result.h"
#include "image/manifest.h"

namespace cloche::image {

struct CLibrary {
  enum class Kind { kUnknown, kGlibc, kMusl };

  Kind kind = Kind::kUnknown;
  std::string version = {};  // of glibc, "2.36"

  std::string to_string() const;  // "glibc 2.36", "musl", "no C library that is known"

  bool operator==(const CLibrary&) const = default;
};

// Reads the layers, the lowest first, as far as the first that tells: libc.so.6 says its version,
// libc-2.31.so has it in its name, and dpkg's status knows libc6. A musl loader where no glibc is
// means musl. kUnknown: nothing of these in the first 4 GiB. Memory: a few buffers.
// kNotFound: a layer is not in the store. kCorrupt, kUnsupported: it cannot be read. kCancelled.
Result<CLibrary> find_c_library(const blob::BlobStore& blobs, const Manifest& manifest,
                                const std::stop_token& stop = {});

// The same, remembered by the manifest's digest as <directory>/<hex>.json; a file that is damaged
// is as none, and one that cannot be written is not needed.
Result<CLibrary> c_library_of(const blob::BlobStore& blobs, const Digest& digest,
                              const Manifest& manifest, const std::string& directory,
                              const std::stop_token& stop = {});

// Those of the specs ("__glibc >=2.28,<3.0.a0") that the library does not meet; specs of other
// virtual packages are the machine's to meet. None for kUnknown. kInvalid: a spec that is none.
Result<std::vector<std::string>> unmet_needs(std::span<const std::string> needs,
                                             const CLibrary& library);

}  // namespace cloche::image
