#include "lock/pixi_lock.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "core/yaml.h"
#include "lock/artifact_url.h"
#include "lock/foreign.h"
#include "lock/words.h"
#include "lock/yaml_record.h"
#include "package/conda/version.h"
#include "package/pypi/requirement.h"

namespace cloche::lock {
namespace {

constexpr std::int64_t kOldest = 4;
constexpr std::int64_t kNewest = 7;
constexpr std::int64_t kWritten = 6;
constexpr std::int64_t kLastWithKind = 5;  // `kind: conda` and `url:`; later `conda: URL`
constexpr std::string_view kDefault = "default";
constexpr const char* kUnknownKey = "lock-unknown-key";

// What is not kept: other tools' names for a package, hashes of an older archive, and what is about
// packages that are built from source.
constexpr std::string_view kIgnoredCondaKeys[] = {"kind",     "arch",           "platform",
                                                  "features", "purls",          "run_exports",
                                                  "variants", "legacy_bz2_md5", "legacy_bz2_size"};

Error unsupported(const Location& at, std::string message, std::string hint) {
  Error error = refuse(at, std::move(message), std::move(hint));
  error.kind = ErrorKind::kUnsupported;
  return error;
}

// ---- reading

class Reader {
 public:
  Reader(const ImportOptions& options, Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics) {}

  Result<Lock> run(const YamlNode& root) {
    YamlRecord record = TRY(YamlRecord::open(root, "a pixi.lock"));
    TRY(read_version(record));
    TRY(index_packages(record));
    TRY(read_platforms(record));
    const YamlNode* environment = TRY(choose_environment(record));
    Lock out;
    out.platform = options_.platform;
    TRY(read_environment(*environment, out));
    record.warn_unknown(kUnknownKey, diagnostics_);
    sort(out);
    return out;
  }

 private:
  Status read_version(YamlRecord& record) {
    TRY(record.need("version"));
    version_ = TRY(record.integer("version"));
    if (version_ < kOldest || version_ > kNewest) {
      return unsupported(record.find("version")->at,
                         fmt::format("pixi.lock version {} is not known", version_),
                         fmt::format("versions {} to {} are read: `pixi lock` of another version "
                                     "writes one of them",
                                     kOldest, kNewest));
    }
    return {};
  }

  // Where the packages are, by their URL or path; the first of equal ones counts.
  Status index_packages(YamlRecord& record) {
    const std::vector<YamlNode>* items = TRY(record.list("packages"));
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
      const YamlNode& item = (*items)[i];
      YamlRecord package = TRY(YamlRecord::open(item, "a package"));
      if (const YamlNode* place = find_place(package)) {
        packages_.emplace(TRY(text_of(*place, "a package's place")), &item);
      }
    }
    return {};
  }

  const YamlNode* find_place(YamlRecord& package) const {
    const bool with_kind = version_ <= kLastWithKind;
    const YamlNode* place = package.find(with_kind ? "url" : "conda");
    return place != nullptr ? place : package.find(with_kind ? "path" : "pypi");
  }

  // Since version 7 platforms have names, usually those of their subdirs.
  Status read_platforms(YamlRecord& record) {
    platform_ = options_.platform;
    const std::vector<YamlNode>* items = TRY(record.list("platforms"));
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
      YamlRecord platform = TRY(YamlRecord::open((*items)[i], "a platform"));
      const std::string name = TRY(platform.needed_text("name"));
      const std::string subdir = TRY(platform.text("subdir"));
      platform.find("virtual-packages");
      platform.warn_unknown(kUnknownKey, diagnostics_);
      if (name == options_.platform) {
        platform_ = name;
        break;
      }
      if (subdir == options_.platform && platform_ == options_.platform) {
        platform_ = name;
      }
    }
    return {};
  }

  Result<const YamlNode*> choose_environment(YamlRecord& record) {
    const YamlNode* environments = TRY(record.need("environments"));
    if (!environments->is_mapping() || environments->members.empty()) {
      return record.refuse_key("environments", "the file holds no environment");
    }
    const std::string wanted =
        options_.environment.empty() ? std::string(kDefault) : options_.environment;
    if (const YamlNode* found = environments->find(wanted)) {
      return found;
    }
    if (options_.environment.empty() && environments->members.size() == 1) {
      return &environments->members.front().value;
    }
    std::vector<std::string> names;
    names.reserve(environments->members.size());
    for (const YamlNode::Member& member : environments->members) {
      names.push_back(member.key.text);
    }
    Error error = refuse(environments->at, fmt::format("no environment '{}'", printable(wanted)),
                         "there is " + some_of(names));
    error.kind = ErrorKind::kNotFound;
    return error;
  }

