#include "debian_channel/package_info.h"

#include "core/text.h"
#include "debian_channel/conda_naming.h"

namespace cloche::debian_channel {
namespace {

constexpr std::int64_t kMillisecondsPerSecond = 1000;

Json list(const std::vector<std::string>& all) {
  Json out = Json::array();
  for (const std::string& one : all) {
    out.push(one);
  }
  return out;
}

// "py311_deb4", "py_deb4", "deb4", and "deb4_cpython" for Python itself.
std::string build_string(const Group& group, const Conversion& facts, const Rules& rules) {
  const std::string word = build_word(group.members.front().version);
  if (group.name == "python") {
    return word + "_cpython";
  }
  if (group.kind == PackageKind::kNoarchPython) {
    return "py_" + word;
  }
  if (facts.modules.empty()) {
    return word;
  }
  std::string digits = rules.python;
  std::erase(digits, '.');
  return "py" + digits + "_" + word;
}

Json about(const Group& group, const Conversion& facts, const std::string& suite) {
  Json sources = Json::array();
  for (const debian::PackageRecord& one : group.members) {
    sources.push(Json::object()
                     .set("name", one.name)
                     .set("version", one.version)
                     .set("architecture", one.architecture)
                     .set("source", debian::source_name(one))
                     .set("source_version", debian::source_version(one))
                     .set("filename", one.filename)
                     .set("sha256", one.sha256));
  }
  Json out = Json::object();
  out.set("home", facts.homepage);
  out.set("summary", facts.summary);
  out.set("description", facts.description);
  out.set("license", facts.license);
  out.set("dev_url", "https://tracker.debian.org/pkg/" +
                         std::string(debian::source_name(group.members.front())));
  out.set("extra",
          Json::object().set(
              "debian", Json::object().set("suite", suite).set("packages", std::move(sources))));
  return out;
}

// What conda-build would run after building: the imports of every module.
std::string import_test(const Conversion& facts) {
  std::string out;
  for (const std::string& module : facts.modules) {
    out += "import " + module + "\n";
  }
  return out;
}

}  // namespace

PackageInfo package_info(const Group& group, const Conversion& facts, const Relations& relations,
                         const Rules& rules, const std::string& suite,
                         const std::map<std::string, std::string>& licenses) {
  const debian::PackageRecord& first = group.members.front();
  const std::string version = conda_version(first.version);
  const std::string build = build_string(group, facts, rules);
  PackageInfo out;
  out.subdir = group.kind == PackageKind::kNative ? "linux-64" : "noarch";
  out.file_name = group.name + "-" + version + "-" + build +
                  (rules.tar_bz2.contains(group.name) ? ".tar.bz2" : ".conda");
  out.index = Json::object()
                  .set("name", group.name)
                  .set("version", version)
                  .set("build", build)
                  .set("build_number", build_number(first.version))
                  .set("depends", list(relations.depends))
                  .set("constrains", list(relations.constrains))
                  .set("license", facts.license.empty() ? "see info/licenses" : facts.license)
                  .set("subdir", out.subdir)
                  .set("timestamp", facts.time_s * kMillisecondsPerSecond);
  if (group.kind == PackageKind::kNative) {
    out.index.set("arch", "x86_64").set("platform", "linux");
  } else {
    out.index.set("noarch", group.kind == PackageKind::kNoarchPython ? "python" : "generic");
  }
  if (group.name == "python") {
    out.index.set("python_site_packages_path", "lib/python" + rules.python + "/site-packages");
  }
  out.files = facts.path_lists;
  out.files["index.json"] = out.index.dump(2) + "\n";
  out.files["about.json"] = about(group, facts, suite).dump(2) + "\n";
  out.files["paths.json"] = facts.paths_json;
  if (group.kind == PackageKind::kNoarchPython) {
    out.files["link.json"] =
        Json::object()
            .set("noarch",
                 Json::object().set("type", "python").set("entry_points", list(facts.entry_points)))
            .set("package_metadata_version", 1)
            .dump(2) +
        "\n";
  }
  if (!facts.modules.empty()) {
    out.files["test/run_test.py"] = import_test(facts);
  }
  for (const debian::PackageRecord& one : group.members) {
    const auto shared = facts.license_of.find(one.name);
    const std::string& owner = shared == facts.license_of.end() ? one.name : shared->second;
    if (const auto found = licenses.find(owner); found != licenses.end()) {
      out.files["licenses/" + one.name + "/copyright"] = found->second;
    }
  }
  return out;
}

}  // namespace cloche::debian_channel
