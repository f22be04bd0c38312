// Which candidates meet a requirement. For the files of the provider only.
#pragma once

#include <vector>

#include "core/result.h"
#include "package/conda/matching.h"
#include "source/conda/provider_candidates.h"
#include "source/conda/provider_tables.h"

namespace cloche::source::conda_solving {

class Matching {
 public:
  Matching(Tables& tables, Candidates& candidates) : tables_(tables), candidates_(candidates) {}

  // Fills RequirementRow::matching, once; loads the names that it is about.
  Status evaluate(resolve::RequirementId id);

 private:
  void collect(const conda::RecordMatcher& matcher, RequirementRow& requirement,
               const NameRow& name) const;
  bool has_flags(const SolvableRow& one, const std::vector<conda::TextMatcher>& wanted) const;
  bool matches_record(const conda::RecordMatcher& matcher, const conda::MatchSpec& spec,
                      const SolvableRow& one, const NameRow& name) const;

  Tables& tables_;
  Candidates& candidates_;
};

}  // namespace cloche::source::conda_solving
