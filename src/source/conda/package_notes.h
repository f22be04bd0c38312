// What is remembered of a package beside its segment, so that a plan needs no archive
// (docs/formats/segment.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/conda/link_ways.h"
#include "source/conda/package_files.h"

namespace cloche::source {

// "conda-paths": the paths that it lists, with their types alone.
inline constexpr const char* kPathsNote = "conda-paths";
std::string print_paths(const std::vector<PlacedPath>& paths);
std::optional<std::vector<PlacedPath>> parse_paths(std::string_view text);

// "conda-links": its symbolic links.
inline constexpr const char* kLinksNote = "conda-links";
std::string print_links(const SymbolicLinks& links);
std::optional<SymbolicLinks> parse_links(std::string_view text);

}  // namespace cloche::source