  Status read_environment(const YamlNode& node, Lock& out) {
    YamlRecord record = TRY(YamlRecord::open(node, "an environment"));
    YamlRecord by_platform =
        TRY(YamlRecord::open(*TRY(record.need("packages")), "'packages' of an environment"));
    const YamlNode* selectors = by_platform.find(platform_);
    if (selectors == nullptr || !selectors->is_sequence()) {
      return by_platform.refuse_key(platform_,
                                    fmt::format("the environment has nothing for {}", platform_),
                                    "name another platform or environment");
    }
    for (const YamlNode& selector : selectors->items) {
      TRY(take(selector, out));
    }
    TRY(read_channels(record, out));
    TRY(read_options(record, out));
    record.find("indexes");
    record.find("find-links");
    record.warn_unknown(kUnknownKey, diagnostics_);
    return {};
  }

  static Status read_channels(YamlRecord& record, Lock& out) {
    const std::vector<YamlNode>* items = TRY(record.list("channels"));
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
      const YamlNode& item = (*items)[i];
      if (item.is_scalar()) {
        out.conda.channels.push_back(channel_of(TRY(text_of(item, "a channel")), out));
        continue;
      }
      YamlRecord channel = TRY(YamlRecord::open(item, "a channel"));
      out.conda.channels.push_back(channel_of(TRY(channel.needed_text("url")), out));
    }
    fill_channels(out);
    return {};
  }

  static Status read_options(YamlRecord& record, Lock& out) {
    const YamlNode* node = record.find("options");
    if (node == nullptr) {
      return {};
    }
    YamlRecord options = TRY(YamlRecord::open(*node, "'options'"));
    const std::string priority = TRY(options.text("channel-priority"));
    const auto known = conda::channel_priority_of(priority);
    if (!priority.empty() && !known) {
      return options.refuse_key("channel-priority",
                                fmt::format("unknown channel priority '{}'", printable(priority)));
    }
    out.conda.channel_priority = known.value_or(ChannelPriority::kStrict);
    return {};
  }

  // An entry of an environment: {conda: URL} or {pypi: URL}.
  Status take(const YamlNode& node, Lock& out) {
    YamlRecord selector = TRY(YamlRecord::open(node, "a package of an environment"));
    for (const auto* kind : {"conda", "pypi"}) {
      const YamlNode* place = selector.find(kind);
      if (place == nullptr) {
        continue;
      }
      const std::string url = TRY(text_of(*place, "a package's place"));
      const auto found = packages_.find(url);
      if (found == packages_.end()) {
        return refuse(
            place->at,
            fmt::format("'packages' does not hold {}", printable(without_credentials(url))),
            "the file was cut or edited; write it again with `pixi lock`");
      }
      return std::string_view(kind) == "conda" ? take_conda(*found->second, url, out)
                                               : take_pypi(*found->second, url, out);
    }
    return unsupported(node.at, "a package that is built from source is no exact package",
                       "build it into a channel, and lock the package from there");
  }

  Status take_conda(const YamlNode& node, const std::string& url, Lock& out) {
    auto parsed = record_of_url(url);
    if (!parsed) {
      return url.ends_with(".conda") || url.ends_with(".tar.bz2")
                 ? unsupported(node.at, "a package by path is not there on another machine",
                               "put it into a channel")
                 : std::move(parsed.error()).with_location(node.at);
    }
    CondaPackage package = {.record = std::move(*parsed)};
    YamlRecord record = TRY(YamlRecord::open(node, "a package"));
    TRY(read_identity(record, package.record));
    TRY(read_facts(record, package.record));
    for (const std::string_view ignored : kIgnoredCondaKeys) {
      record.find(ignored);
    }
    record.warn_unknown(kUnknownKey, diagnostics_);
    if (!names_.insert("conda " + package.record.name).second) {
      return refuse(node.at, fmt::format("{} is locked twice", package.record.name));
    }
    out.conda.packages.push_back(std::move(package));
    return {};
  }

  // Since version 6 only what the URL does not tell is written.
  Status read_identity(YamlRecord& record, conda::PackageRecord& out) const {
    find_place(record);
    const auto take = [&](const char* key, std::string& into) -> Status {
      const std::string value = TRY(record.text(key));
      if (!value.empty() && !is_file_name_part(value)) {
        return record.refuse_key(key, fmt::format("'{}' cannot be a {}", printable(value), key));
      }
      into = value.empty() ? into : value;
      return {};
    };
    TRY(take("name", out.name));
    TRY(take("version", out.version));
    TRY(take("build", out.build));
    TRY(take("subdir", out.subdir));
    TRY(take("file_name", out.file_name));
    if (!conda::Version::parse(out.version)) {
      return record.refuse_key("version", fmt::format("'{}' is no version", out.version));
    }
    if (record.find("build_number") != nullptr) {
      out.build_number = TRY(record.integer("build_number"));
    } else if (version_ <= kLastWithKind) {
      out.build_number = 0;
    }
    if (const std::string channel = TRY(record.text("channel")); !channel.empty()) {
      out.channel = channel_of(channel, {}).url;
    }
    return read_noarch(record, out);
  }

  Status read_noarch(YamlRecord& record, conda::PackageRecord& out) const {
    if (record.find("noarch") == nullptr) {
      out.noarch = version_ <= kLastWithKind ? conda::Noarch::kNone : out.noarch;
      return {};
    }
    const std::string word = TRY(record.text("noarch"));
    const auto noarch = word == "false" ? conda::Noarch::kNone : noarch_of(word);
    if (!noarch) {
      return record.refuse_key("noarch", "'noarch' is neither python nor generic");
    }
    out.noarch = *noarch;
    return {};
  }

  static Status read_facts(YamlRecord& record, conda::PackageRecord& out) {
    constexpr std::int64_t kLargestSeconds = 253'402'300'799;  // CEP 36, "timestamp"
    out.sha256 = TRY(record.hash("sha256", 64));
    out.md5 = TRY(record.hash("md5", 32));
    out.depends = TRY(record.texts("depends"));
    out.constrains = TRY(record.texts("constrains"));
    if (const YamlNode* node = record.find("extra_depends")) {
      out.extra_depends = TRY(text_lists_of(*node, "extra_depends"));
    }
    out.flags = TRY(record.texts("flags"));
    out.track_features = TRY(record.texts("track_features"));
    out.license = TRY(record.text("license"));
    out.license_family = TRY(record.text("license_family"));
    out.size_bytes = static_cast<std::uint64_t>(TRY(record.integer("size")));
    out.timestamp_ms = TRY(record.integer("timestamp"));
    if (out.timestamp_ms <= kLargestSeconds) {
      out.timestamp_ms *= 1000;
    }
    out.python_site_packages_path = TRY(record.text("python_site_packages_path"));
    return {};
  }

  Status take_pypi(const YamlNode& node, const std::string& place, Lock& out) {
    constexpr std::string_view kDirect = "direct+";
    YamlRecord record = TRY(YamlRecord::open(node, "a package"));
    find_place(record);
    PypiPackage package;
    package.name = pypi::normal_name(TRY(record.needed_text("name")));
    if (!is_file_name_part(package.name)) {
      return record.refuse_key("name", "this is no package's name");
    }
    package.version = TRY(record.text("version"));
    const std::string_view direct = place;
    package.url =
        without_credentials(direct.starts_with(kDirect) ? direct.substr(kDirect.size()) : direct);
    package.sha256 = TRY(record.hash("sha256", 64));
    package.md5 = TRY(record.hash("md5", 32));
    package.requires_dist = TRY(record.texts("requires_dist"));
    package.requires_python = TRY(record.text("requires_python"));
    for (const auto* ignored : {"kind", "editable", "index"}) {
      record.find(ignored);
    }
    record.warn_unknown(kUnknownKey, diagnostics_);
    if (!names_.insert("pypi " + package.name).second) {
      return refuse(node.at, fmt::format("{} is locked twice", package.name));
    }
    out.pypi.locked = true;
    out.pypi.packages.push_back(std::move(package));
    return {};
  }

  const ImportOptions& options_;
  Diagnostics& diagnostics_;
  std::int64_t version_ = 0;
  std::string platform_;
  std::unordered_map<std::string, const YamlNode*> packages_;
  std::set<std::string> names_;
};

