#include "lock/cloche_lock.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "core/yaml.h"
#include "lock/words.h"
#include "lock/yaml_record.h"
#include "package/conda/platform.h"
#include "package/conda/version.h"
#include "package/debian/version.h"

namespace cloche::lock {
namespace {

constexpr std::string_view kHead =
    "# Exactly which packages this environment has. Written by cloche, which keeps it; better not "
    "edited by hand.\n";
constexpr const char* kUnknownKey = "lock-unknown-key";

class Reader {
 public:
  explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Result<Lock> lock(const YamlNode& root) {
    YamlRecord record = TRY(YamlRecord::open(root, "a lock"));
    TRY(check_version(record));
    Lock out;
    out.fingerprint = TRY(record.hash("fingerprint", 32));
    out.platform = TRY(record.needed_text("platform"));
    if (!conda::is_known_subdir(out.platform)) {
      return record.refuse_key("platform",
                               fmt::format("unknown platform '{}'", printable(out.platform)));
    }
    out.virtual_packages = TRY(virtual_packages(record));
    if (const YamlNode* node = record.find("base_image")) {
      out.base_image = TRY(base_image(*node));
    }
    out.conda = TRY(conda_lock(*TRY(record.need("conda"))));
    if (const YamlNode* node = record.find("pypi")) {
      out.pypi = TRY(pypi_lock(*node));
    }
    if (const YamlNode* node = record.find("debian")) {
      out.debian = TRY(debian_lock(*node));
    }
    record.warn_unknown(kUnknownKey, diagnostics_);
    sort(out);
    return out;
  }

 private:
  static Status check_version(YamlRecord& record) {
    TRY(record.need("format_version"));
    const std::int64_t version = TRY(record.integer("format_version", 1));
    if (version > kFormatVersion) {
      Error error = record.refuse_key(
          "format_version",
          fmt::format("the lock has format version {}; this program knows versions up to {}",
                      version, kFormatVersion),
          "a newer cloche wrote it: install that one");
      error.kind = ErrorKind::kUnsupported;
      return error;
    }
    return {};
  }

  static Result<std::vector<VirtualPackage>> virtual_packages(YamlRecord& record) {
    std::vector<VirtualPackage> out;
    for (const std::string& text : TRY(record.texts("virtual_packages"))) {
      const auto parts = split(text, '=');
      const bool good = parts.size() == 3 && parts[0].starts_with("__") &&
                        is_file_name_part(parts[0]) && conda::Version::parse(parts[1]);
      if (!good) {
        return record.refuse_key("virtual_packages",
                                 fmt::format("'{}' is no virtual package", printable(text)),
                                 "one is written as __glibc=2.36=0");
      }
      out.push_back({std::string(parts[0]), std::string(parts[1]), std::string(parts[2])});
    }
    return out;
  }

