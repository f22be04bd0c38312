#include "source/conda/provider_requirements.h"

#include <fmt/format.h>

#include "core/text.h"
#include "package/conda/matching.h"
#include "source/conda/provider_conditions.h"

namespace cloche::source::conda_solving {

using conda::MatchSpec;
using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

bool is_pattern(std::string_view name) {
  return name.find_first_of("*^") != std::string_view::npos;
}

std::vector<std::string> list_items(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  std::vector<std::string> out;
  for (std::string_view item : split(text, ',')) {
    item = trim(item);
    if (item.size() >= 2 && (item.front() == '"' || item.front() == '\'')) {
      item = trim(item.substr(1, item.size() - 2));
    }
    if (!item.empty()) {
      out.emplace_back(item);
    }
  }
  return out;
}

RequirementId Requirements::of(std::string_view text) {
  if (const auto found = ids_.find(text); found != ids_.end()) {
    return found->second;
  }
  const std::string_view kept = tables_.keep(text);
  // CEP 48: what packages depend on has one name. A glob here would also reach every package.
  const auto parsed = conda::parse_match_spec(kept);
  const bool readable = parsed && !is_pattern(parsed->name);
  const RequirementId id = readable ? add(*parsed, kept) : add_impossible(kept);
  ids_.emplace(kept, id);
  return id;
}

RequirementId Requirements::of(IndexRow& index, std::uint32_t string) {
  if (index.requirements.empty()) {
    index.requirements.assign(index.index->string_count(), kNone);
  }
  if (string >= index.requirements.size()) {
    return of("");
  }
  std::uint32_t& known = index.requirements[string];
  if (known == kNone) {
    known = resolve::index(of(index.index->string(string)));
  }
  return static_cast<RequirementId>(known);
}

RequirementId Requirements::asked(const MatchSpec& spec) {
  return is_pattern(spec.name) ? add(spec, spec.to_string()) : of(spec.to_string());
}

RequirementId Requirements::exactly(SolvableId solvable) {
  const auto [place, added] = exact_ids_.try_emplace(resolve::index(solvable));
  if (added) {
    RequirementRow row;
    row.text = tables_.text_of(solvable);
    row.names = {tables_.row(solvable).name};
    row.matching = {solvable};
    row.evaluated = true;
    place->second = tables_.add_requirement(std::move(row));
  }
  return place->second;
}

RequirementId Requirements::step(RequirementId requirement, RequirementId condition) {
  const auto [place, added] = step_ids_.try_emplace({requirement, condition});
  if (added) {
    RequirementRow row;
    row.text =
        fmt::format("{} when {}", tables_.row(requirement).text, tables_.row(condition).text);
    const NameId id = tables_.new_name(row.text);
    SolvableRow one;
    one.name = id;
    const SolvableId solvable = tables_.add_solvable(one);
    tables_.row(id).loaded = true;
    tables_.row(id).solvables = {solvable};
    steps_.emplace(resolve::index(solvable), Step{requirement, condition});
    row.names = {id};
    row.matching = {solvable};
    row.evaluated = true;
    place->second = tables_.add_requirement(std::move(row));
  }
  return place->second;
}

const Step* Requirements::find_step(SolvableId solvable) const {
  const auto found = steps_.find(resolve::index(solvable));
  return found == steps_.end() ? nullptr : &found->second;
}

RequirementId Requirements::add(const MatchSpec& spec, std::string_view text) {
  RequirementRow row;
  row.text = text;
  row.spec = spec;
  row.names = names_for(spec.name);
  const RequirementId id = tables_.add_requirement(std::move(row));
  if (const auto when = spec.brackets.find("when"); when != spec.brackets.end()) {
    add_condition(id, when->second);
  }
  if (const auto extras = spec.brackets.find("extras"); extras != spec.brackets.end()) {
    add_extras(id, extras->second);
  }
  return id;
}

RequirementId Requirements::add_impossible(std::string_view text) {
  RequirementRow row;
  row.text = fmt::format("{} (which cannot be read)", printable(text));
  row.impossible = true;
  const NameId name = tables_.new_name(text);
  tables_.row(name).unreadable = true;
  row.names = {name};
  return tables_.add_requirement(std::move(row));
}

std::vector<NameId> Requirements::names_for(const std::string& name) {
  if (!is_pattern(name)) {
    return {tables_.name_id(name)};
  }
  std::vector<NameId> out;
  if (const auto matcher = conda::TextMatcher::compile(name)) {
    for (const std::string_view one : tables_.every_name()) {
      if (matcher->matches(one)) {
        out.push_back(tables_.name_id(one));
      }
    }
  }
  return out.empty() ? std::vector<NameId>{tables_.name_id(name)} : out;
}

void Requirements::add_extras(RequirementId id, std::string_view text) {
  for (const std::string& extra : list_items(text)) {
    RequirementRow row;
    row.text = tables_.row(id).text;
    row.spec = tables_.row(id).spec;
    row.spec.brackets.erase("extras");
    row.spec.brackets.erase("when");
    const NameId of = tables_.row(id).names.front();
    const auto [place, added] = extra_names_.try_emplace({of, extra});
    if (added) {
      place->second = tables_.new_name(fmt::format("{}[{}]", tables_.row(of).text, extra));
      tables_.row(place->second).extra = extra;
      tables_.row(place->second).extra_of = of;
    }
    row.names = {place->second};
    const RequirementId extra_id = tables_.add_requirement(std::move(row));
    tables_.row(id).extras.push_back(extra_id);
  }
}

void Requirements::add_condition(RequirementId id, std::string_view text) {
  auto alternatives = read_condition(text, [&](std::string_view spec) {
    const RequirementId one = of(spec);
    return tables_.row(one).impossible ? std::nullopt : std::optional(one);
  });
  if (!alternatives) {
    tables_.row(id).impossible = true;
    tables_.row(id).text += " (whose condition cannot be read)";
    return;
  }
  tables_.row(id).when = std::move(*alternatives);
}

}  // namespace cloche::source::conda_solving
