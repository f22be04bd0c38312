#include "source/conda/prefix_record.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/text.h"

namespace cloche::source {
namespace {

constexpr int kLinkTypeCopy = 3;  // CEP 32: 1 hard link, 2 soft link, 3 copy, 4 directory

Json list_of(std::span<const std::string> texts) {
  Json list = Json::array();
  for (const std::string& one : texts) {
    list.push(one);
  }
  return list;
}

// conda writes "x86_64" and "linux" beside the subdir, and null for noarch.
Json arch_of(std::string_view subdir) {
  const std::size_t dash = subdir.find('-');
  if (dash == std::string_view::npos) {
    return {};
  }
  const std::string_view arch = subdir.substr(dash + 1);
  return arch == "64" ? Json("x86_64") : arch == "32" ? Json("x86") : Json(arch);
}

Json platform_of(std::string_view subdir) {
  const std::size_t dash = subdir.find('-');
  return dash == std::string_view::npos ? Json() : Json(subdir.substr(0, dash));
}

std::string_view path_type(const PlacedPath& placed) {
  if (placed.kind == PlacedPath::Kind::kEntryPoint) {
    return "unix_python_entry_point";
  }
  if (placed.entry.type == PathType::kDirectory) {
    return "directory";
  }
  return placed.is_link ? "softlink" : "hardlink";
}

// Keys in order of their bytes, as everywhere in these files.
Json path_json(const PlacedPath& placed) {
  Json json = Json::object().set("_path", placed.path);
  if (!placed.entry.placeholder.empty()) {
    json.set("file_mode", placed.entry.file_mode == FileMode::kText ? "text" : "binary");
  }
  if (placed.entry.no_link) {
    json.set("no_link", true);
  }
  json.set("path_type", path_type(placed));
  if (!placed.entry.placeholder.empty()) {
    json.set("prefix_placeholder", placed.entry.placeholder);
  }
  const std::string& sha256 = placed.sha256.empty() ? placed.entry.sha256 : placed.sha256;
  if (!sha256.empty()) {
    json.set("sha256", sha256);
  }
  if (!placed.sha256_in_prefix.empty()) {
    json.set("sha256_in_prefix", placed.sha256_in_prefix);
  }
  const std::uint64_t size = placed.entry.size_bytes.value_or(placed.size_bytes);
  return json.set("size_in_bytes", static_cast<std::int64_t>(size));
}

Json paths_json(const InstalledPackage& package) {
  Json paths = Json::array();
  for (const PlacedPath& placed : package.paths) {
    paths.push(path_json(placed));
  }
  for (const std::string& path : package.bytecode) {
    paths.push(Json::object().set("_path", path).set("path_type", "pyc_file"));
  }
  return Json::object().set("paths", std::move(paths)).set("paths_version", 1);
}

Json files_json(const InstalledPackage& package) {
  Json files = Json::array();
  for (const PlacedPath& placed : package.paths) {
    if (placed.entry.type != PathType::kDirectory) {
      files.push(placed.path);
    }
  }
  for (const std::string& path : package.bytecode) {
    files.push(path);
  }
  return files;
}

}  // namespace

std::string prefix_record(const InstalledPackage& package) {
  const conda::PackageRecord& record = package.record;
  const std::string cache = package.prefix + "/pkgs/";
  const std::string extracted = cache + distribution_name(record);
  Json json = Json::object();
  // What the channel does not say is left out.
  const auto set_text = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) {
      json.set(key, value);
    }
  };
  json.set("arch", arch_of(record.subdir))
      .set("build", record.build)
      .set("build_number", record.build_number)
      .set("channel", record.channel)
      .set("constrains", list_of(record.constrains))
      .set("depends", list_of(record.depends))
      .set("extracted_package_dir", extracted)
      .set("files", files_json(package))
      .set("fn", record.file_name);
  set_text("license", record.license);
  set_text("license_family", record.license_family);
  json.set("link", Json::object().set("source", extracted).set("type", kLinkTypeCopy));
  set_text("md5", record.md5);
  json.set("name", record.name);
  if (record.noarch != conda::Noarch::kNone) {
    json.set("noarch", record.noarch == conda::Noarch::kPython ? "python" : "generic");
  }
  json.set("package_tarball_full_path", cache + record.file_name)
      .set("paths_data", paths_json(package))
      .set("platform", platform_of(record.subdir));
  set_text("python_site_packages_path", record.python_site_packages_path);
  if (!package.requested_specs.empty()) {
    json.set("requested_spec", package.requested_specs.front());
  }
  json.set("requested_specs", list_of(package.requested_specs));
  set_text("sha256", record.sha256);
  if (record.size_bytes > 0) {
    json.set("size", static_cast<std::int64_t>(record.size_bytes));
  }
  json.set("subdir", record.subdir);
  if (record.timestamp_ms > 0) {
    json.set("timestamp", record.timestamp_ms);
  }
  if (!record.track_features.empty()) {
    json.set("track_features", join(record.track_features, " "));
  }
  json.set("url", record.url).set("version", record.version);
  return json.dump(2) + "\n";
}

std::string history_name(const conda::PackageRecord& record) {
  constexpr std::string_view kAlias = "https://conda.anaconda.org/";
  std::string_view channel = record.channel;
  if (channel.starts_with(kAlias)) {
    channel.remove_prefix(kAlias.size());
  }
  return fmt::format("{}/{}::{}", channel, record.subdir, distribution_name(record));
}

std::string history_block(const HistoryEntry& entry) {
  std::string time = to_rfc3339(entry.time_ms).substr(0, 19);  // "2026-11-20T23:50:23"
  std::ranges::replace(time, 'T', ' ');
  std::string out = fmt::format("==> {} <==\n# cmd: {}\n# {}\n", time, printable(entry.command),
                                printable(entry.tool));
  std::vector<std::string> linked = entry.linked;
  std::ranges::sort(linked);
  for (const std::string& one : linked) {
    out += "+" + printable(one) + "\n";
  }
  if (!entry.specs.empty()) {
    // A Python list, which conda reads back after turning ' into ".
    std::vector<std::string> quoted;
    for (const std::string& spec : entry.specs) {
      std::string plain = printable(spec);
      std::ranges::replace(plain, '\'', '"');
      quoted.push_back(
          (plain.find('"') == std::string::npos ? "'" + plain + "'" : Json(plain).dump()));
    }
    out += "# update specs: [" + join(quoted, ", ") + "]\n";
  }
  return out;
}

}  // namespace cloche::source
