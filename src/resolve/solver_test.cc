#include "resolve/solver.h"

#include <algorithm>
#include <functional>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "resolve/testing.h"

namespace cloche::resolve {
namespace {

TEST(Solve, TakesTheNewestThatFits) {
  MemoryProvider universe;
  universe.add("a", 1).add("a", 2, {"b<2"}).add("b", 1).add("b", 2);
  EXPECT_EQ(universe.solve_text({"a"}), "a 2, b 1");
  EXPECT_EQ(universe.solve_text({"a=1", "b"}), "a 1, b 2");
  EXPECT_EQ(universe.solve_text({}), "");
}

TEST(Solve, GivesTheFirstRequirementItsBestAndThenTheSecond) {
  MemoryProvider universe;
  universe.add("a", 1)
      .add("a", 2, {"c=1"})
      .add("b", 1)
      .add("b", 2, {"c=2"})
      .add("c", 1)
      .add("c", 2);
  EXPECT_EQ(universe.solve_text({"a", "b"}), "a 2, b 1, c 1");
  EXPECT_EQ(universe.solve_text({"b", "a"}), "a 1, b 2, c 2");
}

TEST(Solve, KeepsConstraintsOnlyOnWhatIsThere) {
  MemoryProvider universe;
  universe.add("a", 1, {}, {"b<2"}).add("b", 1).add("b", 2).add("c", 1, {"b"});
  EXPECT_EQ(universe.solve_text({"a"}), "a 1");
  EXPECT_EQ(universe.solve_text({"a", "c"}), "a 1, b 1, c 1");
  EXPECT_EQ(universe.solve_text({"c"}, {"b=1"}), "b 1, c 1");
  EXPECT_EQ(universe.solve_text({"a", "b>=2"}), "none");
}

TEST(Solve, TakesAConditionalDependencyOnlyWhenItsConditionHolds) {
  MemoryProvider universe;
  universe.add("a", 1, {"python", "backport if python<3"})
      .add("python", 2)
      .add("python", 3)
      .add("backport", 1);
  EXPECT_EQ(universe.solve_text({"a"}), "a 1, python 3");
  EXPECT_EQ(universe.solve_text({"a", "python=2"}), "a 1, backport 1, python 2");
  EXPECT_EQ(universe.solve_text({"a", "python=2"}, {"backport=2"}), "none");
}

TEST(Solve, TriesAlternativesInTheirOrder) {
  MemoryProvider universe;
  universe.add("a", 1, {"x=1|y"}).add("x", 1, {"nothing"}).add("y", 1).add("y", 2);
  EXPECT_EQ(universe.solve_text({"a"}), "a 1, y 2");
}

TEST(Solve, AsksForAllNamesOfAStepTogether) {
  MemoryProvider universe;
  universe.add("a", 1, {"c", "d"}).add("b", 1, {"e"}).add("c", 1).add("d", 1).add("e", 1);
  EXPECT_EQ(universe.solve_text({"a", "b"}), "a 1, b 1, c 1, d 1, e 1");
  ASSERT_EQ(universe.prefetched().size(), 2U);
  EXPECT_EQ(universe.prefetched()[0], (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(universe.prefetched()[1].size(), 3U);
}

TEST(Solve, StopsWhenAsked) {
  MemoryProvider universe;
  universe.add("a", 1);
  std::stop_source source;
  source.request_stop();
  Request request = universe.request({"a"});
  request.stop = source.get_token();
  EXPECT_EQ(solve(universe, request).error().kind, ErrorKind::kCancelled);
}

TEST(Solve, StopsAtItsStepLimitTheSameEachTime) {
  MemoryProvider universe;
  for (int i = 1; i < 50; ++i) {
    universe.add("a", i, {"b=" + std::to_string(i)}).add("b", i, {"a=" + std::to_string(i + 1)});
  }
  Request request = universe.request({"a"});
  Statistics whole;
  ASSERT_TRUE(solve(universe, request, &whole).has_value());
  request.step_limit = whole.steps;
  EXPECT_TRUE(solve(universe, request).has_value());
  request.step_limit = whole.steps / 2;
  EXPECT_EQ(solve(universe, request).error().kind, ErrorKind::kUnsupported);
}

TEST(Solve, NamesOnlyTheFactsThatTakePart) {
  MemoryProvider universe;
  universe.add("a", 1, {"c=1"})
      .add("b", 1, {"c=2"})
      .add("c", 1)
      .add("c", 2)
      .add("innocent", 1, {"c"});
  const auto outcome = solve(universe, universe.request({"innocent", "a", "b"}));
  ASSERT_TRUE(outcome.has_value());
  const auto& facts = std::get<Unsolvable>(*outcome).facts;
  for (const Fact& fact : facts) {
    EXPECT_NE(universe.to_string(fact.requirement), "innocent");
  }
  EXPECT_EQ(facts.size(), 4U);
}

// --- small universes against brute force
// -----------------------------------------------------------

// The lexicographically best solution by the root requirements' preference, found by trying every
// set.
class BruteForce {
 public:
  BruteForce(MemoryProvider& universe, const Request& request)
      : universe_(universe), request_(request) {
    std::vector<SolvableId> chosen;
    descend(0, chosen);
  }

  bool any() const { return best_.has_value(); }
  const std::vector<std::size_t>& best() const { return *best_; }

  // For each root requirement, the place of the chosen candidate in its preference.
  std::vector<std::size_t> ranks(const std::vector<SolvableId>& chosen) {
    std::vector<std::size_t> out;
    for (const RequirementId id : request_.requirements) {
      const auto matching = universe_.matching(id).value();
      std::size_t rank = 0;
      while (rank < matching.size() && std::ranges::find(chosen, matching[rank]) == chosen.end()) {
        ++rank;
      }
      out.push_back(rank);
    }
    return out;
  }

 private:
  void descend(std::size_t next, std::vector<SolvableId>& chosen) {
    if (next == universe_.solvable_count()) {
      if (check_solution(universe_, request_, chosen).has_value()) {
        const auto one = ranks(chosen);
        if (!best_ || one < *best_) {
          best_ = one;
        }
      }
      return;
    }
    descend(next + 1, chosen);
    chosen.push_back(static_cast<SolvableId>(next));
    descend(next + 1, chosen);
    chosen.pop_back();
  }

  MemoryProvider& universe_;
  const Request& request_;
  std::optional<std::vector<std::size_t>> best_;
};

void expect_as_brute_force(MemoryProvider& universe, const Request& request) {
  BruteForce brute(universe, request);
  const auto outcome = solve(universe, request);
  RC_ASSERT(outcome.has_value());
  RC_ASSERT(std::holds_alternative<Solution>(*outcome) == brute.any());
  if (brute.any()) {
    const auto& solvables = std::get<Solution>(*outcome).solvables;
    const Status valid = check_solution(universe, request, solvables);
    RC_LOG() << (valid.has_value() ? "" : valid.error().to_string());
    RC_ASSERT(valid.has_value());
    RC_ASSERT(brute.ranks(solvables) == brute.best());
    RC_ASSERT(std::get<Solution>(*solve(universe, request)).solvables == solvables);
  }
}

std::string any_requirement(int names, int versions, bool alternatives = true) {
  static const std::vector<std::string> kOperators = {"", ">=", "<", "=", "!="};
  const auto one = [&] {
    const std::string op = *rc::gen::elementOf(kOperators);
    return std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, names))) +
           (op.empty() ? "" : op + std::to_string(*rc::gen::inRange(1, versions + 2)));
  };
  return alternatives && *rc::gen::inRange(0, 6) == 0 ? one() + "|" + one() : one();
}

void fill(MemoryProvider& universe, int names, int versions) {
  for (int name = 0; name < names; ++name) {
    const int count = *rc::gen::inRange(0, versions + 1);
    for (int version = 1; version <= count; ++version) {
      std::vector<std::string> depends;
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
        depends.push_back(any_requirement(names, versions));
        if (*rc::gen::inRange(0, 5) == 0) {
          depends.back() += " if " + any_requirement(names, versions);
        }
      }
      std::vector<std::string> constrains;
      for (int i = *rc::gen::inRange(0, 2); i > 0; --i) {
        constrains.push_back(any_requirement(names, versions));
      }
      universe.add(std::string(1, static_cast<char>('a' + name)), version, depends, constrains);
    }
  }
}

