// The Debian packages that a solve can choose from: those of the archives' indexes and those that
// the base has installed, name by name as the search reaches them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "package/debian/record.h"
#include "resolve/ids.h"
#include "source/debian/package_index.h"

namespace cloche::source {

// One Packages file that counts.
struct PackageSource {
  PackageIndex index;
  std::string uri;         // the archive's, without credentials and final slash
  std::string suite;       // as asked for: "bookworm-security"
  std::string codename;    // of its Release
  std::string suite_name;  // the Release's Suite: "oldstable-security"
  std::string component;
  // apt_preferences(5): 500; 100 for archives that are not automatic but upgrade (backports), 1 for
  // those that are not automatic.
  int priority = 500;
};

struct UniverseOptions {
  std::string architecture = "amd64";  // Debian's word; packages of others are not looked at
  // Locked before: wanted more than anything else of their names, where they still are.
  std::vector<debian::PackageRecord> favoured = {};
};

// One thread. The sources and the installed packages outlive it; ids are dense, and what a span
// points to stays.
class PackageUniverse {
 public:
  struct Package {
    resolve::NameId name{};
    const PackageSource* source = nullptr;  // nullptr: only installed
    const PackageIndex* index = nullptr;
    const PackageIndex::Record* record = nullptr;
    std::string_view version;
    int priority = 0;
    bool installed = false;
  };
  struct Provider {
    resolve::SolvableId package{};
    std::string_view version;  // "" where it provides the name without one
  };

  // `installed` may be nullptr: nothing is.
  PackageUniverse(std::span<const PackageSource> sources, const PackageIndex* installed,
                  UniverseOptions options);

  resolve::NameId name_id(std::string_view name);
  std::string_view text(resolve::NameId name) const { return name_state(name).text; }

  // The versions of a package, the most wanted first: what was locked, then the one that apt would
  // take (apt_preferences(5): the highest priority, then the highest version, nothing older than
  // what is installed), then the rest in that order, what is older than the installed one last. A
  // version that several sources have is taken from the first.
  std::span<const resolve::SolvableId> versions(resolve::NameId name);

  // The first of them; what apt calls the candidate.
  std::optional<resolve::SolvableId> candidate(resolve::NameId name);
  std::optional<resolve::SolvableId> installed(resolve::NameId name);

  // The packages that say they provide a name, in the order of the sources.
  std::span<const Provider> providers(resolve::NameId name);

  const Package& package(resolve::SolvableId id) const { return packages_[resolve::index(id)]; }
  debian::MultiArch multi_arch(resolve::SolvableId id) const;
  debian::PackageRecord record(resolve::SolvableId id) const;
  // The name of its source package, and that one's version.
  std::string_view source_name(resolve::SolvableId id) const;
  std::string_view source_version(resolve::SolvableId id) const;

  const std::vector<resolve::NameId>& installed_names() const { return installed_names_; }
  const std::string& architecture() const { return options_.architecture; }
  std::span<const PackageSource> sources() const { return sources_; }

  // The installed packages that are made from a source package.
  std::span<const resolve::NameId> installed_of_source(std::string_view source_name);

  // A package whose name is most like this one, or "".
  std::string nearest_name(std::string_view name) const;

 private:
  struct NameState {
    std::string_view text;  // in an index, or in texts_
    bool loaded = false;
    bool providers_loaded = false;
    std::vector<resolve::SolvableId> versions;
    std::optional<resolve::SolvableId> installed;
    std::vector<Provider> providers;
  };

  NameState& name_state(resolve::NameId name) { return names_[resolve::index(name)]; }
  const NameState& name_state(resolve::NameId name) const { return names_[resolve::index(name)]; }
  NameState& load(resolve::NameId name);
  void add(NameState& state, resolve::NameId name, const PackageIndex& index,
           const PackageSource* source);
  void sort_versions(NameState& state);
  void load_providers(NameState& state, const PackageIndex& index);
  bool is_ours(const PackageIndex& index, const PackageIndex::Record& record) const;

  std::span<const PackageSource> sources_;
  const PackageIndex* installed_;
  UniverseOptions options_;
  std::unordered_map<std::string_view, std::string_view> favoured_;  // name -> version
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, resolve::NameId> ids_;
  std::deque<NameState> names_;
  std::deque<Package> packages_;
  std::vector<resolve::NameId> installed_names_;
  std::unordered_map<std::string_view, std::vector<resolve::NameId>> installed_by_source_;
  bool installed_by_source_known_ = false;
};

}  // namespace cloche::source
