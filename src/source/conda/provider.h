// conda's packages as the solver sees them. docs/formats/solving.md, "conda", defines the order of
// candidates.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "package/conda/channel_priority.h"
#include "package/conda/match_spec.h"
#include "package/conda/record.h"
#include "package/conda/virtual_package.h"
#include "resolve/provider.h"
#include "resolve/solver.h"
#include "source/conda/record_source.h"

namespace cloche::source {

// A channel, with its subdirs for the target's platform (noarch among them).
struct ProviderChannel {
  std::string name;                  // "conda-forge"
  std::string url;                   // without credentials, subdir and final slash
  std::vector<std::string> aliases;  // multichannels it is part of: "defaults"
  std::vector<std::unique_ptr<RecordSource>> subdirs;
  // Used only for specs that name it ("bioconda::samtools"), after all others.
  bool only_when_named = false;
};

struct ProviderOptions {
  conda::ChannelPriority priority = conda::ChannelPriority::kStrict;
  // conda's add_pip_as_python_dependency: python 2 and 3 need pip, whatever their record says.
  bool add_pip = true;
  std::vector<conda::VirtualPackage> virtual_packages;
  // Packages to keep where possible: the most wanted of their name (what a lock has).
  std::vector<conda::PackageRecord> favoured;
};

class CondaProvider : public resolve::Provider {
 public:
  CondaProvider(std::vector<ProviderChannel> channels, ProviderOptions options);
  ~CondaProvider() override;
  CondaProvider(const CondaProvider&) = delete;
  CondaProvider& operator=(const CondaProvider&) = delete;

  // What a spec of the request stands for: itself, and one more for each of its extras; nothing
  // when it has a condition (CEP 43) that the target does not meet.
  // All specs of a request are to be asked for before solving starts: one that names a channel
  // decides where its package comes from.
  Result<std::vector<resolve::RequirementId>> request(const conda::MatchSpec& spec);
  // The same name under no condition, for resolve::explain().
  Result<resolve::RequirementId> relaxed(const conda::MatchSpec& spec);

  // The packages of a solution, without virtual ones, in its order.
  std::vector<conda::PackageRecord> records(const resolve::Solution& solution);
  // nullptr for what is no package of a channel.
  bool is_package(resolve::SolvableId solvable) const;

  // Whether any channel has the name, and the nearest names if not.
  Result<bool> knows(std::string_view name);
  std::vector<std::string> nearest_names(std::string_view name);

  Status prefetch(std::span<const resolve::NameId> names) override;
  Result<std::span<const resolve::SolvableId>> candidates(resolve::NameId name) override;
  std::span<const resolve::NameId> names(resolve::RequirementId requirement) override;
  Result<std::span<const resolve::SolvableId>> matching(
      resolve::RequirementId requirement) override;
  Result<resolve::Dependencies> dependencies(resolve::SolvableId solvable) override;
  bool tied(resolve::SolvableId a, resolve::SolvableId b) override;
  Result<resolve::SolvableId> prefer(std::span<const resolve::SolvableId> tied) override;
  resolve::NameId name(resolve::SolvableId solvable) override;
  std::string to_string(resolve::NameId name) override;
  std::string to_string(resolve::SolvableId solvable) override;
  std::string to_string(resolve::RequirementId requirement) override;
  std::string to_string(std::span<const resolve::SolvableId> solvables) override;
  std::string to_string(std::span<const resolve::RequirementId> requirements) override;
  std::string why_absent(resolve::NameId name) override;
  Result<std::string> why_none(resolve::RequirementId requirement) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cloche::source
