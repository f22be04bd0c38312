#include "package/debian/relation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::debian {
namespace {

using testing::HasSubstr;

TEST(ParseRelations, ReadsEveryForm) {
  ASSERT_VALUE(all,
               parse_relations(
                   " libc6 (>= 2.36), default-mta | mail-transport-agent ,\n python3:any (<<3.12),"
                   "gcc:amd64(=4:12.2.0-3)[amd64 !i386] <!nocheck> <cross stage1>, ,"));
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0][0], (Relation{"libc6", "", Comparison::kLaterOrEqual, "2.36", "", ""}));
  ASSERT_EQ(all[1].size(), 2U);
  EXPECT_EQ(all[1][0].name, "default-mta");
  EXPECT_EQ(all[1][1].name, "mail-transport-agent");
  EXPECT_EQ(all[2][0], (Relation{"python3", "any", Comparison::kEarlier, "3.12", "", ""}));
  EXPECT_EQ(all[3][0], (Relation{"gcc", "amd64", Comparison::kEqual, "4:12.2.0-3", "amd64 !i386",
                                 "<!nocheck> <cross stage1>"}));
  EXPECT_EQ(to_string(all[3][0]),
            "gcc:amd64 (= 4:12.2.0-3) [amd64 !i386] <!nocheck> <cross stage1>");
  ASSERT_VALUE(none, parse_relations("  "));
  EXPECT_TRUE(none.empty());
}

TEST(ParseRelations, ReadsTheObsoleteOperatorsAsPolicySays) {
  ASSERT_VALUE(all, parse_relations("a (< 1), b (> 1)"));
  EXPECT_TRUE(allows(all[0][0], "1"));
  EXPECT_FALSE(allows(all[0][0], "2"));
  EXPECT_TRUE(allows(all[1][0], "1"));
  EXPECT_FALSE(allows(all[1][0], "0"));
}

TEST(ParseRelations, RefusesWithReasonAndPlace) {
  struct Bad {
    const char* text;
    const char* message;
    int column;
  };
  const Bad cases[] = {
      {"a b", "',' or '|' is missing", 3},
      {"a |", "name is missing", 4},
      {"a | , b", "name is missing", 5},
      {"(>= 1)", "name is missing", 1},
      {"a (1)", "operator", 4},
      {"a (>>> 1)", "operator", 7},
      {"a (>= )", "version is missing", 7},
      {"a (>= 1", "')' is missing", 8},
      {"a (>= 1 2)", "')' is missing", 9},
      {"a: b", "architecture behind", 3},
      {"a [amd64", "']' is missing", 4},
      {"a [amd64, b", "']' is missing", 4},
      {"a <cross", "'>' is missing", 4},
      {"a\x01", "',' or '|' is missing", 2},
  };
  for (const Bad& bad : cases) {
    const auto result = parse_relations(bad.text);
    ASSERT_FALSE(result.has_value()) << bad.text;
    EXPECT_THAT(result.error().message, HasSubstr(bad.message)) << bad.text;
    EXPECT_EQ(result.error().at.column, bad.column) << bad.text;
  }
  EXPECT_FALSE(parse_relations(std::string(kMaxRelationBytes + 1, 'a')).has_value());
}

TEST(Relation, AllowsVersions) {
  ASSERT_VALUE(all, parse_relations("a, a (<< 2), a (<= 2), a (= 2), a (>= 2), a (>> 2)"));
  const char* versions[] = {"1", "2", "2.0~~", "3"};
  const bool expected[6][4] = {{true, true, true, true},   {true, false, false, false},
                               {true, true, false, false}, {false, true, false, false},
                               {false, true, true, true},  {false, false, true, true}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < std::size(versions); ++j) {
      EXPECT_EQ(allows(all[i][0], versions[j]), expected[i][j]) << i << " " << versions[j];
    }
  }
}

TEST(Relation, CountsOnArchitecturesAndProfiles) {
  struct Case {
    const char* text;
    bool amd64;
    bool arm64;
  };
  const Case cases[] = {{"a", true, true},
                        {"a [amd64]", true, false},
                        {"a [i386 any-amd64]", true, false},
                        {"a [linux-any]", true, true},
                        {"a [!amd64]", false, true},
                        {"a [!amd64 !arm64]", false, false},
                        {"a <!nocheck>", true, true},
                        {"a <cross>", false, false},
                        {"a <cross> <!nodoc !cross>", true, true}};
  for (const Case& one : cases) {
    ASSERT_VALUE(all, parse_relations(one.text));
    EXPECT_EQ(counts_on(all[0][0], "amd64"), one.amd64) << one.text;
    EXPECT_EQ(counts_on(all[0][0], "arm64"), one.arm64) << one.text;
  }
  ASSERT_VALUE(cross, parse_relations("a <cross !stage1>"));
  const std::string_view profiles[] = {"cross"};
  EXPECT_TRUE(counts_on(cross[0][0], "amd64", profiles));
}

}  // namespace
}  // namespace cloche::debian
