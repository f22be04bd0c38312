// Answers the solver's questions about Debian packages. docs/formats/solving.md says which solution
// that gives: the one that apt-get install --no-install-recommends would, where it finds one.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "package/debian/relation.h"
#include "package/debian/requirement.h"
#include "resolve/provider.h"
#include "source/debian/universe.h"

namespace cloche::source {

// One thread. The universe outlives it.
class DebianProvider final : public resolve::Provider {
 public:
  using NameId = resolve::NameId;
  using SolvableId = resolve::SolvableId;
  using RequirementId = resolve::RequirementId;

  explicit DebianProvider(PackageUniverse& universe) : universe_(universe) {}

  // What a person asks for. A name that no package has but exactly one provides means that one.
  // kNotFound: there is no such package, or none of this version or in this suite; with the nearest
  // as hint. kInvalid: several packages provide the name; the hint lists them. kUnsupported: of
  // another architecture.
  Result<RequirementId> request(const debian::Requirement& asked);
  // The same package in any version.
  RequirementId relaxed(const debian::Requirement& asked);

  // That a package stays in, as it is where that is possible.
  RequirementId keep(NameId installed);
  // Exactly this one.
  RequirementId exactly(SolvableId package);

  const PackageUniverse& universe() const { return universe_; }
  PackageUniverse& universe() { return universe_; }

  Result<std::span<const SolvableId>> candidates(NameId name) override;
  std::span<const NameId> names(RequirementId requirement) override;
  Result<std::span<const SolvableId>> matching(RequirementId requirement) override;
  // Pre-Depends and Depends; Conflicts and Breaks as far as there is anything that they are
  // against. kCorrupt: a field that cannot be read.
  Result<resolve::Dependencies> dependencies(SolvableId solvable) override;
  NameId name(SolvableId solvable) override { return universe_.package(solvable).name; }

  std::string to_string(NameId name) override;
  std::string to_string(SolvableId solvable) override;
  std::string to_string(RequirementId requirement) override;
  using resolve::Provider::to_string;
  std::string why_absent(NameId name) override;
  Result<std::string> why_none(RequirementId requirement) override;

 private:
  struct Requirement {
    std::string text;
    std::vector<NameId> names;         // never empty
    std::vector<SolvableId> matching;  // the most wanted first
  };

  RequirementId add(Requirement requirement);
  RequirementId depend(const debian::Alternatives& group);
  void add_matching(const debian::Relation& relation, Requirement& out);
  bool fits(const debian::Relation& relation, SolvableId package) const;
  bool is_reachable(const debian::Relation& relation) const;
  std::vector<SolvableId> sorted_providers(const debian::Relation& relation);
  void add_constraints(const debian::Relation& relation, NameId self, resolve::Dependencies& out);
  void forbid(const debian::Relation& relation, NameId name, std::span<const SolvableId> against,
              std::vector<std::pair<NameId, RequirementId>>& out);
  Status add_depends(SolvableId solvable, PackageIndex::Text text, resolve::Dependencies& out);
  Status add_conflicts(SolvableId solvable, PackageIndex::Text text, resolve::Dependencies& out);
  Result<RequirementId> request_of(const debian::Requirement& asked, NameId name);
  bool is_asked(const debian::Requirement& asked, SolvableId package) const;

  PackageUniverse& universe_;
  std::deque<Requirement> requirements_;
  std::unordered_map<std::string, RequirementId> by_text_;  // of dependencies and others
  std::unordered_map<std::string, std::vector<std::pair<NameId, RequirementId>>> constraints_;
};

}  // namespace cloche::source
