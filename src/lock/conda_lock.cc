#include "lock/conda_lock.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/excerpt.h"
#include "core/text.h"
#include "core/yaml.h"
#include "lock/artifact_url.h"
#include "lock/foreign.h"
#include "lock/yaml_record.h"
#include "package/conda/version.h"
#include "package/pypi/requirement.h"

namespace cloche::lock {
namespace {

constexpr std::string_view kHead =
    "# Written by cloche. Install it with: conda-lock install conda-lock.yml, micromamba create -f "
    "conda-lock.yml\n";
constexpr const char* kUnknownKey = "lock-unknown-key";

// ---- reading

// One entry of `package`, whatever its manager.
struct Entry {
  std::string name;
  std::string version;
  std::string manager;
  std::string platform;
  std::string category;
  std::string url;
  std::string md5;
  std::string sha256;
  std::vector<std::string> dependencies;  // "python >=3.8"
};

class Reader {
 public:
  Reader(const ImportOptions& options, Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics) {}

  Result<Lock> run(const YamlNode& root) {
    YamlRecord record = TRY(YamlRecord::open(root, "a conda-lock file"));
    TRY(check_version(record));
    Lock out;
    out.platform = options_.platform;
    const YamlNode* metadata = TRY(record.need("metadata"));
    TRY(check_platform(*metadata));
    const YamlNode* list = TRY(record.need("package"));
    if (!list->is_sequence()) {
      return record.refuse_key("package", "'package' is not a list");
    }
    for (const YamlNode& item : list->items) {
      TRY(take(item, out));
    }
    TRY(take_channels(*metadata, out));
    record.warn_unknown(kUnknownKey, diagnostics_);
    tell_what_was_left_out();
    sort(out);
    return out;
  }

 private:
  static Status check_version(YamlRecord& record) {
    const std::int64_t version = TRY(record.integer("version"));
    if (version > 1) {
      Error error =
          record.refuse_key("version", fmt::format("conda-lock's format {} is not known", version),
                            "conda-lock writes version 1; older pixi.lock files (2, 3) are to be "
                            "updated with pixi");
      error.kind = ErrorKind::kUnsupported;
      return error;
    }
    return {};
  }

  Status check_platform(const YamlNode& metadata) {
    YamlRecord record = TRY(YamlRecord::open(metadata, "'metadata'"));
    const std::vector<std::string> platforms = TRY(record.texts("platforms"));
    if (!platforms.empty() && std::ranges::find(platforms, options_.platform) == platforms.end()) {
      return record.refuse_key("platforms",
                               fmt::format("the file holds nothing for {}", options_.platform),
                               "it is for " + some_of(platforms));
    }
    return {};
  }

  // After the packages, whose URLs tell what a channel's name stands for.
  static Status take_channels(const YamlNode& metadata, Lock& out) {
    YamlRecord record = TRY(YamlRecord::open(metadata, "'metadata'"));
    const std::vector<YamlNode>* items = TRY(record.list("channels"));
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
      YamlRecord channel = TRY(YamlRecord::open((*items)[i], "a channel"));
      out.conda.channels.push_back(channel_of(TRY(channel.needed_text("url")), out));
    }
    fill_channels(out);
    return {};
  }

  Status take(const YamlNode& item, Lock& out) {
    YamlRecord record = TRY(YamlRecord::open(item, "a package"));
    const Entry entry = TRY(read_entry(record));
    if (entry.platform != options_.platform) {
      return {};
    }
    if (std::ranges::find(options_.categories, entry.category) == options_.categories.end()) {
      ++left_out_[entry.category];
      return {};
    }
    if (!seen_.insert({entry.manager, entry.name, entry.category}).second) {
      return refuse(
          item.at, fmt::format("{} is locked twice for {}", printable(entry.name), entry.platform));
    }
    if (!names_.insert({entry.manager, entry.name}).second) {
      return {};  // the same in another category
    }
    if (entry.manager == "pip") {
      out.pypi.locked = true;
      out.pypi.packages.push_back(pypi_package(entry));
      return {};
    }
    out.conda.packages.push_back(TRY(conda_package(entry, record)));
    return {};
  }

