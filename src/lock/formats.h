// The formats that locks are exchanged in, by name.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/lock.h"

namespace cloche::lock {

// Largest file that is read as a lock.
inline constexpr std::size_t kMaxLockBytes = std::size_t{16} << 20U;

struct ImportOptions {
  std::string platform = "linux-64";               // which one, of a file that holds several
  std::string environment = {};                    // pixi.lock: "" means `default`, or the only one
  std::vector<std::string> categories = {"main"};  // conda-lock
};

struct ExportOptions {
  bool sha256 = false;  // explicit: sha256 instead of md5, which every conda and mamba reads
};

struct Format {
  std::string_view name;       // "conda-lock"
  std::string_view summary;    // "conda-lock's conda-lock.yml, version 1"
  std::string_view file_name;  // what such a file is usually called
  // Warnings say what the format cannot hold. kInvalid: a package without URL.
  Result<std::string> (*write)(const Lock& lock, const ExportOptions& options,
                               Diagnostics& diagnostics);
  // nullptr: only written. A lock that came from elsewhere belongs to no fingerprint; bind() it.
  // kInvalid with the line. kUnsupported: a version of the format that is not known.
  Result<Lock> (*read)(std::string_view text, const std::string& file, const ImportOptions& options,
                       Diagnostics& diagnostics);
};

// "cloche", "explicit", "conda-lock", "pixi", "cyclonedx", "spdx".
std::span<const Format> formats();

// kInvalid: no such name, with the nearest one or the list as the hint.
Result<const Format*> find_format(std::string_view name);

// Which format a text is in, by what it says; its name does not count. kInvalid: none of them.
Result<const Format*> detect_format(std::string_view text, const std::string& file);

// Detects and reads. kInvalid, too: the file is for another platform. kUnsupported: a format that
// is only written.
Result<Lock> import_lock(std::string_view text, const std::string& file,
                         const ImportOptions& options, Diagnostics& diagnostics);

}  // namespace cloche::lock
