// Small conda channels for tests, described in YAML: docs/formats/synthetic-channel.md.
//
//   packages:
//     - {name: six, version: 1.16.0, noarch: python, depends: [python], files:
//     {site-packages/six.py: "x = 1\n"}}
//     - {name: zlib, version: 1.2.13, build: h1_0, format: tar.bz2}
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::debian_channel {

// Writes packages and repodata.json (with and without .zst) below the directory, for linux-64 and
// noarch. The same text gives the same bytes. kInvalid with the line: an unknown key, a version
// that is none, a path that leads out of the prefix, the same package twice.
Status make_synthetic_channel(std::string_view yaml, const std::string& file,
                              const std::string& directory);

}  // namespace cloche::debian_channel
