#include "resolve/testing.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"

namespace cloche::resolve {
namespace {

constexpr std::string_view kOperators = "<>=!";

bool holds(int version, std::string_view condition) {
  const std::size_t digits = condition.find_first_of("0123456789");
  CHECK(digits != std::string_view::npos);
  const std::string_view op = condition.substr(0, digits);
  int wanted = 0;
  std::from_chars(condition.data() + digits, condition.data() + condition.size(), wanted);
  return (op == ">=" && version >= wanted) || (op == "<" && version < wanted) ||
         (op == "=" && version == wanted) || (op == "!=" && version != wanted);
}

bool holds_all(int version, std::string_view conditions) {
  return conditions.empty() ||
         std::ranges::all_of(split(conditions, ','),
                             [&](std::string_view one) { return holds(version, one); });
}

}  // namespace

MemoryProvider& MemoryProvider::add(const std::string& name, int version,
                                    std::vector<std::string> depends,
                                    std::vector<std::string> constrains) {
  const NameId id = name_id(name);
  by_name_[index(id)].push_back(static_cast<SolvableId>(solvables_.size()));
  solvables_.push_back({id, version, std::move(depends), std::move(constrains)});
  return *this;
}

NameId MemoryProvider::name_id(const std::string& name) {
  const auto [place, added] = name_ids_.emplace(name, static_cast<NameId>(name_texts_.size()));
  if (added) {
    name_texts_.push_back(name);
    by_name_.emplace_back();
  }
  return place->second;
}

RequirementId MemoryProvider::requirement(const std::string& text) {
  const auto [place, added] =
      requirement_ids_.emplace(text, static_cast<RequirementId>(requirements_.size()));
  if (added) {
    Requirement one;
    one.text = text;
    for (const std::string_view part : split(text, '|')) {
      const NameId id = name_id(std::string(part.substr(0, part.find_first_of(kOperators))));
      if (std::ranges::find(one.names, id) == one.names.end()) {
        one.names.push_back(id);
      }
    }
    requirements_.push_back(std::move(one));
  }
  return place->second;
}

void MemoryProvider::evaluate(Requirement& requirement) {
  if (requirement.evaluated) {
    return;
  }
  requirement.evaluated = true;
  for (const std::string_view part : split(requirement.text, '|')) {
    const std::size_t end = std::min(part.find_first_of(kOperators), part.size());
    std::vector<SolvableId> found = by_name_[index(name_id(std::string(part.substr(0, end))))];
    std::erase_if(found,
                  [&](SolvableId one) { return !holds_all(version(one), part.substr(end)); });
    std::ranges::stable_sort(found,
                             [&](SolvableId a, SolvableId b) { return version(a) > version(b); });
    requirement.matching.insert(requirement.matching.end(), found.begin(), found.end());
  }
}

Request MemoryProvider::request(const std::vector<std::string>& requirements,
                                const std::vector<std::string>& constraints) {
  Request out;
  for (const std::string& one : requirements) {
    out.requirements.push_back(requirement(one));
  }
  for (const std::string& one : constraints) {
    out.constraints.push_back(requirement(one));
  }
  return out;
}

std::string MemoryProvider::solve_text(const std::vector<std::string>& requirements,
                                       const std::vector<std::string>& constraints) {
  const auto outcome = solve(*this, request(requirements, constraints));
  CHECK(outcome.has_value());
  if (!std::holds_alternative<Solution>(*outcome)) {
    return "none";
  }
  std::vector<std::string> texts;
  for (const SolvableId one : std::get<Solution>(*outcome).solvables) {
    texts.push_back(to_string(one));
  }
  std::ranges::sort(texts);
  return join(texts, ", ");
}

Status MemoryProvider::prefetch(std::span<const NameId> names) {
  prefetched_.emplace_back();
  for (const NameId one : names) {
    prefetched_.back().push_back(to_string(one));
  }
  return {};
}

Result<std::span<const SolvableId>> MemoryProvider::candidates(NameId name) {
  return std::span<const SolvableId>(by_name_[index(name)]);
}

std::span<const NameId> MemoryProvider::names(RequirementId requirement) {
  return requirements_[index(requirement)].names;
}

Result<std::span<const SolvableId>> MemoryProvider::matching(RequirementId requirement) {
  evaluate(requirements_[index(requirement)]);
  return std::span<const SolvableId>(requirements_[index(requirement)].matching);
}

Result<Dependencies> MemoryProvider::dependencies(SolvableId solvable) {
  const Solvable one = solvables_[index(solvable)];
  Dependencies out;
  for (const std::string& text : one.depends) {
    const std::size_t condition = text.find(" if ");
    Dependency dependency{requirement(text.substr(0, condition)), std::nullopt};
    if (condition != std::string::npos) {
      dependency.condition = requirement(text.substr(condition + 4));
    }
    out.requirements.push_back(dependency);
  }
  for (const std::string& text : one.constrains) {
    out.constraints.push_back(requirement(text));
  }
  return out;
}

NameId MemoryProvider::name(SolvableId solvable) { return solvables_[index(solvable)].name; }

std::string MemoryProvider::to_string(NameId name) { return name_texts_[index(name)]; }

std::string MemoryProvider::to_string(SolvableId solvable) {
  const Solvable& one = solvables_[index(solvable)];
  return fmt::format("{} {}", to_string(one.name), one.version);
}

std::string MemoryProvider::to_string(RequirementId requirement) {
  return requirements_[index(requirement)].text;
}

}  // namespace cloche::resolve
