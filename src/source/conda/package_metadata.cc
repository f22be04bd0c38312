#include "source/conda/package_metadata.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/text.h"

namespace cloche::source {
namespace {

constexpr std::uint64_t kMaxInfoBytes = std::uint64_t{64} << 20U;
constexpr std::int64_t kLinkVersion = 1;

// The files below info/ that decide something, by name.
using InfoFiles = std::map<std::string, std::string, std::less<>>;
constexpr auto kWanted = std::to_array<std::string_view>(
    {"info/index.json", "info/paths.json", "info/about.json", "info/run_exports.json",
     "info/link.json", "info/package_metadata.json", "info/files", "info/has_prefix",
     "info/no_link", "info/no_softlink"});

Result<std::string> read_content(EntryStream& stream, const io::TarEntry& entry,
                                 std::uint64_t limit) {
  if (entry.size_bytes > limit) {
    return fail(ErrorKind::kInvalid, "{} has {} bytes; at most {} are read", entry.path,
                entry.size_bytes, limit);
  }
  std::string text;
  text.reserve(entry.size_bytes);
  while (true) {
    const std::string_view piece = TRY(stream.content());
    if (piece.empty()) {
      return text;
    }
    text += piece;
  }
}

bool is_license(std::string_view path) {
  return path.starts_with("info/licenses/") || path.starts_with("info/LICENSE") ||
         path.starts_with("info/license");
}

Result<InfoFiles> read_info_files(const PackageArchive& archive, PackageMetadata& metadata) {
  InfoFiles files;
  EntryStream stream = TRY(archive.info());
  io::TarEntry entry;
  while (TRY(stream.next(entry))) {
    if (entry.kind != io::TarKind::kFile) {
      continue;
    }
    if (std::ranges::find(kWanted, entry.path) != kWanted.end()) {
      files[entry.path] = TRY(read_content(stream, entry, kMaxInfoBytes));
    } else if (is_license(entry.path)) {
      metadata.license_files.push_back(entry.path);
    } else if (entry.path.starts_with("info/prelink_messages/")) {
      metadata.prelink_messages.push_back(entry.path);
    }
  }
  std::ranges::sort(metadata.license_files);
  std::ranges::sort(metadata.prelink_messages);
  return files;
}

const std::string& find(const InfoFiles& files, std::string_view name) {
  static const std::string kNone;
  const auto found = files.find(name);
  return found == files.end() ? kNone : found->second;
}

// What conda does not read when it installs must not stop us either.
Json read_optional(const InfoFiles& files, const std::string& name) {
  const auto found = files.find(name);
  if (found == files.end()) {
    return {};
  }
  Result<Json> json = parse_json(found->second, name);
  return json ? std::move(*json) : Json();
}

// "python", "generic", or true, which old packages say for generic.
Result<conda::Noarch> noarch_of(const Json& index) {
  const Json& value = index["noarch"];
  if (value.is_null() || (value.is_bool() && !value.as_bool())) {
    return conda::Noarch::kNone;
  }
  if (value.is_bool() || (value.is_string() && value.as_string() == "generic")) {
    return conda::Noarch::kGeneric;
  }
  if (value.is_string() && value.as_string() == "python") {
    return conda::Noarch::kPython;
  }
  return fail(ErrorKind::kUnsupported, "info/index.json: this kind of noarch is not known")
      .with_hint("generic and python are");
}

Status read_index(const InfoFiles& files, PackageMetadata& metadata) {
  if (!files.contains("info/index.json")) {
    return fail(ErrorKind::kInvalid, "it has no info/index.json");
  }
  metadata.index = TRY(parse_json(find(files, "info/index.json"), "info/index.json"));
  metadata.name = metadata.index.string_or_empty("name");
  metadata.version = metadata.index.string_or_empty("version");
  metadata.build = metadata.index.string_or_empty("build");
  if (metadata.name.empty() || metadata.version.empty()) {
    return fail(ErrorKind::kInvalid, "info/index.json: there is no name or no version");
  }
  metadata.noarch = TRY(noarch_of(metadata.index));
  return {};
}

Status read_link(const InfoFiles& files, PackageMetadata& metadata) {
  const std::string name =
      files.contains("info/link.json") ? "info/link.json" : "info/package_metadata.json";
  if (!files.contains(name)) {
    return {};
  }
  metadata.link = TRY(parse_json(find(files, name), name));
  const Json& version = metadata.link["package_metadata_version"];
  if (!version.is_integer() || version.as_integer() != kLinkVersion) {
    return fail(ErrorKind::kUnsupported, "{}: package_metadata_version is not {}", name,
                kLinkVersion);
  }
  const Json& entry_points = metadata.link["noarch"]["entry_points"];
  if (!entry_points.is_array()) {
    return {};
  }
  for (const Json& one : entry_points.items()) {
    if (!one.is_string()) {
      return fail(ErrorKind::kInvalid, "{}: an entry point is no text", name);
    }
    metadata.entry_points.push_back(TRY(parse_entry_point(one.as_string()).context("in {}", name)));
  }
  return {};
}

// CEP 32: "MUST NOT be populated directly by package contents". Pins are shipped so nevertheless.
bool is_protected(std::string_view path) {
  return path == "conda-meta" || (path.starts_with("conda-meta/") && path != "conda-meta/pinned");
}

Status check_paths(const std::vector<PathEntry>& paths) {
  std::unordered_map<std::string_view, PathType> types;
  types.reserve(paths.size());
  for (const PathEntry& entry : paths) {
    if (is_protected(entry.path)) {
      return fail(ErrorKind::kInvalid, "it would write {}, which is the installer's own",
                  printable(entry.path));
    }
    if (!types.emplace(entry.path, entry.type).second) {
      return fail(ErrorKind::kInvalid, "{} is listed twice", printable(entry.path));
    }
  }
  for (const PathEntry& entry : paths) {
    const std::string_view path = entry.path;
    for (std::size_t slash = path.rfind('/'); slash != std::string_view::npos;
         slash = path.rfind('/', slash - 1)) {
      const auto above = types.find(path.substr(0, slash));
      if (above != types.end() && above->second != PathType::kDirectory) {
        return fail(ErrorKind::kInvalid, "{} lies below {}, which is no directory", printable(path),
                    printable(above->first));
      }
    }
  }
  return {};
}

Status read_path_entries(const InfoFiles& files, PackageMetadata& metadata) {
  if (files.contains("info/paths.json")) {
    metadata.paths = TRY(parse_paths_json(find(files, "info/paths.json"), "info/paths.json"));
  } else if (files.contains("info/files")) {
    metadata.paths_version = 0;
    metadata.paths =
        TRY(parse_path_lists(find(files, "info/files"), find(files, "info/has_prefix"),
                             find(files, "info/no_link") + "\n" + find(files, "info/no_softlink")));
  } else {
    return fail(ErrorKind::kInvalid, "it has neither info/paths.json nor info/files")
        .with_hint("nothing says which files it installs; build it again");
  }
  std::erase_if(metadata.paths, [](const PathEntry& entry) {
    return entry.path == "info" || entry.path.starts_with("info/");
  });
  return check_paths(metadata.paths);
}

bool is_printable_word(std::string_view text) {
  return !text.empty() && text.size() <= 1000 && std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20) || c == '\x7f' || c == '\'' || c == '"' ||
           c == ';' || c == '#';
  });
}

}  // namespace

