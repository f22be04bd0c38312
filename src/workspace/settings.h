// <workspace>/settings.yaml: what a team or a person decides once. A missing file means the
// defaults. docs/formats/workspace.md lists the keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/environment.h"

namespace cloche::workspace {

struct Settings {
  definition::ReadOptions read_options;      // default_image, default_channels
  std::string user;                          // "": the account's name
  std::optional<std::uint64_t> quota_bytes;  // of the cache; nothing: none
  Diagnostics diagnostics;                   // unknown keys
};

// kInvalid, with file and line: malformed, or a value of the wrong type.
Result<Settings> parse_settings(std::string_view text, const std::string& file);

// Reads <directory>/settings.yaml.
Result<Settings> read_settings(const std::string& directory, FileSource& files);

}  // namespace cloche::workspace
