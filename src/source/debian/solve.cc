#include "source/debian/solve.h"

#include <algorithm>
#include <set>
#include <utility>

#include "source/debian/apt_marks.h"

namespace cloche::source {
namespace {

using resolve::NameId;
using resolve::RequirementId;
using resolve::Solution;
using resolve::SolvableId;
using resolve::Unsolvable;

class Solve {
 public:
  Solve(DebianProvider& provider, const DebianRequest& request)
      : provider_(provider), universe_(provider.universe()), request_(request) {}

  Result<std::variant<DebianSolution, DebianProblem>> run() {
    TRY(read_request());
    if (const auto marks = TRY(apt_marks(provider_, roots_))) {
      if (auto found = TRY(solution_of(with_marks(*marks)))) {
        out_.as_apt = true;
        return finish(*found);
      }
    }
    return search();
  }

 private:
  Status read_request() {
    for (const AskedPackage& one : request_.packages) {
      auto id = provider_.request(one.requirement);
      if (!id) {
        return std::move(id.error()).with_location(one.at);
      }
      add_root(*id, provider_.relaxed(one.requirement), one.requirement.to_string());
    }
    if (request_.essential || request_.priority) {
      for (const NameId name : wanted_by_kind()) {
        debian::Requirement asked;
        asked.name = universe_.text(name);
        const RequirementId id = TRY(provider_.request(asked));
        add_root(id, id, asked.name);
      }
    }
    for (const NameId name : universe_.installed_names()) {
      keeps_.push_back({provider_.keep(name), name});
    }
    return {};
  }

  void add_root(RequirementId id, RequirementId relaxed, std::string text) {
    roots_.push_back(id);
    relaxed_.push_back(relaxed);
    texts_.push_back(std::move(text));
  }

  // Of each name by its candidate, sorted.
  std::vector<NameId> wanted_by_kind() {
    std::set<std::string_view> names;
    for (const PackageSource& source : universe_.sources()) {
      for (const PackageIndex::Record& record : source.index.records()) {
        if (is_wanted(record)) {
          names.insert(source.index.name_of(record));
        }
      }
    }
    std::vector<NameId> out;
    for (const std::string_view name : names) {
      const NameId id = universe_.name_id(name);
      const auto candidate = universe_.candidate(id);
      if (candidate && is_wanted(*universe_.package(*candidate).record)) {
        out.push_back(id);
      }
    }
    return out;
  }

  bool is_wanted(const PackageIndex::Record& record) const {
    return (request_.essential && record.essential != 0) ||
           (request_.priority && record.priority <= static_cast<std::uint8_t>(*request_.priority));
  }

  resolve::Request question(std::vector<RequirementId> requirements) const {
    for (const Keep& keep : keeps_) {
      if (!keep.dropped) {
        requirements.push_back(keep.requirement);
      }
    }
    resolve::Request out;
    out.requirements = std::move(requirements);
    out.stop = request_.stop;
    out.deadline = request_.deadline;
    return out;
  }

  resolve::Request with_marks(const std::vector<SolvableId>& marks) {
    std::vector<RequirementId> requirements = roots_;
    for (const SolvableId mark : marks) {
      requirements.push_back(provider_.exactly(mark));
    }
    return question(std::move(requirements));
  }

  Result<std::optional<Solution>> solution_of(const resolve::Request& request) {
    auto answer = TRY(resolve::solve(provider_, request, &out_.statistics));
    auto* const solution = std::get_if<Solution>(&answer);
    return solution == nullptr ? std::optional<Solution>() : std::optional(std::move(*solution));
  }

  // With every installed package; then without those that stand in the way, one proof at a time.
  Result<std::variant<DebianSolution, DebianProblem>> search() {
    const resolve::Request all = question(roots_);
    for (;;) {
      auto answer = TRY(resolve::solve(provider_, question(roots_), &out_.statistics));
      if (auto* const solution = std::get_if<Solution>(&answer)) {
        return finish(TRY(with_fewest_removed(std::move(*solution))));
      }
      if (!drop_keeps(std::get<Unsolvable>(answer))) {
        return explain(all);
      }
    }
  }

  bool drop_keeps(const Unsolvable& proof) {
    bool any = false;
    for (Keep& keep : keeps_) {
      const auto installed = universe_.installed(keep.name);
      const bool essential = installed && universe_.package(*installed).record->essential != 0;
      const bool part = std::ranges::any_of(proof.facts, [&](const resolve::Fact& fact) {
        return !fact.parent && fact.requirement == keep.requirement;
      });
      if (part && !keep.dropped && !essential) {
        keep.dropped = true;
        any = true;
      }
    }
    return any;
  }

  // A proof may name more packages than have to go.
  Result<Solution> with_fewest_removed(Solution found) {
    for (Keep& keep : keeps_) {
      if (keep.dropped && !holds(found, keep.name)) {
        keep.dropped = false;
        if (auto better = TRY(solution_of(question(roots_)))) {
          found = std::move(*better);
        } else {
          keep.dropped = true;
        }
      }
    }
    return found;
  }

  bool holds(const Solution& solution, NameId name) const {
    return std::ranges::any_of(solution.solvables,
                               [&](SolvableId id) { return universe_.package(id).name == name; });
  }

  Result<std::variant<DebianSolution, DebianProblem>> explain(const resolve::Request& request) {
    DebianProblem out;
    out.asked = texts_;
    std::vector<RequirementId> relaxed = relaxed_;
    for (const Keep& keep : keeps_) {
      out.asked.push_back(provider_.to_string(keep.requirement));
      relaxed.push_back(keep.requirement);
    }
    out.problem = TRY(resolve::explain(provider_, request, relaxed));
    return std::variant<DebianSolution, DebianProblem>(std::move(out));
  }

  Result<std::variant<DebianSolution, DebianProblem>> finish(const Solution& solution) {
    for (const SolvableId id : solution.solvables) {
      if (!universe_.package(id).installed) {
        out_.packages.push_back(universe_.record(id));
      }
    }
    std::ranges::sort(out_.packages, {}, &debian::PackageRecord::name);
    for (const NameId name : universe_.installed_names()) {
      if (!holds(solution, name)) {
        out_.removed.emplace_back(universe_.text(name));
      }
    }
    return std::variant<DebianSolution, DebianProblem>(std::move(out_));
  }

  struct Keep {
    RequirementId requirement{};
    NameId name{};
    bool dropped = false;
  };

  DebianProvider& provider_;
  PackageUniverse& universe_;
  const DebianRequest& request_;
  std::vector<RequirementId> roots_;
  std::vector<RequirementId> relaxed_;
  std::vector<std::string> texts_;
  std::vector<Keep> keeps_;
  DebianSolution out_;
};

}  // namespace

Result<std::variant<DebianSolution, DebianProblem>> solve(DebianProvider& provider,
                                                          const DebianRequest& request) {
  return Solve(provider, request).run();
}

}  // namespace cloche::source
