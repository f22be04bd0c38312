// Random small conda universes against every combination of their packages.
#include <algorithm>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/text.h"
#include "resolve/problem.h"
#include "source/conda/provider_testing.h"

namespace cloche::source {
namespace {

constexpr int kNames = 4;

std::string any_name() {
  return std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, kNames)));
}

std::string any_spec() {
  static const std::vector<std::string> kConstraints = {"",
                                                        " 1.*",
                                                        " >=1.1",
                                                        " <2",
                                                        " 2",
                                                        " 1.*|3.*",
                                                        " !=1.1",
                                                        " >1,<3",
                                                        " ==1.0",
                                                        " ~=1.0",
                                                        " 1.* x*",
                                                        " * y*",
                                                        " *.1",
                                                        "[build_number='>0']",
                                                        "[version='<2',when='b']"};
  static const std::vector<std::string> kVirtual = {"__cuda >=12", "__unix", "__win",
                                                    "__glibc >=2.28"};
  if (*rc::gen::inRange(0, 10) == 0) {
    return *rc::gen::elementOf(kVirtual);
  }
  return any_name() + *rc::gen::elementOf(kConstraints);
}

std::vector<std::string> any_specs(int most) {
  std::vector<std::string> out;
  for (int i = *rc::gen::inRange(0, most + 1); i > 0; --i) {
    out.push_back(any_spec());
  }
  return out;
}

TestChannels any_channels(int packages) {
  static const std::vector<std::string> kVersions = {"1.0", "1.1", "1", "2", "3.1"};
  static const std::vector<std::string> kBuilds = {"x_", "y_"};
  TestChannels out;
  out.options.priority =
      *rc::gen::element(conda::ChannelPriority::kStrict, conda::ChannelPriority::kFlexible,
                        conda::ChannelPriority::kDisabled);
  out.options.virtual_packages = {{"__unix", "0"}, {"__glibc", "2.36"}};
  for (int i = 0; i < packages; ++i) {
    const std::string package = any_name() + " " + *rc::gen::elementOf(kVersions) + " " +
                                *rc::gen::elementOf(kBuilds) + std::to_string(i);
    conda::PackageRecord& record =
        out.add(package, any_specs(2), any_specs(1), *rc::gen::element<std::string>("one", "two"),
                *rc::gen::element<std::string>("linux-64", "noarch"));
    record.build_number = *rc::gen::inRange(0, 2);
    record.timestamp_ms = *rc::gen::inRange(0, 3);
    if (*rc::gen::inRange(0, 6) == 0) {
      record.track_features = {"f"};
    }
  }
  return out;
}

// Without conditions: their made-up packages are none of the brute force's.
std::vector<std::string> any_request() {
  std::vector<std::string> out = any_specs(2);
  std::erase_if(out, [](const std::string& one) { return one.find("when") != std::string::npos; });
  out.push_back(any_name());
  return out;
}

// Every set of candidates, one of each name at most.
class BruteForce {
 public:
  BruteForce(CondaProvider& provider, const resolve::Request& request)
      : provider_(provider), request_(request) {
    for (int i = 0; i < kNames; ++i) {
      const auto spec = conda::parse_match_spec(std::string(1, static_cast<char>('a' + i)));
      names_.push_back(provider.names(provider.relaxed(*spec).value()).front());
    }
    for (const char* name : {"__unix", "__glibc", "__win", "__cuda"}) {
      const auto spec = conda::parse_match_spec(name);
      for (const resolve::SolvableId id :
           provider.matching(provider.relaxed(*spec).value()).value()) {
        always_.push_back(id);
      }
    }
    std::vector<resolve::SolvableId> chosen = always_;
    descend(0, chosen);
  }

  const std::optional<std::vector<std::size_t>>& best() const { return best_; }

  // Of each requirement, how wanted its candidate is: those that are tied count the same.
  std::vector<std::size_t> ranks(const std::vector<resolve::SolvableId>& chosen) {
    std::vector<std::size_t> out;
    for (const resolve::RequirementId id : request_.requirements) {
      const auto matching = provider_.matching(id).value();
      std::size_t rank = 0;
      for (std::size_t i = 0; i < matching.size(); ++i) {
        rank += i > 0 && !provider_.tied(matching[i - 1], matching[i]) ? 1U : 0U;
        if (std::ranges::find(chosen, matching[i]) != chosen.end()) {
          break;
        }
      }
      out.push_back(rank);
    }
    return out;
  }

 private:
  void descend(std::size_t next, std::vector<resolve::SolvableId>& chosen) {
    if (next == names_.size()) {
      if (resolve::check_solution(provider_, request_, chosen).has_value()) {
        const auto one = ranks(chosen);
        if (!best_ || one < *best_) {
          best_ = one;
        }
      }
      return;
    }
    descend(next + 1, chosen);
    for (const resolve::SolvableId id : provider_.candidates(names_[next]).value()) {
      chosen.push_back(id);
      descend(next + 1, chosen);
      chosen.pop_back();
    }
  }

  CondaProvider& provider_;
  const resolve::Request& request_;
  std::vector<resolve::NameId> names_;
  std::vector<resolve::SolvableId> always_;
  std::optional<std::vector<std::size_t>> best_;
};

RC_GTEST_PROP(CondaProviderProperty, AgreesWithBruteForceOnSmallUniverses, ()) {
  const TestChannels channels = any_channels(*rc::gen::inRange(1, 10));
  const std::vector<std::string> specs = any_request();
  const auto provider = channels.provider();
  const Asked asked = ask(*provider, specs);
  BruteForce brute(*provider, asked.request);
  const auto outcome = resolve::solve(*provider, asked.request);
  RC_ASSERT(outcome.has_value());
  const auto* const solution = std::get_if<resolve::Solution>(&*outcome);
  RC_LOG() << join(specs, " | ");
  RC_ASSERT((solution != nullptr) == brute.best().has_value());
  if (solution != nullptr) {
    RC_ASSERT(resolve::check_solution(*provider, asked.request, solution->solvables).has_value());
    RC_ASSERT(brute.ranks(solution->solvables) == *brute.best());
  } else {
    const auto problem = resolve::explain(*provider, asked.request, asked.relaxed);
    RC_ASSERT(problem.has_value());
    RC_ASSERT(!problem->conflicts.empty());
    RC_ASSERT(!problem->conflicts.front().reasons.empty());
  }
}

RC_GTEST_PROP(CondaProviderProperty, TheOrderOfRecordsDoesNotMatter, ()) {
  TestChannels channels = any_channels(*rc::gen::inRange(1, 20));
  const std::vector<std::string> specs = any_request();
  const std::string answer = solution_text(*channels.provider(), specs);
  const std::string why = answer == "none" ? explanation(*channels.provider(), specs) : "";
  for (unsigned seed = 1; seed < 4; ++seed) {
    channels.shuffle(seed);
    RC_ASSERT(solution_text(*channels.provider(), specs) == answer);
    if (answer == "none") {
      RC_ASSERT(explanation(*channels.provider(), specs) == why);
    }
  }
}

}  // namespace
}  // namespace cloche::source
