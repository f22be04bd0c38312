// What a package says of itself in info/ (CEP 34).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "package/conda/record.h"
#include "source/conda/package_archive.h"
#include "source/conda/prefix_replacement.h"

namespace cloche::source {

enum class PathType { kHardlink, kSoftlink, kDirectory, kUnspecified };

// One line of info/paths.json, or what the older files say of a path.
struct PathEntry {
  std::string path;  // as package_path() makes it
  PathType type = PathType::kHardlink;
  FileMode file_mode = FileMode::kText;
  std::string placeholder;  // "" : nothing is replaced
  bool no_link = false;     // must be copied, where others may be linked from a cache
  std::string sha256;       // of the content in the package; of a link's target; "" when not said
  std::optional<std::uint64_t> size_bytes;
};

// "name = module:function" (link.json).
struct EntryPoint {
  std::string command;  // a plain file name
  std::string module;
  std::string function;
};

struct PackageMetadata {
  std::string name;
  std::string version;
  std::string build;
  conda::Noarch noarch = conda::Noarch::kNone;

  Json index;        // info/index.json
  Json about;        // info/about.json; null when there is none
  Json run_exports;  // info/run_exports.json; null
  Json link;         // info/link.json; null

  // 1: from paths.json; 0: from files, has_prefix, no_link and no_softlink, which do not say what
  // kind a path is (kUnspecified).
  int paths_version = 1;
  std::vector<PathEntry> paths;  // in the package's order; none below info/
  std::vector<EntryPoint> entry_points;
  std::vector<std::string> license_files;     // "info/licenses/LICENSE", sorted
  std::vector<std::string> prelink_messages;  // "info/prelink_messages/...", sorted
};

// Reads the archive's info/ and nothing else. Errors name the file within the package:
// kInvalid: no index.json, neither paths.json nor files, JSON that breaks CEP 34 where conda would
// stop too, a path that package_path() refuses or that is listed twice, one that lies below another
// that is no directory, one in conda-meta/ but pinned, an entry point whose command is no plain
// file name; kUnsupported: a paths.json or link.json of another version; kCorrupt.
// Files of over 64 MiB and more than 1,000,000 paths are refused.
Result<PackageMetadata> read_package_metadata(const PackageArchive& archive);

// One file below info/, such as a licence. kNotFound; kInvalid: over the limit.
Result<std::string> read_info_file(const PackageArchive& archive, const std::string& path,
                                   std::size_t limit_bytes);

// The parsers, for what the archive held. `file` is for messages.
Result<std::vector<PathEntry>> parse_paths_json(std::string_view text, const std::string& file);
Result<std::vector<PathEntry>> parse_path_lists(std::string_view files, std::string_view has_prefix,
                                                std::string_view no_link);
Result<EntryPoint> parse_entry_point(std::string_view text);

}  // namespace cloche::source
