#include "lock/formats.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "core/text.h"
#include "lock/cloche_lock.h"
#include "lock/conda_lock.h"
#include "lock/cyclonedx.h"
#include "lock/explicit.h"
#include "lock/foreign.h"
#include "lock/pixi_lock.h"
#include "lock/spdx.h"

namespace cloche::lock {
namespace {

Result<std::string> write_cloche(const Lock& lock, const ExportOptions& /*options*/,
                                 Diagnostics& /*diagnostics*/) {
  return write_cloche_lock(lock);
}

Result<Lock> read_cloche(std::string_view text, const std::string& file,
                         const ImportOptions& /*options*/, Diagnostics& diagnostics) {
  return parse_cloche_lock(text, file, diagnostics);
}

constexpr std::array<Format, 6> kFormats = {{
    {"cloche", "Cloche's own lock, with everything in it", "cloche.lock", write_cloche,
     read_cloche},
    {"explicit", "conda's and mamba's list of URLs with hashes (@EXPLICIT)", "explicit.txt",
     write_explicit, parse_explicit},
    {"conda-lock", "conda-lock's file, version 1", "conda-lock.yml", write_conda_lock,
     parse_conda_lock},
    {"pixi", "pixi's lock file, version 6 (4 to 7 are read)", "pixi.lock", write_pixi_lock,
     parse_pixi_lock},
    {"cyclonedx", "a software bill of materials: CycloneDX 1.5, JSON", "bom.cdx.json",
     write_cyclonedx, nullptr},
    {"spdx", "a software bill of materials: SPDX 2.3, JSON", "bom.spdx.json", write_spdx, nullptr},
}};

const Format& format(std::string_view name) {
  return *std::ranges::find(kFormats, name, &Format::name);
}

// The keys that begin a line without indentation, up to a bound: enough to know a file by.
std::set<std::string_view> first_keys(std::string_view text) {
  constexpr std::size_t kMostKeys = 50;
  std::set<std::string_view> out;
  while (!text.empty() && out.size() < kMostKeys) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && colon > 0 && !is_blank(line[0]) && line[0] != '#' &&
        line[0] != '-') {
      out.insert(trim(line.substr(0, colon)));
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return out;
}

bool has_explicit_mark(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (trim(line) == "@EXPLICIT") {
      return true;
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return false;
}

}  // namespace

std::span<const Format> formats() { return kFormats; }

Result<const Format*> find_format(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Format& one : kFormats) {
    if (one.name == name) {
      return &one;
    }
    names.push_back(one.name);
  }
  const std::string_view near = nearest(name, names);
  return fail(ErrorKind::kInvalid, "no lock format '{}'", printable(name))
      .with_hint(near.empty() ? fmt::format("there is {}", fmt::join(names, ", "))
                              : fmt::format("did you mean {}?", near));
}

Result<const Format*> detect_format(std::string_view text, const std::string& file) {
  TRY(check_size(text, file));
  if (trim_left(text).starts_with('{')) {
    const std::string_view head = text.substr(0, 4096);
    if (head.find("\"bomFormat\"") != std::string_view::npos) {
      return &format("cyclonedx");
    }
    if (head.find("\"spdxVersion\"") != std::string_view::npos) {
      return &format("spdx");
    }
  }
  const std::set<std::string_view> keys = first_keys(text);
  if (keys.contains("format_version") && keys.contains("conda")) {
    return &format("cloche");
  }
  if (keys.contains("metadata") && keys.contains("package")) {
    return &format("conda-lock");
  }
  if (keys.contains("environments") && keys.contains("version")) {
    return &format("pixi");
  }
  if (has_explicit_mark(text)) {
    return &format("explicit");
  }
  return fail(ErrorKind::kInvalid, "this is no lock that is known here")
      .with_location({file, 0, 0})
      .with_hint("cloche.lock, explicit files (@EXPLICIT), conda-lock.yml and pixi.lock are read");
}

Result<Lock> import_lock(std::string_view text, const std::string& file,
                         const ImportOptions& options, Diagnostics& diagnostics) {
  const Format& found = *TRY(detect_format(text, file));
  if (found.read == nullptr) {
    return fail(ErrorKind::kUnsupported, "a bill of materials ({}) is no lock", found.name)
        .with_location({file, 0, 0})
        .with_hint("import the lock that it was made from");
  }
  Lock lock = TRY(found.read(text, file, options, diagnostics));
  if (lock.platform != options.platform) {
    return fail(ErrorKind::kInvalid, "the lock is for {}, not for {}", lock.platform,
                printable(options.platform))
        .with_location({file, 0, 0});
  }
  return lock;
}

}  // namespace cloche::lock
