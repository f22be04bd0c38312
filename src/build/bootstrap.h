// A base image made of an archive's packages, without a container registry.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "blob/segment.h"
#include "core/diagnostic.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/config.h"
#include "image/descriptor.h"
#include "image/layout.h"
#include "package/debian/record.h"
#include "source/debian/archive.h"
#include "source/package_file.h"

namespace cloche::build {

enum class BootstrapVariant {
  kMinimal,   // what is essential or of priority required, and apt
  kStandard,  // and what is of priority important or standard
};

struct BootstrapRequest {
  std::string suite;  // "bookworm"
  BootstrapVariant variant = BootstrapVariant::kMinimal;
  std::vector<std::string> include = {};  // further packages, as a definition names them
  std::string platform = "linux-64";
  std::vector<source::AptSource> sources;  // where from; go into the image's sources.list
  const image::Layout& layout;             // where the image goes; the name is the caller's to give
  std::string cache;                       // segments, unpacked layers, containers
  source::ArchiveOptions archive = {};
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
};

struct Bootstrapped {
  image::Descriptor manifest;
  std::vector<debian::PackageRecord> packages;  // by name
  std::vector<source::OpenedRelease> releases;
  std::size_t layers = 0;
  std::uint64_t layer_bytes = 0;  // compressed
  std::size_t packages_made = 0;  // whose segments were made now
  bool configured = false;        // now
};

// Solves, downloads, unpacks into segments, and configures once in a container. The same archive
// state and request give the same image, whoever makes it. /bin is usr/bin from Debian 12 on, as
// Debian has it. Errors as ArchiveCache::open, solve, FileCache::fetch and install_debian;
// kConflict: what is asked for cannot be together.
Result<Bootstrapped> bootstrap(const BootstrapRequest& request, source::ArchiveCache& archives,
                               source::FileCache& files, const std::stop_token& stop,
                               Progress& progress, Diagnostics& diagnostics);

// The suite that a base reference means ("debian:bookworm", "docker.io/library/debian:trixie",
// "debian:12", "debian:bookworm-slim"), where it means one that can be made here.
std::optional<std::string> bootstrap_suite(std::string_view reference);

// Whether an image was made by bootstrap().
bool is_bootstrapped(const image::ImageConfig& config);

}  // namespace cloche::build
