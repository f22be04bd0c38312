// Archives of strangers as files below one directory: layers of images, root file systems.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "core/digest.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/reader.h"

namespace cloche::blob {

struct UnpackOptions {
  // Whiteouts (OCI image spec, layer.md) take away what lower layers brought. Without this, names
  // that begin with ".wh." are refused.
  bool layer = true;

  // What becomes of whiteouts. kApply: they take away what is in the directory. kKeep: the
  // directory is one layer of an overlay file system, and they are written in its form (the
  // kernel's Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"): a
  // character device 0/0, and an attribute "overlay.opaque" on a directory that hides what lies
  // below it.
  enum class Whiteouts { kApply, kKeep };
  Whiteouts whiteouts = Whiteouts::kApply;

  // Owners by number, set-user-id bits and file capabilities as the archive says; only root can.
  // Otherwise all belongs to us, and those bits and attributes are left out.
  bool owners = false;

  enum class Devices { kRefuse, kSkip, kCreate };
  Devices devices = Devices::kRefuse;

  std::uint64_t max_entries = 1'000'000;
  std::uint64_t max_bytes = std::uint64_t{64} << 30U;  // of all files together
  // Of what is decompressed to what is read: more is a bomb. 256 MiB are always allowed.
  std::uint64_t max_expansion = 1000;
};

struct Unpacked {
  std::uint64_t entries = 0;
  std::uint64_t size_bytes = 0;  // of all files together
  Digest diff_id;                // of the tar stream, to its last byte
  // With Whiteouts::kKeep: the root itself is opaque, so nothing of the layers below is seen. A
  // directory cannot say this to the overlay, which looks at no attribute of a layer's root.
  bool hides_all = false;
};

// Unpacks a tar archive, plain or with gzip, zstd or bzip2, into an existing directory, over what
// is there: a directory stays, with the new attributes; anything else is replaced. The root itself
// is never replaced or removed.
//
// Whatever the archive says, nothing outside is changed: paths are resolved as if the directory
// were the machine's root, so links lead nowhere else (io/directory_tree.h); the last part of a
// path is never followed. ".." in a name is refused, a leading "/" is dropped. Hard links are made
// to what is in the directory only. After an error what was written until then stays; every error
// about the archive names the entry.
//   kInvalid      a name or link that is not allowed, a limit
//   kUnsupported  devices, sparse files, unknown kinds
//   kCorrupt      damaged data
//   kUnavailable, kPermission, kCancelled   the disk, or somebody's wish
// Attributes: mode (07777 with owners, else 01777), whole seconds of the mtime, user.* attributes,
// with owners security.capability. Other attributes (trusted.overlay.*, user.overlay.*, labels) are
// left out: they would mean something to this machine. Where users.* cannot be stored, they are
// left out.
Result<Unpacked> unpack(io::Reader& source, const std::string& directory,
                        const UnpackOptions& options, const std::stop_token& stop);

}  // namespace cloche::blob
