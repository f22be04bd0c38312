#include "resolve/problem.h"

#include <gtest/gtest.h>

#include "core/testing.h"
#include "core/text.h"
#include "resolve/testing.h"

namespace cloche::resolve {
namespace {

std::string told(MemoryProvider& universe, const std::vector<std::string>& wanted) {
  std::vector<RequirementId> relaxed;
  for (const std::string& one : wanted) {
    relaxed.push_back(universe.requirement(one.substr(0, one.find_first_of("<>=!"))));
  }
  const Request request = universe.request(wanted);
  const auto problem = explain(universe, request, relaxed);
  if (!problem.has_value()) {
    return problem.error().message;
  }
  std::string out = to_text(*problem);
  for (const WayOut& way : problem->ways_out) {
    std::vector<std::string> changes;
    for (const Change& change : way.changes) {
      changes.push_back(change.instead ? "with " + universe.to_string(*change.instead)
                                       : "without " + wanted[change.requirement]);
    }
    out += "works " + join(changes, " and ") + "\n";
  }
  return out;
}

TEST(Explain, TellsWhoNeedsWhat) {
  MemoryProvider universe;
  universe.add("torchvision", 20, {"python>=9,<13"}).add("torchvision", 21, {"python>=9"});
  universe.add("python", 11).add("python", 12).add("python", 13).add("numpy", 1, {"python"});
  EXPECT_EQ(told(universe, {"numpy", "python=13", "torchvision=20"}),
            "python=13\n"
            "torchvision=20\n"
            "  torchvision 20 needs python>=9,<13\n"
            "works with python 12\n"
            "works with torchvision 21\n");
}

TEST(Explain, SaysThatThereIsNoSuchPackage) {
  MemoryProvider universe;
  universe.add("numpy", 1).add("a", 1, {"nmpy"});
  EXPECT_EQ(told(universe, {"numpy", "a"}),
            "a\n  a 1 needs nmpy\n    there is no package nmpy\nworks without a\n");
}

TEST(Explain, SaysWhichVersionsThereAre) {
  MemoryProvider universe;
  universe.add("numpy", 1).add("numpy", 2);
  EXPECT_EQ(
      told(universe, {"numpy>=3"}),
      "numpy>=3\n  nothing fits numpy>=3: there is numpy 1 and numpy 2\nworks with numpy 2\n");
}

TEST(Explain, NamesWhatWasAskedForRatherThanHelpers) {
  MemoryProvider universe;
  universe.add("python", 9, {}, {"abi=9"}).add("python", 10, {}, {"abi=10"});
  universe.add("abi", 9).add("abi", 10);
  universe.add("scipy", 1, {"abi=9", "python=9"}).add("scipy", 2, {"abi=10", "python=10"});
  EXPECT_EQ(told(universe, {"python=9", "scipy>=2"}),
            "python=9\n"
            "scipy>=2\n"
            "  scipy 2 needs python=10\n"
            "works with python 10\n"
            "works with scipy 1\n");
}

TEST(Explain, TellsWhatCandidatesHaveInCommonOnce) {
  MemoryProvider universe;
  universe.add("gpu", 1, {"torch=1"}).add("gpu", 2, {"torch=2"});
  universe.add("torch", 1, {"cuda"}).add("torch", 2, {"cuda"});
  EXPECT_EQ(told(universe, {"gpu"}),
            "gpu\n"
            "  gpu 2 and gpu 1 need torch=2 or torch=1\n"
            "    torch 2 and torch 1 need cuda\n"
            "      there is no package cuda\n"
            "works without gpu\n");
}

TEST(Explain, LeavesOutWhatHasNoPart) {
  MemoryProvider universe;
  universe.add("a", 1, {"c=1"})
      .add("b", 1, {"c=2"})
      .add("c", 1)
      .add("c", 2)
      .add("d", 1, {"c"})
      .add("e", 1, {"d"});
  const std::string text = told(universe, {"e", "a", "d", "b"});
  EXPECT_EQ(text.find("e 1"), std::string::npos) << text;
  EXPECT_EQ(text.find("d 1"), std::string::npos) << text;
}

TEST(Explain, TellsEachConflictWhenOneChangeIsNotEnough) {
  MemoryProvider universe;
  universe.add("a", 1, {"x"}).add("b", 1, {"y"}).add("c", 1);
  EXPECT_EQ(told(universe, {"a", "b", "c"}),
            "b\n  b 1 needs y\n    there is no package y\n"
            "a\n  a 1 needs x\n    there is no package x\n"
            "works without a and without b\n");
}

TEST(Explain, FindsWaysOutOfThreeIndependentConflicts) {
  MemoryProvider universe;
  std::vector<std::string> wanted;
  for (const std::string name : {"p", "q", "r"}) {
    universe.add(name, 1).add(name, 2);
    universe.add(name + "tool", 1, {name + "=1"}).add(name + "tool", 2, {name + "=2"});
    wanted.push_back(name + "=1");
    wanted.push_back(name + "tool=2");
  }
  const std::string text = told(universe, wanted);
  EXPECT_EQ(text.find("works with p 1"), std::string::npos) << text;
  EXPECT_NE(text.find("works with ptool 1 and with qtool 1 and with rtool 1\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("works with p 2 and with q 2 and with r 2\n"), std::string::npos) << text;
  for (const char* const one : {"ptool 2 needs p=2", "qtool 2 needs q=2", "rtool 2 needs r=2"}) {
    EXPECT_NE(text.find(one), std::string::npos) << text;
  }
}

TEST(Explain, GivesUpNoMoreThanItMust) {
  MemoryProvider universe;  // b collides with both others, which collide with nothing else
  universe.add("x", 1).add("x", 2).add("y", 1).add("y", 2);
  universe.add("a", 1, {"x=1"}).add("b", 1, {"x=2", "y=2"}).add("c", 1, {"y=1"});
  universe.add("d", 1, {"none"});
  const std::string text = told(universe, {"a", "b", "c", "d"});
  EXPECT_NE(text.find("works without b and without d\n"), std::string::npos) << text;
}

TEST(Explain, RefusesWhatHasASolution) {
  MemoryProvider universe;
  universe.add("a", 1);
  EXPECT_EQ(told(universe, {"a"}), "there is a solution: nothing to explain");
}

}  // namespace
}  // namespace cloche::resolve