  Result<Entry> read_entry(YamlRecord& record) {
    Entry out;
    out.name = TRY(record.needed_text("name"));
    out.version = TRY(record.needed_text("version"));
    out.manager = TRY(record.needed_text("manager"));
    if (out.manager != "conda" && out.manager != "pip") {
      return record.refuse_key("manager",
                               fmt::format("unknown manager '{}'", printable(out.manager)),
                               "it is conda or pip");
    }
    out.platform = TRY(record.needed_text("platform"));
    out.category = TRY(record.text("category"));
    out.category = out.category.empty() ? "main" : out.category;
    out.url = TRY(record.needed_text("url"));
    TRY(record.flag("optional"));
    for (const auto* ignored : {"source", "build", "constrains"}) {
      record.find(ignored);
    }
    YamlRecord hash = TRY(YamlRecord::open(*TRY(record.need("hash")), "'hash'"));
    out.md5 = TRY(hash.hash("md5", 32));
    out.sha256 = TRY(hash.hash("sha256", 64));
    out.dependencies = TRY(dependencies(record));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  static Result<std::vector<std::string>> dependencies(YamlRecord& record) {
    std::vector<std::string> out;
    const YamlNode* node = record.find("dependencies");
    if (node == nullptr) {
      return out;
    }
    if (!node->is_mapping()) {
      return record.refuse_key("dependencies", "'dependencies' is not a mapping");
    }
    for (const YamlNode::Member& member : node->members) {
      const std::string constraint =
          member.value.is_null() ? "" : TRY(text_of(member.value, "a dependency"));
      out.push_back(constraint.empty() ? member.key.text : member.key.text + " " + constraint);
    }
    return out;
  }

  static Result<CondaPackage> conda_package(const Entry& entry, const YamlRecord& at) {
    auto record = record_of_url(entry.url);
    if (!record) {
      return std::move(record.error()).with_location(at.at());
    }
    if (record->name != entry.name || record->version != entry.version) {
      return at.refuse_key("url",
                           fmt::format("the URL of {} {} is that of {} {}", printable(entry.name),
                                       printable(entry.version), record->name, record->version));
    }
    CondaPackage out = {.record = std::move(*record)};
    out.record.md5 = entry.md5;
    out.record.sha256 = entry.sha256;
    out.record.depends = entry.dependencies;
    out.incomplete = true;
    return out;
  }

  static PypiPackage pypi_package(const Entry& entry) {
    return {.name = pypi::normal_name(entry.name),
            .version = entry.version,
            .url = without_credentials(entry.url),
            .sha256 = entry.sha256,
            .md5 = entry.md5,
            .requires_dist = entry.dependencies};
  }

  void tell_what_was_left_out() {
    for (const auto& [category, count] : left_out_) {
      diagnostics_.note(
          "lock-import-category", {},
          fmt::format("{} packages of category '{}' are left out", count, printable(category)));
    }
  }

  const ImportOptions& options_;
  Diagnostics& diagnostics_;
  std::set<std::tuple<std::string, std::string, std::string>> seen_;  // manager, name, category
  std::set<std::pair<std::string, std::string>> names_;
  std::map<std::string, std::size_t> left_out_;
};

// ---- writing

// "python >=3.8,<4" is "python: '>=3.8,<4'". Of several for one name, those without a build string
// can be joined.
Json dependency_map(const std::vector<std::string>& depends) {
  std::map<std::string, std::string> out;
  for (const std::string& spec : depends) {
    const std::size_t blank = spec.find(' ');
    const std::string name = spec.substr(0, blank);
    const std::string constraint = blank == std::string::npos ? "" : spec.substr(blank + 1);
    const auto [entry, is_new] = out.emplace(name, constraint);
    if (!is_new && !constraint.empty()) {
      const bool joins = constraint.find_first_of(" |") == std::string::npos &&
                         entry->second.find_first_of(" |") == std::string::npos;
      entry->second = entry->second.empty() ? constraint
                      : joins               ? entry->second + "," + constraint
                                            : entry->second;
    }
  }
  Json json = Json::object();
  for (const auto& [name, constraint] : out) {
    json.members().emplace_back(name, constraint);
  }
  return json;
}

Json hash_map(const std::string& md5, const std::string& sha256) {
  Json json = Json::object();
  if (!md5.empty()) {
    json.set("md5", md5);
  }
  if (!sha256.empty()) {
    json.set("sha256", sha256);
  }
  return json;
}

struct Written {
  std::string_view manager;
  const std::string& name;
  const std::string& version;
  const std::string& url;
  Json dependencies;
  Json hash;
};

Json package_record(Written package, const Lock& lock) {
  Json out;
  out.set("name", package.name)
      .set("version", package.version)
      .set("manager", package.manager)
      .set("platform", lock.platform)
      .set("dependencies", std::move(package.dependencies))
      .set("url", package.url)
      .set("hash", std::move(package.hash))
      .set("category", "main")
      .set("optional", false);
  return out;
}

// "idna (>=2.5,<4)" is no key; a PEP 508 line is split where its name ends.
Json requirement_map(const std::vector<std::string>& requires_dist) {
  Json out = Json::object();
  for (const std::string& line : requires_dist) {
    const std::string_view unconditional = trim(std::string_view(line).substr(0, line.find(';')));
    const std::size_t end = unconditional.find_first_of(" <>=!~([@");
    const bool has_marker = line.find(';') != std::string::npos;
    if (!has_marker && unconditional.find('@') == std::string_view::npos) {
      out.set(unconditional.substr(0, end),
              end == std::string_view::npos ? "" : std::string(trim(unconditional.substr(end))));
    }
  }
  return out;
}

Json metadata_record(const Lock& lock) {
  Json channels = Json::array();
  for (const Channel& channel : lock.conda.channels) {
    channels.push(
        Json::object()
            .set("url", channel.name.find("://") == std::string::npos ? channel.name : channel.url)
            .set("used_env_vars", Json::array()));
  }
  Json out;
  out.set("content_hash", Json::object().set(lock.platform, contents_digest_of(lock).hex()))
      .set("channels", std::move(channels))
      .set("platforms", Json::array().push(lock.platform))
      .set("sources", Json::array().push("cloche.lock"));
  return out;
}

}  // namespace

Result<std::string> write_conda_lock(const Lock& lock, const ExportOptions& /*options*/,
                                     Diagnostics& diagnostics) {
  Lock sorted = lock;
  sort(sorted);
  Json packages = Json::array();
  for (const CondaPackage& package : sorted.conda.packages) {
    const conda::PackageRecord& r = package.record;
    TRY(check_has_url(r));
    packages.push(package_record(
        {"conda", r.name, r.version, r.url, dependency_map(r.depends), hash_map(r.md5, r.sha256)},
        sorted));
  }
  for (const PypiPackage& package : sorted.pypi.packages) {
    packages.push(package_record(
        {"pip", package.name, package.version, package.url, requirement_map(package.requires_dist),
         hash_map(package.md5, package.sha256)},
        sorted));
  }
  warn_of_loss(lock, {.format = "conda-lock.yml"}, diagnostics);
  Json out;
  out.set("version", 1)
      .set("metadata", metadata_record(sorted))
      .set("package", std::move(packages));
  return std::string(kHead) + to_yaml(out);
}

Result<Lock> parse_conda_lock(std::string_view text, const std::string& file,
                              const ImportOptions& options, Diagnostics& diagnostics) {
  return with_excerpts(text, file, diagnostics, [&](const YamlNode& root, Diagnostics& found) {
    return Reader(options, found).run(root);
  });
}

}  // namespace cloche::lock
