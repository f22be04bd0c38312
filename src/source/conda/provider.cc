// Everything is lazy. A name is loaded (its records found in the channels, its versions parsed and
// ordered) when the solver first asks for it; a spec is parsed when a chosen package has it among
// its dependencies, once however many packages do; what it matches is worked out when the solver
// asks. Two candidates with the same version and build number are compared by their dependencies
// only when the solver has to choose between them.
//
// The solvables of a name have neighbouring ids in the order of preference, so "the candidates that
// match, most wanted first" is a filter, never a sort.
#include "source/conda/provider.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/text.h"
#include "source/conda/provider_candidates.h"
#include "source/conda/provider_dependencies.h"
#include "source/conda/provider_matching.h"
#include "source/conda/provider_requirements.h"
#include "source/conda/provider_tables.h"
#include "source/conda/provider_texts.h"
#include "source/conda/provider_ties.h"

namespace cloche::source {

using conda::MatchSpec;
using resolve::Dependencies;
using resolve::Dependency;
using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

// Each works on the tables and asks those before it.
struct CondaProvider::State {
  State(std::vector<ProviderChannel> channels, ProviderOptions options)
      : tables(std::move(channels), std::move(options)) {}

  conda_solving::Tables tables;
  conda_solving::Candidates candidates{tables};
  conda_solving::Requirements requirements{tables};
  conda_solving::Matching matching{tables, candidates};
  conda_solving::DependencyReader dependencies{tables, requirements, matching};
  conda_solving::Ties ties{tables, candidates, requirements, matching};
};

CondaProvider::CondaProvider(std::vector<ProviderChannel> channels, ProviderOptions options)
    : state_(std::make_unique<State>(std::move(channels), std::move(options))) {}

CondaProvider::~CondaProvider() = default;

Result<std::vector<RequirementId>> CondaProvider::request(const MatchSpec& spec) {
  if (!spec.channel.empty()) {
    auto& name = state_->tables.row(state_->tables.name_id(spec.name));
    name.wants_channel = true;
    name.channel = spec.channel;
  }
  Dependencies wanted;
  TRY(state_->dependencies.add(wanted, state_->requirements.asked(spec)));
  std::vector<RequirementId> out;
  out.reserve(wanted.requirements.size());
  for (const Dependency& one : wanted.requirements) {
    out.push_back(one.condition ? state_->requirements.step(one.requirement, *one.condition)
                                : one.requirement);
  }
  return out;
}

Result<RequirementId> CondaProvider::relaxed(const MatchSpec& spec) {
  MatchSpec name_only;
  name_only.name = spec.name;
  return state_->requirements.asked(name_only);
}

bool CondaProvider::is_package(SolvableId solvable) const {
  const auto& one = state_->tables.row(solvable);
  return one.record != nullptr && state_->tables.row(one.name).extra.empty();
}

std::vector<conda::PackageRecord> CondaProvider::records(const resolve::Solution& solution) {
  std::vector<conda::PackageRecord> out;
  for (const SolvableId id : solution.solvables) {
    if (is_package(id)) {
      const auto& one = state_->tables.row(id);
      const auto& index = state_->tables.index_of(one);
      out.push_back(
          index.index->package_record(*one.record, state_->tables.channels[index.channel].url));
    }
  }
  return out;
}

Result<bool> CondaProvider::knows(std::string_view name) {
  const NameId id = state_->tables.name_id(name);
  TRY(state_->candidates.load(id));
  return !state_->tables.row(id).solvables.empty();
}

std::vector<std::string> CondaProvider::nearest_names(std::string_view name) {
  return conda_solving::nearest_names(state_->tables, name);
}

Status CondaProvider::prefetch(std::span<const NameId> names) {
  return state_->candidates.prefetch(names);
}

Result<std::span<const SolvableId>> CondaProvider::candidates(NameId name) {
  TRY(state_->candidates.load(name));
  return std::span<const SolvableId>(state_->tables.row(name).solvables);
}

std::span<const NameId> CondaProvider::names(RequirementId requirement) {
  return state_->tables.row(requirement).names;
}

Result<std::span<const SolvableId>> CondaProvider::matching(RequirementId requirement) {
  TRY(state_->matching.evaluate(requirement));
  return std::span<const SolvableId>(state_->tables.row(requirement).matching);
}

Result<Dependencies> CondaProvider::dependencies(SolvableId solvable) {
  return state_->dependencies.of(solvable);
}

bool CondaProvider::tied(SolvableId a, SolvableId b) {
  const auto& one = state_->tables.row(a);
  const auto& other = state_->tables.row(b);
  return one.name == other.name && one.tie == other.tie && one.record != nullptr;
}

Result<SolvableId> CondaProvider::prefer(std::span<const SolvableId> tied) {
  if (state_->tables.row(tied.front()).place == conda_solving::kNone) {
    TRY(state_->ties.compare(tied.front()));
  }
  return *std::ranges::min_element(tied, std::less<>(),
                                   [&](SolvableId id) { return state_->tables.row(id).place; });
}

NameId CondaProvider::name(SolvableId solvable) { return state_->tables.row(solvable).name; }

std::string CondaProvider::to_string(NameId name) {
  return printable(state_->tables.row(name).text);
}

std::string CondaProvider::to_string(SolvableId solvable) {
  return printable(state_->tables.text_of(solvable));
}

std::string CondaProvider::to_string(RequirementId requirement) {
  return printable(state_->tables.row(requirement).text);
}

std::string CondaProvider::to_string(std::span<const SolvableId> solvables) {
  return conda_solving::text_of_candidates(state_->tables, solvables);
}

// Many that are about versions alone are told by the versions that any of them accepts.
std::string CondaProvider::to_string(std::span<const RequirementId> requirements) {
  constexpr std::size_t kFew = 2;
  if (requirements.size() > kFew) {
    if (auto text = conda_solving::accepted_versions(state_->tables, requirements)) {
      return *text;
    }
  }
  return Provider::to_string(requirements);
}

std::string CondaProvider::why_absent(NameId name) {
  return conda_solving::why_absent(state_->tables, state_->tables.row(name));
}

Result<std::string> CondaProvider::why_none(RequirementId requirement) {
  TRY(state_->matching.evaluate(requirement));
  const auto& row = state_->tables.row(requirement);
  const auto& name = state_->tables.row(row.names.front());
  const NameId package = name.extra.empty() ? row.names.front() : name.extra_of;
  return state_->tables.row(package).solvables.empty()
             ? why_absent(row.names.front())
             : conda_solving::why_none(state_->tables, row);
}

}  // namespace cloche::source
