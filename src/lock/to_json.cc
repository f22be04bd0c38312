#include <string>
#include <string_view>
#include <vector>

#include "lock/lock.h"
#include "lock/words.h"

namespace cloche::lock {
namespace {

// A record in which what is empty is absent, so that a later field changes no digest of today.
class Record {
 public:
  void text(std::string_view key, const std::string& value) {
    if (!value.empty()) {
      json_.set(key, value);
    }
  }
  void number(std::string_view key, std::int64_t value) {
    if (value != 0) {
      json_.set(key, value);
    }
  }
  void flag(std::string_view key, bool value) {
    if (value) {
      json_.set(key, true);
    }
  }
  void texts(std::string_view key, const std::vector<std::string>& values) {
    if (!values.empty()) {
      json_.set(key, list_of(values));
    }
  }
  void value(std::string_view key, Json json) { json_.set(key, std::move(json)); }

  static Json list_of(const std::vector<std::string>& values) {
    Json list = Json::array();
    for (const std::string& one : values) {
      list.push(one);
    }
    return list;
  }

  Json take() && { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

Json extras_of(const std::map<std::string, std::vector<std::string>>& extras) {
  Json out = Json::object();
  for (const auto& [extra, specs] : extras) {
    out.members().emplace_back(extra, Record::list_of(specs));
  }
  return out;
}

std::string_view file_name_of_url(std::string_view url) {
  return url.substr(url.rfind('/') + 1);  // npos + 1 is 0
}

Json json_of(const CondaPackage& package) {
  const conda::PackageRecord& r = package.record;
  Record out;
  out.value("name", r.name);
  out.value("version", r.version);
  out.text("build", r.build);
  out.value("build_number", r.build_number);
  out.text("channel", r.channel);
  out.text("subdir", r.subdir);
  out.text("url", r.url);
  if (r.file_name != file_name_of_url(r.url)) {
    out.value("file_name", r.file_name);
  }
  out.number("size", static_cast<std::int64_t>(r.size_bytes));
  out.text("sha256", r.sha256);
  out.text("md5", r.md5);
  out.texts("depends", r.depends);
  out.texts("constrains", r.constrains);
  if (!r.extra_depends.empty()) {
    out.value("extra_depends", extras_of(r.extra_depends));
  }
  out.texts("flags", r.flags);
  out.texts("track_features", r.track_features);
  out.text("noarch", std::string(noarch_word(r.noarch)));
  out.text("python_site_packages_path", r.python_site_packages_path);
  out.text("license", r.license);
  out.text("license_family", r.license_family);
  out.number("timestamp", r.timestamp_ms);
  out.flag("incomplete", package.incomplete);
  out.texts("requested", package.reason.requested);
  out.texts("needed_by", package.reason.needed_by);
  return std::move(out).take();
}

Json json_of(const PypiPackage& package) {
  Record out;
  out.value("name", package.name);
  out.text("version", package.version);
  out.text("url", package.url);
  out.number("size", static_cast<std::int64_t>(package.size_bytes));
  out.text("sha256", package.sha256);
  out.text("md5", package.md5);
  out.texts("requires_dist", package.requires_dist);
  out.text("requires_python", package.requires_python);
  return std::move(out).take();
}

Json json_of(const DebianArchive& archive) {
  Record out;
  out.value("uri", archive.uri);
  out.value("suite", archive.suite);
  out.texts("components", archive.components);
  out.text("date", archive.date);
  out.text("sha256", archive.sha256);
  return std::move(out).take();
}

Json json_of(const DebianPackage& package) {
  Record out;
  out.value("name", package.name);
  out.value("version", package.version);
  out.value("architecture", package.architecture);
  out.text("source", package.source);
  out.text("url", package.url);
  out.number("size", static_cast<std::int64_t>(package.size_bytes));
  out.text("sha256", package.sha256);
  out.texts("pre_depends", package.pre_depends);
  out.texts("depends", package.depends);
  out.texts("provides", package.provides);
  out.texts("requested", package.reason.requested);
  out.texts("needed_by", package.reason.needed_by);
  return std::move(out).take();
}

template <class Package>
Json list_of(const std::vector<Package>& packages) {
  Json list = Json::array();
  for (const Package& package : packages) {
    list.push(json_of(package));
  }
  return list;
}

Json json_of(const CondaLock& conda) {
  Json channels = Json::array();
  for (const Channel& channel : conda.channels) {
    channels.push(Json::object().set("name", channel.name).set("url", channel.url));
  }
  Record out;
  out.value("channels", std::move(channels));
  out.value("channel_priority", to_string(conda.channel_priority));
  out.value("requested", Record::list_of(conda.requested));
  out.value("packages", list_of(conda.packages));
  return std::move(out).take();
}

Json json_of(const PypiLock& pypi) {
  Record out;
  out.value("locked", pypi.locked);
  out.texts("requirements", pypi.requirements);
  out.texts("constraints", pypi.constraints);
  out.texts("options", pypi.options);
  if (!pypi.packages.empty()) {
    out.value("packages", list_of(pypi.packages));
  }
  return std::move(out).take();
}

Json json_of(const DebianLock& debian) {
  Record out;
  out.value("locked", debian.locked);
  out.texts("requirements", debian.requirements);
  out.text("distribution", debian.distribution);
  out.text("codename", debian.codename);
  out.text("architecture", debian.architecture);
  if (!debian.archives.empty()) {
    out.value("archives", list_of(debian.archives));
  }
  if (!debian.packages.empty()) {
    out.value("packages", list_of(debian.packages));
  }
  out.texts("removes", debian.removes);
  return std::move(out).take();
}

}  // namespace

Json to_json(const Lock& lock) {
  Record out;
  out.value("format_version", kFormatVersion);
  out.text("fingerprint", lock.fingerprint);
  out.value("platform", lock.platform);
  std::vector<std::string> target;
  target.reserve(lock.virtual_packages.size());
  for (const VirtualPackage& one : lock.virtual_packages) {
    target.push_back(one.to_string());
  }
  out.texts("virtual_packages", target);
  if (lock.base_image) {
    Record image;
    image.value("reference", lock.base_image->reference);
    image.text("digest", lock.base_image->digest);
    image.text("origin", lock.base_image->origin);
    out.value("base_image", std::move(image).take());
  }
  out.value("conda", json_of(lock.conda));
  if (lock.pypi.locked || !lock.pypi.empty()) {
    out.value("pypi", json_of(lock.pypi));
  }
  if (lock.debian.locked || !lock.debian.empty()) {
    out.value("debian", json_of(lock.debian));
  }
  return std::move(out).take();
}

}  // namespace cloche::lock
