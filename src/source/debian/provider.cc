#include "source/debian/provider.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fnmatch.h>

#include "core/text.h"
#include "package/debian/version.h"

namespace cloche::source {
namespace {

using debian::Alternatives;
using debian::Relation;
using resolve::Dependencies;
using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

// "a, b and c"; of many the first few.
std::string listed(std::vector<std::string> texts, std::string_view last = " and ") {
  constexpr std::size_t kMost = 6;
  if (texts.size() > kMost) {
    texts.resize(kMost);
    texts.emplace_back("others");
  }
  std::string out = texts.front();
  for (std::size_t i = 1; i < texts.size(); ++i) {
    out += (i + 1 == texts.size() ? std::string(last) : ", ") + texts[i];
  }
  return out;
}

std::string text_of(const Alternatives& group) {
  std::string out;
  for (const Relation& one : group) {
    out += (out.empty() ? "" : " | ") + debian::to_string(one);
  }
  return out;
}

}  // namespace

RequirementId DebianProvider::add(Requirement requirement) {
  requirements_.push_back(std::move(requirement));
  return static_cast<RequirementId>(requirements_.size() - 1);
}

// --- what packages say
// ----------------------------------------------------------------------------

// ":any" asks for a package that says it may be used so (Multi-Arch: allowed).
bool DebianProvider::fits(const Relation& relation, SolvableId package) const {
  return debian::allows(relation, universe_.package(package).version) &&
         (relation.architecture != "any" ||
          universe_.multi_arch(package) == debian::MultiArch::kAllowed);
}

bool DebianProvider::is_reachable(const Relation& relation) const {
  const std::string_view wanted = relation.architecture;
  return wanted.empty() || wanted == "any" || wanted == "native" || wanted == "all" ||
         wanted == universe_.architecture();
}

// As apt sorts them (depcache.cc, CompareProviders): what is installed, what is essential, what is
// important; then by priority. Where apt then takes the package that its cache knew last, the one
// that stands last in the index is taken here.
std::vector<SolvableId> DebianProvider::sorted_providers(const Relation& relation) {
  const NameId name = universe_.name_id(relation.name);
  std::vector<SolvableId> out;
  for (const PackageUniverse::Provider& one : universe_.providers(name)) {
    const bool version = relation.comparison == debian::Comparison::kAny ||
                         (!one.version.empty() && debian::allows(relation, one.version));
    const bool any = relation.architecture != "any" ||
                     universe_.multi_arch(one.package) == debian::MultiArch::kAllowed;
    if (version && any && universe_.package(one.package).name != name) {
      out.push_back(one.package);
    }
  }
  std::ranges::reverse(out);
  const auto key = [&](SolvableId id) {
    const PackageUniverse::Package& one = universe_.package(id);
    return std::tuple(!universe_.installed(one.name).has_value(), one.record->essential == 0,
                      one.record->is_protected == 0, one.record->priority);
  };
  std::ranges::stable_sort(out, [&](SolvableId a, SolvableId b) { return key(a) < key(b); });
  // Versions of one package in its own order, where its first one stood.
  std::vector<SolvableId> grouped;
  for (const SolvableId first : out) {
    const NameId owner = universe_.package(first).name;
    for (const SolvableId id : universe_.versions(owner)) {
      if (std::ranges::find(out, id) != out.end() &&
          std::ranges::find(grouped, id) == grouped.end()) {
        grouped.push_back(id);
      }
    }
  }
  return grouped;
}

void DebianProvider::add_matching(const Relation& relation, Requirement& out) {
  const NameId name = universe_.name_id(relation.name);
  const auto take = [&](SolvableId id) {
    if (std::ranges::find(out.matching, id) == out.matching.end()) {
      out.matching.push_back(id);
    }
    const NameId owner = universe_.package(id).name;
    if (std::ranges::find(out.names, owner) == out.names.end()) {
      out.names.push_back(owner);
    }
  };
  for (const SolvableId id : universe_.versions(name)) {
    if (fits(relation, id)) {
      take(id);
    }
  }
  for (const SolvableId id : sorted_providers(relation)) {
    take(id);
  }
}

RequirementId DebianProvider::depend(const Alternatives& group) {
  std::string text = text_of(group);
  if (const auto known = by_text_.find(text); known != by_text_.end()) {
    return known->second;
  }
  Requirement out;
  for (const Relation& one : group) {
    if (is_reachable(one)) {
      add_matching(one, out);
    }
  }
  // apt would rather upgrade a package that is there than install another one (depcache.cc,
  // getAllPossibleSolutions).
  std::ranges::stable_partition(out.matching, [&](SolvableId id) {
    return universe_.installed(universe_.package(id).name).has_value();
  });
  if (out.names.empty()) {
    out.names.push_back(universe_.name_id(group.front().name));
  }
  out.text = text;
  const RequirementId id = add(std::move(out));
  by_text_.emplace(std::move(text), id);
  return id;
}

Status DebianProvider::add_depends(SolvableId solvable, PackageIndex::Text text,
                                   Dependencies& out) {
  const PackageUniverse::Package& package = universe_.package(solvable);
  const auto groups = debian::parse_relations(package.index->text(text));
  if (!groups) {
    return fail(ErrorKind::kCorrupt, "the dependencies of {} cannot be read: {}",
                to_string(solvable), groups.error().message);
  }
  for (const Alternatives& group : *groups) {
    const RequirementId id = depend(group);
    const std::vector<SolvableId>& matching = requirements_[resolve::index(id)].matching;
    // What the base lacks already is no task of this solve.
    const bool was_met = !package.installed || std::ranges::any_of(matching, [&](SolvableId one) {
      return universe_.package(one).installed;
    });
    const bool own = std::ranges::find(matching, solvable) != matching.end();
    if (was_met && !own) {
      out.requirements.push_back({id, std::nullopt});
    }
  }
  return {};
}

// That of a name nothing is chosen that the relation is against; nothing where nothing is.
void DebianProvider::forbid(const Relation& relation, NameId name,
                            std::span<const SolvableId> against,
                            std::vector<std::pair<NameId, RequirementId>>& out) {
  Requirement requirement;
  requirement.names = {name};
  for (const SolvableId id : universe_.versions(name)) {
    if (std::ranges::find(against, id) == against.end()) {
      requirement.matching.push_back(id);
    }
  }
  if (requirement.matching.size() == universe_.versions(name).size()) {
    return;
  }
  requirement.text = fmt::format("no {}", debian::to_string(relation));
  out.emplace_back(name, add(std::move(requirement)));
}

void DebianProvider::add_constraints(const Relation& relation, NameId self, Dependencies& out) {
  const std::string text = debian::to_string(relation);
  const auto [entry, is_new] = constraints_.try_emplace(text);
  if (is_new && is_reachable(relation)) {
    const NameId name = universe_.name_id(relation.name);
    std::vector<SolvableId> against;
    for (const SolvableId id : universe_.versions(name)) {
      if (debian::allows(relation, universe_.package(id).version)) {
        against.push_back(id);
      }
    }
    std::vector<NameId> names = {name};
    for (const PackageUniverse::Provider& one : universe_.providers(name)) {
      if (relation.comparison == debian::Comparison::kAny ||
          (!one.version.empty() && debian::allows(relation, one.version))) {
        against.push_back(one.package);
        const NameId owner = universe_.package(one.package).name;
        if (std::ranges::find(names, owner) == names.end()) {
          names.push_back(owner);
        }
      }
    }
    for (const NameId one : names) {
      forbid(relation, one, against, entry->second);
    }
  }
  for (const auto& [name, requirement] : entry->second) {
    if (name != self) {  // Policy 7.4: a package never conflicts with itself
      out.constraints.push_back(requirement);
    }
  }
}

Status DebianProvider::add_conflicts(SolvableId solvable, PackageIndex::Text text,
                                     Dependencies& out) {
  const PackageUniverse::Package& package = universe_.package(solvable);
  const auto groups = debian::parse_relations(package.index->text(text));
  if (!groups) {
    return fail(ErrorKind::kCorrupt, "the conflicts of {} cannot be read: {}", to_string(solvable),
                groups.error().message);
  }
  for (const Alternatives& group : *groups) {
    for (const Relation& one : group) {
      add_constraints(one, package.name, out);
    }
  }
  return {};
}

Result<Dependencies> DebianProvider::dependencies(SolvableId solvable) {
  const PackageIndex::Record& record = *universe_.package(solvable).record;
  Dependencies out;
  TRY(add_depends(solvable, record.pre_depends, out));
  TRY(add_depends(solvable, record.depends, out));
  TRY(add_conflicts(solvable, record.conflicts, out));
  TRY(add_conflicts(solvable, record.breaks, out));
  return out;
}

// --- what is asked for
// ----------------------------------------------------------------------------

bool DebianProvider::is_asked(const debian::Requirement& asked, SolvableId package) const {
  const PackageUniverse::Package& one = universe_.package(package);
  if (!asked.version.empty()) {
    return asked.exact() ? debian::compare_versions(one.version, asked.version) == 0
                         : fnmatch(asked.version.c_str(), std::string(one.version).c_str(), 0) == 0;
  }
  if (asked.suite.empty()) {
    return true;
  }
  // A version may be in several suites: any will do.
  return std::ranges::any_of(universe_.sources(), [&](const PackageSource& source) {
    if (source.suite != asked.suite && source.codename != asked.suite &&
        source.suite_name != asked.suite) {
      return false;
    }
    const PackageIndex::Name* const found = source.index.find(universe_.text(one.name));
    return found != nullptr &&
           std::ranges::any_of(source.index.records_of(*found), [&](const auto& record) {
             return source.index.text(record.version) == one.version;
           });
  });
}

Result<RequirementId> DebianProvider::request_of(const debian::Requirement& asked, NameId name) {
  Requirement out;
  out.text = asked.to_string();
  out.names = {name};
  std::vector<std::string> there;
  for (const SolvableId id : universe_.versions(name)) {
    if (is_asked(asked, id)) {
      out.matching.push_back(id);
    }
    there.push_back(printable(universe_.package(id).version));
  }
  if (out.matching.empty()) {
    return asked.version.empty()
               ? fail(ErrorKind::kNotFound, "no suite {} has a package {}", printable(asked.suite),
                      to_string(name))
                     .with_hint(fmt::format("there {} {}", there.size() == 1 ? "is" : "are",
                                            listed(there)))
               : fail(ErrorKind::kNotFound, "there is no {} {}", to_string(name),
                      printable(asked.version))
                     .with_hint(fmt::format("the archive has {}; older ones are kept by "
                                            "snapshot.debian.org",
                                            listed(there)));
  }
  return add(std::move(out));
}

Result<RequirementId> DebianProvider::request(const debian::Requirement& asked) {
  const bool ours = asked.architecture.empty() || asked.architecture == "native" ||
                    asked.architecture == "any" || asked.architecture == "all" ||
                    asked.architecture == universe_.architecture();
  if (!ours) {
    return fail(ErrorKind::kUnsupported, "{} is of another architecture than {}",
                printable(asked.to_string()), universe_.architecture())
        .with_hint("leave the architecture out");
  }
  const NameId name = universe_.name_id(asked.name);
  if (!universe_.versions(name).empty()) {
    return request_of(asked, name);
  }
  std::vector<NameId> owners;
  std::vector<std::string> names;
  for (const PackageUniverse::Provider& one : universe_.providers(name)) {
    const NameId owner = universe_.package(one.package).name;
    if (std::ranges::find(owners, owner) == owners.end()) {
      owners.push_back(owner);
      names.push_back(to_string(owner));
    }
  }
  if (owners.size() == 1) {
    return request_of(asked, owners.front());
  }
  if (owners.empty()) {
    const std::string near = universe_.nearest_name(asked.name);
    return fail(ErrorKind::kNotFound, "there is no package '{}'", printable(asked.name))
        .with_hint(near.empty() ? "look for its name at https://packages.debian.org, or add the "
                                  "archive that has it"
                                : fmt::format("did you mean {}?", printable(near)));
  }
  std::ranges::sort(names);
  return fail(ErrorKind::kInvalid, "'{}' is no package: {} packages provide it",
              printable(asked.name), names.size())
      .with_hint(fmt::format("choose one: {}", listed(names, " or ")));
}

RequirementId DebianProvider::relaxed(const debian::Requirement& asked) {
  Requirement out;
  out.text = asked.name;
  out.names = {universe_.name_id(asked.name)};
  const auto versions = universe_.versions(out.names.front());
  out.matching.assign(versions.begin(), versions.end());
  return add(std::move(out));
}

RequirementId DebianProvider::keep(NameId installed) {
  Requirement out;
  out.text = fmt::format("{} of the base", to_string(installed));
  out.names = {installed};
  const auto versions = universe_.versions(installed);
  out.matching.assign(versions.begin(), versions.end());
  std::ranges::stable_partition(out.matching,
                                [&](SolvableId id) { return universe_.package(id).installed; });
  return add(std::move(out));
}

RequirementId DebianProvider::exactly(SolvableId package) {
  Requirement out;
  out.text = to_string(package);
  out.names = {universe_.package(package).name};
  out.matching = {package};
  return add(std::move(out));
}

// --- the solver's questions
// -----------------------------------------------------------------------

Result<std::span<const SolvableId>> DebianProvider::candidates(NameId name) {
  return universe_.versions(name);
}

std::span<const NameId> DebianProvider::names(RequirementId requirement) {
  return requirements_[resolve::index(requirement)].names;
}

Result<std::span<const SolvableId>> DebianProvider::matching(RequirementId requirement) {
  return std::span<const SolvableId>(requirements_[resolve::index(requirement)].matching);
}

std::string DebianProvider::to_string(NameId name) { return printable(universe_.text(name)); }

std::string DebianProvider::to_string(SolvableId solvable) {
  const PackageUniverse::Package& one = universe_.package(solvable);
  return fmt::format("{} {}", printable(universe_.text(one.name)), printable(one.version));
}

std::string DebianProvider::to_string(RequirementId requirement) {
  return printable(requirements_[resolve::index(requirement)].text);
}

std::string DebianProvider::why_absent(NameId name) {
  return fmt::format("no archive has a package {}", to_string(name));
}

Result<std::string> DebianProvider::why_none(RequirementId requirement) {
  const Requirement& wanted = requirements_[resolve::index(requirement)];
  std::vector<std::string> there;
  for (const NameId name : wanted.names) {
    for (const SolvableId id : universe_.versions(name)) {
      there.push_back(to_string(id));
    }
  }
  return there.empty() ? why_absent(wanted.names.front())
                       : fmt::format("nothing fits {}: there is {}", printable(wanted.text),
                                     listed(std::move(there)));
}

}  // namespace cloche::source
