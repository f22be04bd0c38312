#include "package/pypi/version.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/json.h"
#include "core/testing.h"

namespace cloche::pypi {
namespace {

// PEP 440, "Summary of permitted suffixes and relative ordering".
TEST(PypiVersion, OrdersAsPep440Says) {
  const std::vector<std::string> ascending = {"1.dev0",
                                              "1.0.dev456",
                                              "1.0a1",
                                              "1.0a2.dev456",
                                              "1.0a12.dev456",
                                              "1.0a12",
                                              "1.0b1.dev456",
                                              "1.0b2",
                                              "1.0b2.post345.dev456",
                                              "1.0b2.post345",
                                              "1.0rc1.dev456",
                                              "1.0rc1",
                                              "1.0",
                                              "1.0+abc.5",
                                              "1.0+abc.7",
                                              "1.0+5",
                                              "1.0.post456.dev34",
                                              "1.0.post456",
                                              "1.0.15",
                                              "1.1.dev1",
                                              "1.10",
                                              "1!0.1"};
  for (std::size_t i = 0; i + 1 < ascending.size(); ++i) {
    ASSERT_VALUE(low, Version::parse(ascending[i]));
    ASSERT_VALUE(high, Version::parse(ascending[i + 1]));
    EXPECT_LT(low, high) << ascending[i] << " " << ascending[i + 1];
  }
  EXPECT_EQ(*Version::parse("1.0"), *Version::parse("1.0.0"));
  EXPECT_LT(*Version::parse("1.99999999999999999998"), *Version::parse("1.99999999999999999999"));
}

TEST(PypiVersion, NormalisesEverySpelling) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"v1.0-Alpha_2", "1.0a2"},        {"1.0c1", "1.0rc1"},    {"1.0-1", "1.0.post1"},
      {"1.0-r4", "1.0.post4"},          {"1.0DEV", "1.0.dev0"}, {"01.002", "1.2"},
      {"1.0+Ubuntu-1", "1.0+ubuntu.1"}, {"0!1", "1"},           {"1.0preview", "1.0rc0"}};
  for (const auto& [text, normal] : cases) {
    ASSERT_VALUE(version, Version::parse(text));
    EXPECT_EQ(version.to_string(), normal);
  }
}

TEST(PypiVersion, RefusesTheRest) {
  for (const char* text : {"", "a", "1.", "1..2", "1.0-", "1.0+", "1.0+a..b", "1.*", "1!", "1 2"}) {
    EXPECT_FALSE(Version::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Version::parse(std::string(1U << 20U, '1')).has_value());
}

rc::Gen<std::string> version_text() {
  return rc::gen::map(
      rc::gen::resize(
          8, rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
                 std::vector<std::string>{"0", "1", "10", ".", "-", "_", "a", "rc", "post", "dev",
                                          "+", "x", "!", "r", "v", "0007", "preview"}))),
      [](const std::vector<std::string>& pieces) {
        std::string text = "1";
        for (const std::string& piece : pieces) {
          text += piece;
        }
        return text;
      });
}

RC_GTEST_PROP(PypiVersion, ParsesWhatItPrints, ()) {
  const auto one = Version::parse(*version_text());
  if (one.has_value()) {
    const auto again = Version::parse(one->to_string());
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == *one);
    RC_ASSERT(again->to_string() == one->to_string());
  }
}

// Each two of some hundred generated versions, and what is a version at all, against `packaging`.
TEST(PypiVersion, AgreesWithPackaging) {
  Json texts = Json::array();
  std::vector<std::string> list;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    list.push_back(version_text()(rc::Random(seed), 8).value());
    texts.push(list.back());
  }
  const auto output = python_output(R"(
import json, sys
from packaging.version import Version
texts = json.load(sys.stdin)
good = []
for text in texts:
    try: good.append((text, Version(text)))
    except Exception: pass
few = good[:300]
print(json.dumps([[t for t, v in good], [str(v) for t, v in good],
    [[(a > b) - (a < b) for _, b in few] for _, a in few]]))
)",
                                    texts.dump());
  if (!output) {
    GTEST_SKIP() << "no packaging library on this machine";
  }
  ASSERT_VALUE(answer, parse_json(*output));
  std::vector<std::string> good;
  for (const std::string& text : list) {
    if (Version::parse(text).has_value()) {
      good.push_back(text);
    }
  }
  const auto& want = answer.items();
  ASSERT_EQ(good.size(), want[0].items().size());
  ASSERT_GT(good.size(), 300U);
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_EQ(good[i], want[0].items()[i].as_string());
    EXPECT_EQ(Version::parse(good[i])->to_string(), want[1].items()[i].as_string());
  }
  for (std::size_t i = 0; i < 300; ++i) {
    for (std::size_t k = 0; k < 300; ++k) {
      const auto order = *Version::parse(good[i]) <=> *Version::parse(good[k]);
      const int sign = order < 0 ? -1 : order > 0 ? 1 : 0;
      ASSERT_EQ(sign, want[2].items()[i].items()[k].as_integer()) << good[i] << " " << good[k];
    }
  }
}

}  // namespace
}  // namespace cloche::pypi
