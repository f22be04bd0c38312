#include "source/debian/apt_marks.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace cloche::source {
namespace {

using resolve::Dependencies;
using resolve::Dependency;
using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

constexpr int kMaxDepth = 1000;  // a chain of dependencies that no archive has

class Marker {
 public:
  explicit Marker(DebianProvider& provider) : provider_(provider), universe_(provider.universe()) {}

  Result<std::optional<std::vector<SolvableId>>> run(std::span<const RequirementId> roots) {
    std::vector<SolvableId> asked;
    for (const RequirementId root : roots) {
      const auto matching = TRY(provider_.matching(root));
      if (matching.empty()) {
        return std::optional<std::vector<SolvableId>>();
      }
      asked.push_back(matching.front());
    }
    for (const NameId name : universe_.installed_names()) {
      if (const auto installed = universe_.installed(name)) {
        TRY(know(*installed));
      }
    }
    // All that was asked for before anything that it needs (apt-private/private-install.cc).
    for (const SolvableId one : asked) {
      if (is_chosen(one)) {
        continue;
      }
      if (marked(one) || !TRY(accept(one))) {
        return std::optional<std::vector<SolvableId>>();
      }
    }
    for (const SolvableId one : asked) {
      if (!TRY(satisfy(one, 0)) || hopeless_) {
        return std::optional<std::vector<SolvableId>>();
      }
    }
    return hopeless_ ? std::nullopt : std::optional(order_);
  }

 private:
  std::optional<SolvableId> chosen(NameId name) {
    const auto found = marks_.find(name);
    return found != marks_.end() ? std::optional(found->second) : universe_.installed(name);
  }
  bool is_chosen(SolvableId id) { return chosen(universe_.package(id).name) == id; }
  bool marked(SolvableId id) { return marks_.contains(universe_.package(id).name); }

  Result<const Dependencies*> know(SolvableId id) {
    const auto found = dependencies_.find(id);
    if (found != dependencies_.end()) {
      return &found->second;
    }
    return &dependencies_.emplace(id, TRY(provider_.dependencies(id))).first->second;
  }

  Result<bool> is_met(RequirementId requirement) {
    for (const SolvableId one : TRY(provider_.matching(requirement))) {
      if (is_chosen(one)) {
        return true;
      }
    }
    return false;
  }

  // Whether what is chosen of the constraint's name goes with it.
  Result<bool> is_kept(RequirementId constraint) {
    const auto now = chosen(provider_.names(constraint).front());
    const auto matching = TRY(provider_.matching(constraint));
    return !now || std::ranges::find(matching, *now) != matching.end();
  }

  // Marks one package, if nothing that is chosen is against it or it against them.
  Result<bool> accept(SolvableId id) {
    const NameId name = universe_.package(id).name;
    const Dependencies* const own = TRY(know(id));
    const std::size_t before = order_.size();
    marks_.emplace(name, id);
    order_.push_back(id);
    bool good = true;
    for (const RequirementId constraint : own->constraints) {
      if (!TRY(is_kept(constraint))) {
        good = good && TRY(upgrade(provider_.names(constraint).front(), constraint));
      }
    }
    good = good && TRY(others_accept(id));
    if (!good) {
      undo_to(before);
    }
    return good;
  }

  // An installed package that is in the way may have a newer version that is not.
  Result<bool> upgrade(NameId name, RequirementId constraint) {
    const auto candidate = universe_.candidate(name);
    const auto matching = TRY(provider_.matching(constraint));
    if (marks_.contains(name) || !candidate ||
        std::ranges::find(matching, *candidate) == matching.end()) {
      return false;
    }
    later_.push_back(*candidate);
    return TRY(accept(*candidate));
  }

  // What stands in the constraints of everything chosen; apt finds such cases when all is marked,
  // and calls its problem resolver.
  Result<bool> others_accept(SolvableId id) {
    const NameId name = universe_.package(id).name;
    for (auto& [other, known] : dependencies_) {
      if (other == id || !is_chosen(other)) {
        continue;
      }
      for (const RequirementId constraint : known.constraints) {
        if (provider_.names(constraint).front() == name && !TRY(is_kept(constraint))) {
          return false;
        }
      }
    }
    return true;
  }

  // Installed packages that needed the version that goes.
  Result<bool> upgrade_dependents(SolvableId id, int depth) {
    const auto before = universe_.installed(universe_.package(id).name);
    if (!before || *before == id) {
      return true;
    }
    for (const NameId name : universe_.installed_names()) {
      const auto installed = universe_.installed(name);
      if (!installed || marks_.contains(name)) {
        continue;
      }
      for (const Dependency& one : TRY(know(*installed))->requirements) {
        if (!TRY(is_met(one.requirement))) {
          const auto candidate = universe_.candidate(name);
          if (!candidate || *candidate == *installed || !TRY(mark(*candidate, depth + 1))) {
            return false;
          }
          break;
        }
      }
    }
    return true;
  }

  // What is installed from the same source package comes along (MarkInstall_UpgradeOtherBinaries).
  Status upgrade_siblings(SolvableId id, int depth) {
    for (const NameId name : universe_.installed_of_source(universe_.source_name(id))) {
      const auto candidate = universe_.candidate(name);
      if (!candidate || marks_.contains(name) || universe_.package(*candidate).installed ||
          universe_.source_name(*candidate) != universe_.source_name(id) ||
          universe_.source_version(*candidate) != universe_.source_version(id)) {
        continue;
      }
      (void)TRY(mark(*candidate, depth + 1));
    }
    return {};
  }

  Result<bool> mark(SolvableId id, int depth) {
    if (is_chosen(id)) {
      return true;
    }
    if (marked(id) || depth > kMaxDepth) {
      return false;
    }
    const std::size_t before = order_.size();
    if (!TRY(accept(id)) || !TRY(satisfy(id, depth))) {
      undo_to(before);
      return false;
    }
    return true;
  }

  // Everything that a marked package needs.
  Result<bool> satisfy(SolvableId id, int depth) {
    TRY(upgrade_siblings(id, depth));
    for (std::vector<SolvableId> waiting = std::exchange(later_, {});
         const SolvableId one : waiting) {
      if (!TRY(satisfy(one, depth + 1))) {
        return false;
      }
    }
    if (!TRY(upgrade_dependents(id, depth))) {
      return false;
    }
    const std::vector<Dependency> needs = TRY(know(id))->requirements;
    for (const Dependency& one : needs) {
      if (TRY(is_met(one.requirement))) {
        continue;
      }
      bool found = false;
      for (const SolvableId choice : TRY(provider_.matching(one.requirement))) {
        if (universe_.candidate(universe_.package(choice).name) == choice &&
            TRY(mark(choice, depth + 1))) {
          found = true;
          break;
        }
      }
      if (!found) {
        return false;
      }
    }
    return true;
  }

  void undo_to(std::size_t size) {
    while (order_.size() > size) {
      marks_.erase(universe_.package(order_.back()).name);
      order_.pop_back();
    }
    later_.clear();
  }

  DebianProvider& provider_;
  PackageUniverse& universe_;
  std::unordered_map<NameId, SolvableId> marks_;
  std::unordered_map<SolvableId, Dependencies> dependencies_;
  std::vector<SolvableId> order_;
  std::vector<SolvableId> later_;  // marked to make room, their needs not looked at yet
  bool hopeless_ = false;
};

}  // namespace

Result<std::optional<std::vector<SolvableId>>> apt_marks(DebianProvider& provider,
                                                         std::span<const RequirementId> roots) {
  return Marker(provider).run(roots);
}

}  // namespace cloche::source