// Without alternatives: one that a dependency meets already is left at that, whatever its rank.
std::vector<std::string> any_requests(int names, int versions) {
  std::vector<std::string> out;
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    out.push_back(any_requirement(names, versions, false));
  }
  return out;
}

RC_GTEST_PROP(SolveProperty, AgreesWithBruteForceOnSmallUniverses, ()) {
  MemoryProvider universe;
  fill(universe, 4, 3);
  expect_as_brute_force(universe, universe.request(any_requests(4, 3), any_requests(4, 3)));
}

RC_GTEST_PROP(SolveProperty, SolutionsOfLargerUniversesHold, ()) {
  MemoryProvider universe;
  fill(universe, 20, 6);
  const Request request = universe.request(any_requests(20, 6));
  const auto outcome = solve(universe, request);
  RC_ASSERT(outcome.has_value());
  if (const auto* solution = std::get_if<Solution>(&*outcome)) {
    RC_ASSERT(check_solution(universe, request, solution->solvables).has_value());
  } else {
    RC_ASSERT(!std::get<Unsolvable>(*outcome).facts.empty());
  }
}

// Every universe of three names with two versions whose packages each have one of a few
// dependencies: about 4,000 in all.
TEST(Solve, AgreesWithBruteForceOnEveryTinyUniverse) {
  const std::vector<std::vector<std::string>> choices = {{}, {"a=1"}, {"b=2"}, {"c"}};
  const std::vector<std::vector<std::string>> constrains = {{}, {"c=1"}};
  int universes = 0;
  for (int code = 0; code < 4 * 4 * 4 * 4 * 2 * 2; ++code) {
    int rest = code;
    const auto pick = [&](int n) {
      const int digit = rest % n;
      rest /= n;
      return static_cast<std::size_t>(digit);
    };
    MemoryProvider universe;
    universe.add("a", 1, choices[pick(4)]).add("a", 2, choices[pick(4)], constrains[pick(2)]);
    universe.add("b", 1, choices[pick(4)], constrains[pick(2)])
        .add("b", 2, choices[pick(4)])
        .add("c", 1)
        .add("c", 2, {"b=1"});
    for (const auto& wanted : {std::vector<std::string>{"a", "b"}, {"b", "a"}, {"c", "a=2"}}) {
      const Request request = universe.request(wanted);
      BruteForce brute(universe, request);
      const auto outcome = solve(universe, request);
      ASSERT_TRUE(outcome.has_value());
      ASSERT_EQ(std::holds_alternative<Solution>(*outcome), brute.any()) << code;
      if (brute.any()) {
        ASSERT_EQ(brute.ranks(std::get<Solution>(*outcome).solvables), brute.best()) << code;
      }
      ++universes;
    }
  }
  EXPECT_EQ(universes, 3072);
}

}  // namespace
}  // namespace cloche::resolve
