#include "definition/apt_list.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche::definition {
namespace {

std::vector<std::string> texts(const AptSection& apt) {
  std::vector<std::string> out;
  for (const Line& package : apt.packages) {
    out.push_back(package.text);
  }
  return out;
}

TEST(AptList, ReadsPackagesBetweenBlanksAndComments) {
  ASSERT_VALUE(apt, parse_apt_list("# tools\r\ngit  curl # both\n\n\tlibgl1=1.6.0-1\n", "apt.txt"));
  EXPECT_EQ(texts(apt), (std::vector<std::string>{"git", "curl", "libgl1=1.6.0-1"}));
  EXPECT_EQ(apt.packages[1].at, (Location{"apt.txt", 2, 6}));
}

TEST(AptList, NamesTheLineThatIsWrong) {
  const auto result = parse_apt_list("git\nlibgl1 Git==1\n", "apt.txt");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().at, (Location{"apt.txt", 2, 8}));
  EXPECT_EQ(result.error().excerpt, "libgl1 Git==1");
}

TEST(AptList, HasALimit) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxAptPackages; ++i) {
    many += "git ";
  }
  EXPECT_FALSE(parse_apt_list(many, "apt.txt").has_value());
}

RC_GTEST_PROP(AptListProperty, WhatIsWrittenReadsTheSame, ()) {
  const auto names = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"git", "libgl1=1.6.0-1", "gcc:amd64", "g++"}));
  std::vector<Line> lines;
  for (const std::string& name : names) {
    lines.push_back({name, {}});
  }
  const auto apt = read_apt_items(lines);
  RC_ASSERT(apt.has_value());
  const auto again = parse_apt_list(write_apt_list(*apt), "apt.txt");
  RC_ASSERT(again.has_value());
  RC_ASSERT(texts(*again) == names);
}

}  // namespace
}  // namespace cloche::definition