// ---- writing

class Record {
 public:
  Record(std::string_view key, const std::string& place) { json_.set(key, place); }

  Record& text(std::string_view key, const std::string& value, const std::string& derived = "") {
    if (value != derived) {
      json_.set(key, value);
    }
    return *this;
  }
  Record& number(std::string_view key, std::int64_t value, std::int64_t derived = 0) {
    if (value != derived) {
      json_.set(key, value);
    }
    return *this;
  }
  Record& texts(std::string_view key, const std::vector<std::string>& values) {
    if (!values.empty()) {
      json_.set(key, list_of(values));
    }
    return *this;
  }
  Record& value(std::string_view key, Json json) {
    json_.set(key, std::move(json));
    return *this;
  }
  Json take() { return std::move(json_); }

  static Json list_of(const std::vector<std::string>& values) {
    Json list = Json::array();
    for (const std::string& one : values) {
      list.push(one);
    }
    return list;
  }

 private:
  Json json_;
};

Json extras_of(const conda::PackageRecord& record) {
  Json out = Json::object();
  for (const auto& [extra, specs] : record.extra_depends) {
    out.members().emplace_back(extra, Record::list_of(specs));
  }
  return out;
}

// The keys in rattler's order; only what the URL does not tell.
Json package_record(const conda::PackageRecord& r) {
  const conda::PackageRecord derived = record_of_url(r.url).value_or(conda::PackageRecord());
  Record out("conda", r.url);
  out.text("name", r.name, derived.name)
      .text("version", r.version, derived.version)
      .text("build", r.build, derived.build)
      .number("build_number", r.build_number, derived.build_number)
      .text("subdir", r.subdir, derived.subdir);
  if (r.noarch != derived.noarch) {
    out.text("noarch",
             r.noarch == conda::Noarch::kNone ? "false" : std::string(noarch_word(r.noarch)));
  }
  out.text("sha256", r.sha256)
      .text("md5", r.md5)
      .texts("depends", r.depends)
      .texts("constrains", r.constrains);
  if (!r.extra_depends.empty()) {
    out.value("extra_depends", extras_of(r));
  }
  out.text("channel", r.channel, derived.channel).texts("flags", r.flags);
  out.texts("track_features", r.track_features);
  if (!r.file_name.empty()) {
    out.text("file_name", r.file_name, derived.file_name);
  }
  return out.text("license", r.license)
      .text("license_family", r.license_family)
      .number("size", static_cast<std::int64_t>(r.size_bytes))
      .number("timestamp", r.timestamp_ms)
      .text("python_site_packages_path", r.python_site_packages_path)
      .take();
}

