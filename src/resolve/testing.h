// A universe in memory, for tests of the solver and of what stands on it.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "resolve/provider.h"
#include "resolve/solver.h"

namespace cloche::resolve {

// Packages are "name" and a whole number as version. Requirements are texts:
//   "a", "a>=2", "a<3", "a=2", "a!=2", "a>=1,<3", alternatives "a=1|b", and "a>=2 if b=1" as a
//   dependency.
class MemoryProvider : public Provider {
 public:
  // Adds a candidate. `depends` and `constrains` are requirement texts.
  MemoryProvider& add(const std::string& name, int version, std::vector<std::string> depends = {},
                      std::vector<std::string> constrains = {});

  RequirementId requirement(const std::string& text);
  Request request(const std::vector<std::string>& requirements,
                  const std::vector<std::string>& constraints = {});

  // "a 2, b 1" sorted, or "none".
  std::string solve_text(const std::vector<std::string>& requirements,
                         const std::vector<std::string>& constraints = {});

  Status prefetch(std::span<const NameId> names) override;
  Result<std::span<const SolvableId>> candidates(NameId name) override;
  std::span<const NameId> names(RequirementId requirement) override;
  Result<std::span<const SolvableId>> matching(RequirementId requirement) override;
  Result<Dependencies> dependencies(SolvableId solvable) override;
  NameId name(SolvableId solvable) override;
  std::string to_string(NameId name) override;
  std::string to_string(SolvableId solvable) override;
  std::string to_string(RequirementId requirement) override;

  int version(SolvableId solvable) const { return solvables_[index(solvable)].version; }
  std::size_t solvable_count() const { return solvables_.size(); }
  const std::vector<std::vector<std::string>>& prefetched() const { return prefetched_; }

 private:
  struct Solvable {
    NameId name{};
    int version = 0;
    std::vector<std::string> depends;
    std::vector<std::string> constrains;
  };
  struct Requirement {
    std::string text;
    std::vector<NameId> names;
    std::vector<SolvableId> matching;
    bool evaluated = false;
  };

  NameId name_id(const std::string& name);
  void evaluate(Requirement& requirement);

  std::map<std::string, NameId> name_ids_;
  std::vector<std::string> name_texts_;
  std::vector<std::vector<SolvableId>> by_name_;
  std::vector<Solvable> solvables_;
  std::map<std::string, RequirementId> requirement_ids_;
  std::deque<Requirement> requirements_;
  std::vector<std::vector<std::string>> prefetched_;
};

}  // namespace cloche::resolve
