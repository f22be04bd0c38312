#include "source/conda/provider_dependencies.h"

#include <algorithm>
#include <vector>

namespace cloche::source::conda_solving {

using resolve::Dependencies;
using resolve::RequirementId;
using resolve::SolvableId;

Result<Dependencies> DependencyReader::of(SolvableId id) {
  Dependencies out;
  if (const Step* const step = requirements_.find_step(id)) {
    out.requirements.push_back({step->requirement, step->condition});
    return out;
  }
  const SolvableRow one = tables_.row(id);  // a copy: rows move when more are loaded
  if (one.record == nullptr) {
    return out;
  }
  if (!tables_.row(one.name).extra.empty()) {
    return of_extra(one);
  }
  IndexRow& index = tables_.index_of(one);
  for (const std::uint32_t string : index.index->list(one.record->depends)) {
    TRY(add(out, requirements_.of(index, string)));
  }
  if (tables_.options.add_pip && tables_.row(one.name).text == "python" && python_needs_pip(one)) {
    TRY(add(out, requirements_.of("pip")));
  }
  for (const std::uint32_t string : index.index->list(one.record->constrains)) {
    out.constraints.push_back(requirements_.of(index, string));
  }
  return out;
}

// "Needs requirement, when all of these hold", as the solver takes it: one condition at most. Of
// several, each but the last stands as a name of its own that brings the next one.
Status DependencyReader::add(Dependencies& out, RequirementId requirement) {
  TRY(add_conditional(out, requirement, tables_.row(requirement).when));
  for (const RequirementId extra : tables_.row(requirement).extras) {
    TRY(add_conditional(out, extra, tables_.row(requirement).when));
  }
  return {};
}

Status DependencyReader::add_conditional(Dependencies& out, RequirementId requirement,
                                         const Alternatives& when) {
  if (when.empty()) {
    out.requirements.push_back({requirement, std::nullopt});
    return {};
  }
  for (const auto& all : when) {
    std::vector<RequirementId> open;
    bool holds = true;
    for (const RequirementId condition : all) {
      const std::optional<bool> known = TRY(decided(condition));
      holds = holds && known.value_or(true);
      if (!known) {
        open.push_back(condition);
      }
    }
    if (!holds) {
      continue;
    }
    RequirementId wanted = requirement;
    while (open.size() > 1) {
      wanted = requirements_.step(wanted, open.back());
      open.pop_back();
    }
    out.requirements.push_back({wanted, open.empty() ? std::nullopt : std::optional(open.front())});
  }
  return {};
}

// Virtual packages are there or not, whatever is chosen.
Result<std::optional<bool>> DependencyReader::decided(RequirementId condition) {
  if (!is_virtual(tables_.row(tables_.row(condition).names.front()).text)) {
    return std::optional<bool>();
  }
  TRY(matching_.evaluate(condition));
  return std::optional(!tables_.row(condition).matching.empty());
}

// conda: core/subdir_data.py; "python" of version 2 and 3 only.
bool DependencyReader::python_needs_pip(const SolvableRow& one) const {
  const std::string_view version = tables_.text_of(one, one.record->version);
  return version.starts_with("2.") || version.starts_with("3.");
}

Result<Dependencies> DependencyReader::of_extra(const SolvableRow& one) {
  Dependencies out;
  out.requirements.push_back({requirements_.exactly(one.extra_of), std::nullopt});
  IndexRow& index = tables_.index_of(one);
  const std::span<const std::uint32_t> all = index.index->list(one.record->extra_depends);
  for (std::size_t i = 0; i + 1 < all.size();) {
    const bool wanted = index.index->string(all[i]) == tables_.row(one.name).extra;
    const std::size_t end = std::min<std::size_t>(all.size(), i + 2 + all[i + 1]);
    for (i += 2; i < end; ++i) {
      if (wanted) {
        TRY(add(out, requirements_.of(index, all[i])));
      }
    }
  }
  return out;
}

}  // namespace cloche::source::conda_solving