Json package_record(const PypiPackage& p) {
  return Record("pypi", p.url)
      .value("name", p.name)
      .text("version", p.version)
      .text("sha256", p.sha256)
      .text("md5", p.md5)
      .texts("requires_dist", p.requires_dist)
      .text("requires_python", p.requires_python)
      .take();
}

Json selectors(const Lock& lock) {
  Json out = Json::array();
  for (const CondaPackage& package : lock.conda.packages) {
    out.push(Json::object().set("conda", package.record.url));
  }
  for (const PypiPackage& package : lock.pypi.packages) {
    out.push(Json::object().set("pypi", package.url));
  }
  return out;
}

Json environment_record(const Lock& lock) {
  Json channels = Json::array();
  for (const Channel& channel : lock.conda.channels) {
    channels.push(
        Json::object().set("url", (channel.url.empty() ? channel.name : channel.url) + "/"));
  }
  Json out;
  out.set("channels", std::move(channels));
  if (!lock.pypi.packages.empty()) {
    out.set("indexes", Json::array().push("https://pypi.org/simple"));
  }
  if (lock.conda.channel_priority != ChannelPriority::kStrict) {
    out.set("options",
            Json::object().set("channel-priority", conda::to_string(lock.conda.channel_priority)));
  }
  return out.set("packages", Json::object().set(lock.platform, selectors(lock)));
}

}  // namespace

Result<std::string> write_pixi_lock(const Lock& lock, const ExportOptions& /*options*/,
                                    Diagnostics& diagnostics) {
  Lock sorted = lock;
  sort(sorted);
  Json packages = Json::array();
  for (const CondaPackage& package : sorted.conda.packages) {
    TRY(check_has_url(package.record));
    packages.push(package_record(package.record));
  }
  for (const PypiPackage& package : sorted.pypi.packages) {
    packages.push(package_record(package));
  }
  warn_of_loss(lock, {.format = "pixi.lock"}, diagnostics);
  Json out;
  out.set("version", kWritten)
      .set("environments", Json::object().set(kDefault, environment_record(sorted)))
      .set("packages", std::move(packages));
  return to_yaml(out);
}

Result<Lock> parse_pixi_lock(std::string_view text, const std::string& file,
                             const ImportOptions& options, Diagnostics& diagnostics) {
  return with_excerpts(text, file, diagnostics, [&](const YamlNode& root, Diagnostics& found) {
    return Reader(options, found).run(root);
  });
}

}  // namespace cloche::lock