  Result<BaseImage> base_image(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "'base_image'"));
    BaseImage out;
    out.reference = TRY(record.needed_text("reference"));
    out.digest = TRY(record.text("digest"));
    out.origin = TRY(record.text("origin"));
    if (!out.digest.empty() && !Digest::parse(out.digest)) {
      return record.refuse_key("digest", "the base image's digest is none",
                               "a digest is sha256: and 64 lower-case hex digits");
    }
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  Result<CondaLock> conda_lock(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "'conda'"));
    CondaLock out;
    out.channels = TRY(list(record, "channels", &Reader::channel));
    const std::string priority = TRY(record.needed_text("channel_priority"));
    const auto known = conda::channel_priority_of(priority);
    if (!known) {
      return record.refuse_key("channel_priority",
                               fmt::format("unknown channel priority '{}'", printable(priority)),
                               "it is strict, flexible or disabled");
    }
    out.channel_priority = *known;
    out.requested = TRY(record.texts("requested"));
    out.packages = TRY(packages(record, &Reader::conda_package));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  Result<Channel> channel(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "a channel"));
    Channel out;
    out.name = TRY(record.needed_text("name"));
    out.url = TRY(record.text("url"));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  template <class Item>
  Result<std::vector<Item>> list(YamlRecord& parent, std::string_view key,
                                 Result<Item> (Reader::*read)(const YamlNode&)) {
    std::vector<Item> out;
    const std::vector<YamlNode>* items = TRY(parent.list(key));
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
      out.push_back(TRY((this->*read)((*items)[i])));
    }
    return out;
  }

  static const std::string& name_of(const CondaPackage& package) { return package.record.name; }
  template <class Package>
  static const std::string& name_of(const Package& package) {
    return package.name;
  }

  // The list under "packages"; a name that stands twice is no lock.
  template <class Package>
  Result<std::vector<Package>> packages(YamlRecord& parent,
                                        Result<Package> (Reader::*read)(const YamlNode&)) {
    std::vector<Package> out = TRY(list(parent, "packages", read));
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!seen.insert(name_of(out[i])).second) {
        return refuse((*TRY(parent.list("packages")))[i].at,
                      fmt::format("{} is locked twice", printable(name_of(out[i]))),
                      "keep one of the two blocks, or lock again");
      }
    }
    return out;
  }

  // Text that may stand in a file's name.
  static Result<std::string> file_name_part(YamlRecord& record, const char* key, const char* what) {
    std::string text = TRY(record.needed_text(key));
    if (!is_file_name_part(text)) {
      return record.refuse_key(key, fmt::format("'{}' is no {}", printable(text), what));
    }
    return text;
  }

  Result<CondaPackage> conda_package(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "a package"));
    CondaPackage out;
    TRY(identity(record, out.record));
    TRY(place(record, out.record));
    TRY(relations(record, out.record));
    TRY(traits(record, out.record));
    out.incomplete = TRY(record.flag("incomplete"));
    out.reason.requested = TRY(record.texts("requested"));
    out.reason.needed_by = TRY(record.texts("needed_by"));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  // What the package is called.
  static Status identity(YamlRecord& record, conda::PackageRecord& out) {
    out.name = TRY(record.needed_text("name"));
    if (!is_file_name_part(out.name) || out.name.starts_with("__")) {
      return record.refuse_key("name",
                               fmt::format("'{}' is no package's name", printable(out.name)));
    }
    out.version = TRY(record.needed_text("version"));
    if (!is_file_name_part(out.version) || !conda::Version::parse(out.version)) {
      return record.refuse_key("version",
                               fmt::format("'{}' is no version", printable(out.version)));
    }
    out.build = TRY(record.text("build"));
    if (!out.build.empty() && !is_file_name_part(out.build)) {
      return record.refuse_key("build",
                               fmt::format("'{}' is no build string", printable(out.build)));
    }
    out.build_number = TRY(record.integer("build_number"));
    return {};
  }

  // Where it is, and what proves that it is the one.
  static Status place(YamlRecord& record, conda::PackageRecord& out) {
    out.channel = TRY(record.text("channel"));
    out.subdir = TRY(record.text("subdir"));
    out.url = TRY(record.text("url"));
    const bool named = record.find("file_name") != nullptr;
    out.file_name = TRY(record.text("file_name"));
    if (!named) {
      out.file_name = out.url.substr(out.url.rfind('/') + 1);
    } else if (!out.file_name.empty() && !is_file_name_part(out.file_name)) {
      return record.refuse_key("file_name",
                               fmt::format("'{}' is no file's name", printable(out.file_name)));
    }
    out.size_bytes = static_cast<std::uint64_t>(TRY(record.integer("size")));
    out.sha256 = TRY(record.hash("sha256", 64));
    out.md5 = TRY(record.hash("md5", 32));
    return {};
  }

  static Status relations(YamlRecord& record, conda::PackageRecord& out) {
    out.depends = TRY(record.texts("depends"));
    out.constrains = TRY(record.texts("constrains"));
    if (const YamlNode* node = record.find("extra_depends")) {
      out.extra_depends = TRY(text_lists_of(*node, "extra_depends"));
    }
    out.flags = TRY(record.texts("flags"));
    out.track_features = TRY(record.texts("track_features"));
    return {};
  }

  static Status traits(YamlRecord& record, conda::PackageRecord& out) {
    const auto noarch = noarch_of(TRY(record.text("noarch")));
    if (!noarch) {
      return record.refuse_key("noarch", "'noarch' is neither python nor generic");
    }
    out.noarch = *noarch;
    out.python_site_packages_path = TRY(record.text("python_site_packages_path"));
    out.license = TRY(record.text("license"));
    out.license_family = TRY(record.text("license_family"));
    out.timestamp_ms = TRY(record.integer("timestamp", std::numeric_limits<std::int64_t>::min()));
    return {};
  }

  Result<PypiLock> pypi_lock(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "'pypi'"));
    PypiLock out;
    out.locked = TRY(record.flag("locked"));
    out.requirements = TRY(record.texts("requirements"));
    out.constraints = TRY(record.texts("constraints"));
    out.options = TRY(record.texts("options"));
    out.packages = TRY(packages(record, &Reader::pypi_package));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  Result<PypiPackage> pypi_package(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "a package"));
    PypiPackage out;
    out.name = TRY(file_name_part(record, "name", "package's name"));
    out.version = TRY(record.text("version"));
    out.url = TRY(record.text("url"));
    out.size_bytes = static_cast<std::uint64_t>(TRY(record.integer("size")));
    out.sha256 = TRY(record.hash("sha256", 64));
    out.md5 = TRY(record.hash("md5", 32));
    out.requires_dist = TRY(record.texts("requires_dist"));
    out.requires_python = TRY(record.text("requires_python"));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  Result<DebianLock> debian_lock(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "'debian'"));
    DebianLock out;
    out.locked = TRY(record.flag("locked"));
    out.requirements = TRY(record.texts("requirements"));
    out.distribution = TRY(record.text("distribution"));
    out.codename = TRY(record.text("codename"));
    out.architecture = TRY(record.text("architecture"));
    out.archives = TRY(list(record, "archives", &Reader::debian_archive));
    out.packages = TRY(packages(record, &Reader::debian_package));
    out.removes = TRY(record.texts("removes"));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  Result<DebianArchive> debian_archive(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "an archive"));
    DebianArchive out;
    out.uri = TRY(record.needed_text("uri"));
    out.suite = TRY(record.needed_text("suite"));
    out.components = TRY(record.texts("components"));
    out.date = TRY(record.text("date"));
    out.sha256 = TRY(record.hash("sha256", 64));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  Result<DebianPackage> debian_package(const YamlNode& node) {
    YamlRecord record = TRY(YamlRecord::open(node, "a package"));
    DebianPackage out;
    out.name = TRY(file_name_part(record, "name", "package's name"));
    out.version = TRY(record.needed_text("version"));
    if (!debian::Version::parse(out.version)) {
      return record.refuse_key("version",
                               fmt::format("'{}' is no version", printable(out.version)));
    }
    out.architecture = TRY(file_name_part(record, "architecture", "architecture"));
    out.source = TRY(record.text("source"));
    out.url = TRY(record.text("url"));
    out.size_bytes = static_cast<std::uint64_t>(TRY(record.integer("size")));
    out.sha256 = TRY(record.hash("sha256", 64));
    out.pre_depends = TRY(record.texts("pre_depends"));
    out.depends = TRY(record.texts("depends"));
    out.provides = TRY(record.texts("provides"));
    out.reason.requested = TRY(record.texts("requested"));
    out.reason.needed_by = TRY(record.texts("needed_by"));
    record.warn_unknown(kUnknownKey, diagnostics_);
    return out;
  }

  Diagnostics& diagnostics_;
};

}  // namespace

std::string write_cloche_lock(const Lock& lock) {
  Lock sorted = lock;
  sort(sorted);
  return std::string(kHead) + to_yaml(to_json(sorted));
}

Result<Lock> parse_cloche_lock(std::string_view text, const std::string& file,
                               Diagnostics& diagnostics) {
  return with_excerpts(text, file, diagnostics, [](const YamlNode& root, Diagnostics& found) {
    return Reader(found).lock(root);
  });
}

}  // namespace cloche::lock
