// Images as files: what `docker save` and `skopeo copy` write, and a root file system as a tar.
// docs/formats/image.md.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "blob/blob_store.h"
#include "core/result.h"
#include "image/descriptor.h"
#include "image/platform.h"

namespace cloche::image {

enum class ArchiveKind { kOci, kDocker, kRootfs };

struct ImportOptions {
  // Of a root file system; "" for its architecture: the one that its programs are for.
  Platform rootfs_platform = {.os = "linux", .architecture = ""};
  std::uint64_t limit_bytes = std::uint64_t{256} << 30U;  // uncompressed
};

struct ImportedImage {
  std::vector<std::string> names;  // that the archive gives it; none for a root file system
  Descriptor manifest;             // may be an index's
};

struct ImportedArchive {
  ArchiveKind kind = ArchiveKind::kOci;
  std::vector<ImportedImage> images;
};

// Reads an archive, plain or compressed (gzip, zstd, bzip2), into the store; what it is, its first
// entries say. Blobs are taken as they are; layers that come as plain tar become zstd ones, always
// the same way. Images are whole and fit together when they are given back (image/complete.h).
// Nothing of an archive is unpacked onto the disk under a name of its own.
// kInvalid, kUnsupported: no archive of these, or a hostile one; kCorrupt: its content is not what
// it says; kCancelled. The caller holds a blob::Lease on the store.
Result<ImportedArchive> import_archive(const std::string& path, const blob::BlobStore& store,
                                       const ImportOptions& options,
                                       const std::stop_token& stop = {});

struct ExportedImage {
  std::string name;  // "docker.io/library/python:3.11"; may be ""
  Descriptor manifest;
};

using ByteSink = std::function<Status(std::string_view)>;

// Writes a tar of a layout with these images and all that they refer to. The same images give the
// same bytes. kNotFound: the store lacks a blob; kUnsupported: kRootfs, or an index as kDocker.
// kDocker is what `docker load` of every version reads: layers are written uncompressed.
Status export_archive(ArchiveKind kind, const std::vector<ExportedImage>& images,
                      const blob::BlobStore& store, const ByteSink& sink,
                      const std::stop_token& stop = {});

}  // namespace cloche::image
