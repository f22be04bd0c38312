#include "package/conda/selector.h"

#include <string>

#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::conda {
namespace {

TEST(Selector, NamesOperatingSystemsArchitecturesAndGroups) {
  struct Case {
    std::string selector, platform;
    bool holds;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"", "linux-64", true},
           {"linux", "linux-64", true},
           {"linux", "linux-aarch64", true},
           {"linux", "osx-64", false},
           {"linux64", "linux-64", true},
           {"linux64", "linux-aarch64", false},
           {"unix", "linux-ppc64le", true},
           {"unix", "osx-arm64", true},
           {"unix", "win-64", false},
           {"win", "win-64", true},
           {"win64", "win-arm64", false},
           {"osx64", "osx-64", true},
           {"osx64", "osx-arm64", false},
           {"arm64", "osx-arm64", true},
           {"arm64", "win-arm64", true},
           {"arm64", "linux-aarch64", false},
           {"aarch64", "linux-aarch64", true},
           {"x86", "linux-32", true},
           {"x86_64", "osx-64", true},
           {"x86_64", "osx-arm64", false},
           {"ppc64le", "linux-ppc64le", true},
           {"s390x", "linux-s390x", true},
           {"armv7l", "linux-armv7l", true},
           {"linux", "noarch", false},
       }) {
    EXPECT_EQ(selector_matches(one.selector, one.platform), one.holds)
        << one.selector << " on " << one.platform;
  }
}

TEST(Selector, BindsNotBeforeAndBeforeOr) {
  EXPECT_TRUE(selector_matches("win or linux and x86_64", "win-arm64"));
  EXPECT_FALSE(selector_matches("(win or linux) and x86_64", "win-arm64"));
  EXPECT_TRUE(selector_matches("not win and linux", "linux-64"));
  EXPECT_FALSE(selector_matches("not (win or linux)", "linux-64"));
  EXPECT_TRUE(selector_matches("not not linux", "linux-64"));
}

TEST(Selector, HasOneSpelling) {
  ASSERT_VALUE(text, canonical_selector("  not  ( osx   and arm64 )or(win)"));
  EXPECT_EQ(text, "not (osx and arm64) or (win)");
}

TEST(Selector, LeavesOtherBracketsAlone) {
  for (const char* text :
       {"", "document_parsing", "py3k", "linux and", "and linux", "(linux", "linux)", "linux osx",
        "osx-arm64", "linux, osx", "not", "linux == 1", "LINUX", "\x01"}) {
    EXPECT_FALSE(canonical_selector(text).has_value()) << text;
  }
}

TEST(Selector, SuggestsTheNearestName) {
  const auto result = canonical_selector("linxu");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().hint, "did you mean linux?");
}

TEST(Selector, RefusesNestingAndLength) {
  EXPECT_FALSE(canonical_selector(std::string(100, '(') + "linux").has_value());
  EXPECT_FALSE(canonical_selector(std::string(1'000'000, '(')).has_value());
  std::string nots;
  for (int i = 0; i < 40; ++i) {
    nots += "not ";
  }
  EXPECT_FALSE(canonical_selector(nots + "linux").has_value());
  EXPECT_FALSE(selector_matches(nots + "linux", "linux-64"));
}

}  // namespace
}  // namespace cloche::conda
