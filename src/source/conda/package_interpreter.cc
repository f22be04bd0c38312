#include "source/conda/package_interpreter.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "core/digest.h"
#include "source/conda/bytecode.h"

namespace cloche::source {
namespace {

// "openssl" for "openssl >=3.0,<4.0a0", as channels write dependencies.
std::string_view name_in(std::string_view spec) {
  return spec.substr(0, spec.find_first_of(" =<>!~[(,;"));
}

bool holds_interpreter(const std::vector<PlacedPath>& paths, std::string_view library) {
  return std::ranges::any_of(paths, [&](const PlacedPath& placed) {
    const std::string_view path = placed.path;
    return path.starts_with("bin/python") || path.starts_with("lib/libpython") ||
           (path.starts_with(library) &&
            !path.substr(library.size()).starts_with("site-packages/"));
  });
}

}  // namespace

std::string archive_identity(const conda::PackageRecord& record) {
  return record.sha256.empty() ? "md5:" + record.md5 : "sha256:" + record.sha256;
}

std::vector<std::size_t> interpreter_packages(const std::vector<conda::PackageRecord>& packages) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    if (packages[i].noarch != conda::Noarch::kPython) {
      places.emplace(packages[i].name, i);
    }
  }
  std::set<std::size_t> found;
  std::vector<std::string> open = {"python"};
  while (!open.empty()) {
    const auto place = places.find(open.back());
    open.pop_back();
    if (place == places.end() || !found.insert(place->second).second) {
      continue;
    }
    for (const std::string& spec : packages[place->second].depends) {
      open.emplace_back(name_in(spec));
    }
  }
  return {found.begin(), found.end()};
}

std::string interpreter_identity(
    const std::vector<conda::PackageRecord>& packages, const Placement& placement,
    const std::function<const std::vector<PlacedPath>&(std::size_t package)>& paths_of) {
  const std::string library = "lib/python" + placement.python_version + "/";
  std::string list;
  for (const std::size_t i : interpreter_packages(packages)) {
    if (holds_interpreter(paths_of(i), library)) {
      list += archive_identity(packages[i]) + "\n";
    }
  }
  return list.empty() ? "" : Digest::of(list).to_string();
}

std::vector<std::string> compiled_sources(const conda::PackageRecord& record,
                                          const std::vector<PlacedPath>& paths, std::size_t package,
                                          const PrefixPlan& plan, const Placement& placement) {
  std::vector<std::string> sources;
  if (record.noarch != conda::Noarch::kPython) {
    return sources;
  }
  std::string tag = "cpython-" + placement.python_version;
  std::erase(tag, '.');
  for (const PlacedPath& placed : paths) {
    if (placed.path.ends_with(".py") && placed.kind == PlacedPath::Kind::kPath &&
        placed.entry.type != PathType::kSoftlink && placed.entry.type != PathType::kDirectory &&
        plan.owns(package, placed.path) && placed.path.starts_with(placement.site_packages + "/") &&
        plan.owner(bytecode_path(placed.path, tag)) < 0) {
      sources.push_back(placed.path);
    }
  }
  std::ranges::sort(sources);
  return sources;
}

}  // namespace cloche::source
