#include "debian_channel/synthetic.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/files.h"
#include "core/json.h"
#include "core/yaml.h"
#include "debian_channel/conversion.h"
#include "io/file.h"
#include "package/conda/version.h"
#include "source/conda/package_archive.h"
#include "source/conda/package_writer.h"

namespace cloche::debian_channel {
namespace {

constexpr std::string_view kPrefix = "{prefix}";

template <class... Args>
Error wrong(const YamlNode& node, fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorKind::kInvalid, "{}", fmt::format(format, std::forward<Args>(args)...))
      .with_location(node.at);
}

class PackageReader {
 public:
  explicit PackageReader(const YamlNode& node) : node_(node) {}

  Status check_keys() const {
    static constexpr std::array<std::string_view, 16> kKnown = {
        "name",   "version",     "build",     "build_number", "depends", "constrains",
        "noarch", "license",     "timestamp", "subdir",       "format",  "track_features",
        "files",  "executables", "links",     "entry_points"};
    if (!node_.is_mapping()) {
      return wrong(node_, "a package is a mapping");
    }
    for (const YamlNode::Member& member : node_.members) {
      if (std::ranges::find(kKnown, member.key.text) == kKnown.end()) {
        return wrong(member.key, "unknown key '{}'", member.key.text);
      }
    }
    return {};
  }

  std::string text(std::string_view key, const std::string& otherwise = "") const {
    const YamlNode* member = node_.find(key);
    return member == nullptr || !member->is_scalar() ? otherwise : member->text;
  }

  Result<std::vector<std::string>> list(std::string_view key) const {
    std::vector<std::string> out;
    const YamlNode* member = node_.find(key);
    if (member == nullptr) {
      return out;
    }
    if (!member->is_sequence()) {
      return wrong(*member, "{} is a list", key);
    }
    for (const YamlNode& item : member->items) {
      out.push_back(item.text);
    }
    return out;
  }

  Result<std::int64_t> number(std::string_view key) const {
    const YamlNode* member = node_.find(key);
    if (member == nullptr) {
      return 0;
    }
    const Json value = member->to_json(false);
    if (!value.is_integer()) {
      return wrong(*member, "{} is a whole number", key);
    }
    return value.as_integer();
  }

  // Paths to texts, checked and sorted.
  Result<std::map<std::string, std::string>> paths(std::string_view key) const {
    std::map<std::string, std::string> out;
    const YamlNode* member = node_.find(key);
    if (member == nullptr) {
      return out;
    }
    for (const YamlNode::Member& one : member->members) {
      Result<std::string> path = source::package_path(one.key.text);
      if (!path) {
        return std::move(path).error().with_location(one.key.at);
      }
      out[*path] = one.value.text;
    }
    return out;
  }

  const YamlNode& node() const { return node_; }

 private:
  const YamlNode& node_;
};

Json list_of(const std::vector<std::string>& all) {
  Json out = Json::array();
  for (const std::string& one : all) {
    out.push(one);
  }
  return out;
}

Result<Json> read_index(const PackageReader& reader) {
  const std::string noarch = reader.text("noarch");
  const Result<conda::Version> version = conda::Version::parse(reader.text("version", "1.0"));
  if (reader.text("name").empty() || !version) {
    return wrong(reader.node(), "a package needs a name and a version that conda understands");
  }
  if (!noarch.empty() && noarch != "python" && noarch != "generic") {
    return wrong(reader.node(), "noarch is python or generic");
  }
  Json index = Json::object();
  index.set("name", reader.text("name"));
  index.set("version", version->text());
  index.set("build", reader.text("build", "0"));
  index.set("build_number", TRY(reader.number("build_number")));
  index.set("depends", list_of(TRY(reader.list("depends"))));
  index.set("constrains", list_of(TRY(reader.list("constrains"))));
  index.set("subdir", noarch.empty() ? reader.text("subdir", "linux-64") : "noarch");
  index.set("license", reader.text("license", "MIT"));
  index.set("timestamp", TRY(reader.number("timestamp")));
  if (!noarch.empty()) {
    index.set("noarch", noarch);
  }
  if (const std::vector<std::string> features = TRY(reader.list("track_features"));
      !features.empty()) {
    index.set("track_features", list_of(features));
  }
  return index;
}

Status add_files(const PackageReader& reader, source::PayloadWriter& out) {
  std::set<std::string> seen;
  for (const std::string_view key : {"files", "executables"}) {
    for (auto [path, content] : TRY(reader.paths(key))) {
      if (!seen.insert(path).second) {
        return wrong(reader.node(), "{} is there twice", path);
      }
      source::PayloadWriter::File file{.path = path, .executable = key == "executables"};
      for (std::size_t at = content.find(kPrefix); at != std::string::npos;
           at = content.find(kPrefix, at + placeholder().size())) {
        content.replace(at, kPrefix.size(), placeholder());
        file.placeholder = placeholder();
      }
      if (content.find('\0') != std::string::npos) {
        file.mode = source::FileMode::kBinary;
      }
      TRY(out.file(file, content));
    }
  }
  for (const auto& [path, target] : TRY(reader.paths("links"))) {
    if (!seen.insert(path).second) {
      return wrong(reader.node(), "{} is there twice", path);
    }
    TRY(out.symlink(path, target));
  }
  return {};
}

}  // namespace

Status make_synthetic_channel(std::string_view yaml, const std::string& file,
                              const std::string& directory) {
  const YamlNode root = TRY(parse_yaml(yaml, file));
  const YamlNode* packages = root.find("packages");
  if (packages == nullptr || !packages->is_sequence()) {
    return wrong(root, "a channel has a list 'packages'");
  }
  std::map<std::string, std::map<std::string, Json>> subdirs = {{"linux-64", {}}, {"noarch", {}}};
  for (const YamlNode& node : packages->items) {
    const PackageReader reader(node);
    TRY(reader.check_keys());
    const Json index = TRY(read_index(reader));
    const std::string subdir = index.string_or_empty("subdir");
    const std::string name = index.string_or_empty("name") + "-" +
                             index.string_or_empty("version") + "-" +
                             index.string_or_empty("build") + "." + reader.text("format", "conda");
    if (!name.ends_with(".conda") && !name.ends_with(".tar.bz2")) {
      return wrong(node, "a format is conda or tar.bz2");
    }
    if (subdirs[subdir].contains(name)) {
      return wrong(node, "{} is there twice", name);
    }
    std::string payload;
    source::PayloadWriter out([&](std::string_view bytes) -> Status {
      payload += bytes;
      return {};
    });
    TRY(add_files(reader, out));
    const std::vector<source::PathEntry> paths = TRY(out.finish());
    std::map<std::string, std::string> info = {{"index.json", index.dump(2) + "\n"},
                                               {"paths.json", source::paths_json_text(paths)},
                                               {"about.json", "{}\n"}};
    if (index.string_or_empty("noarch") == "python") {
      info["link.json"] =
          Json::object()
              .set("noarch", Json::object()
                                 .set("type", "python")
                                 .set("entry_points", list_of(TRY(reader.list("entry_points")))))
              .set("package_metadata_version", 1)
              .dump(2);
    }
    source::add_path_lists(paths, info);
    const std::string folder = join_path(directory, subdir);
    TRY(io::make_directories(folder));
    const std::string path = join_path(folder, name);
    TRY(source::write_package(path, payload, info));
    subdirs[subdir].emplace(name, TRY(source::repodata_record(index, path)));
  }
  for (const auto& [subdir, records] : subdirs) {
    TRY(source::write_repodata(directory, subdir, records));
  }
  return {};
}

}  // namespace cloche::debian_channel
