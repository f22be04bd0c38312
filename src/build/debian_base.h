// What a base image has of Debian: which release it is, and which packages dpkg has installed.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "blob/blob_store.h"
#include "core/digest.h"
#include "core/result.h"
#include "image/environment_image.h"
#include "source/debian/apt_sources.h"
#include "source/debian/package_index.h"

namespace cloche::build {

struct DebianBase {
  std::string reference;  // for messages
  std::string digest;     // of its manifest: "sha256:..."
  source::OsRelease release;
  source::PackageIndex installed;
};

// Read out of the layers, and remembered by the manifest's digest below the directory; a memory
// that is damaged is as none. The codename is os-release's, else the first suite of the base's own
// apt sources.
// kUnsupported: the base has no dpkg status (no Debian, or without dpkg), or does not say which
// release it is. Else as image::read_image_files.
Result<DebianBase> debian_base(const image::BaseImage& base, const blob::BlobStore& blobs,
                               const std::string& directory, const std::stop_token& stop);

}  // namespace cloche::build
