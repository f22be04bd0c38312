// From the text of a MatchSpec to a requirement, each text once. For the files of the provider
// only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "package/conda/match_spec.h"
#include "source/conda/provider_tables.h"

namespace cloche::source::conda_solving {

// Whether a name stands for every name that fits: a glob or a regular expression.
bool is_pattern(std::string_view name);

// Lists are written [a, b] or as one word (CEP 44, CEP 45).
std::vector<std::string> list_items(std::string_view text);

// A made-up package's whole content: `requirement`, when `condition` holds.
struct Step {
  resolve::RequirementId requirement{};
  resolve::RequirementId condition{};
};

class Requirements {
 public:
  explicit Requirements(Tables& tables) : tables_(tables) {}

  // What a package depends on. A text that nobody can read is met by nothing.
  resolve::RequirementId of(std::string_view text);
  resolve::RequirementId of(IndexRow& index, std::uint32_t string);
  // What a person asks for, where a name may be a pattern.
  resolve::RequirementId asked(const conda::MatchSpec& spec);
  // Met by this candidate alone.
  resolve::RequirementId exactly(resolve::SolvableId solvable);

  // Met by a made-up package that needs `requirement` when `condition` holds.
  resolve::RequirementId step(resolve::RequirementId requirement, resolve::RequirementId condition);
  // What a made-up package is about; null for any other.
  const Step* find_step(resolve::SolvableId solvable) const;

 private:
  resolve::RequirementId add(const conda::MatchSpec& spec, std::string_view text);
  resolve::RequirementId add_impossible(std::string_view text);
  std::vector<resolve::NameId> names_for(const std::string& name);
  void add_extras(resolve::RequirementId id, std::string_view text);
  void add_condition(resolve::RequirementId id, std::string_view text);

  Tables& tables_;
  std::unordered_map<std::string_view, resolve::RequirementId> ids_;
  std::unordered_map<std::uint32_t, resolve::RequirementId> exact_ids_;  // by solvable
  std::map<std::pair<resolve::NameId, std::string>, resolve::NameId> extra_names_;
  std::map<std::pair<resolve::RequirementId, resolve::RequirementId>, resolve::RequirementId>
      step_ids_;
  std::unordered_map<std::uint32_t, Step> steps_;  // by solvable
};

}  // namespace cloche::source::conda_solving