// conda: conda/common/path.py, parse_entry_point_def: split at the last ':', then at the last '='.
Result<EntryPoint> parse_entry_point(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t equals =
      colon == std::string_view::npos ? colon : text.substr(0, colon).rfind('=');
  if (equals == std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "the entry point '{}' is not 'name = module:function'",
                printable(text.substr(0, 200)));
  }
  EntryPoint point;
  point.command = trim(text.substr(0, equals));
  point.module = trim(text.substr(equals + 1, colon - equals - 1));
  point.function = trim(text.substr(colon + 1));
  const Result<std::string> path = package_path(point.command);
  if (!path || *path != point.command || point.command.find('/') != std::string::npos ||
      printable(point.command) != point.command) {
    return fail(ErrorKind::kInvalid, "the entry point '{}' has a command that is no file name",
                printable(text.substr(0, 200)));
  }
  if (!is_printable_word(point.module) || !is_printable_word(point.function)) {
    return fail(ErrorKind::kInvalid, "the entry point '{}' names no function",
                printable(text.substr(0, 200)));
  }
  return point;
}

Result<PackageMetadata> read_package_metadata(const PackageArchive& archive) {
  PackageMetadata metadata;
  const InfoFiles files = TRY(read_info_files(archive, metadata));
  TRY(read_index(files, metadata));
  TRY(read_link(files, metadata));
  TRY(read_path_entries(files, metadata));
  metadata.about = read_optional(files, "info/about.json");
  metadata.run_exports = read_optional(files, "info/run_exports.json");
  return metadata;
}

Result<std::string> read_info_file(const PackageArchive& archive, const std::string& path,
                                   std::size_t limit_bytes) {
  EntryStream stream = TRY(archive.info());
  io::TarEntry entry;
  while (TRY(stream.next(entry))) {
    if (entry.kind == io::TarKind::kFile && entry.path == path) {
      return read_content(stream, entry, limit_bytes);
    }
  }
  return fail(ErrorKind::kNotFound, "the package has no {}", printable(path));
}

}  // namespace cloche::source
