#include "package/conda/version.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"

namespace cloche::conda {
namespace {

Version version(const std::string& text) {
  auto parsed = Version::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.has_value() ? *parsed : *Version::parse("0");
}

// Each inner list is one class of equal versions; the classes ascend. From CEP 33 ("Examples"),
// conda's documentation ("Version ordering") and its VersionOrder docstring.
const std::vector<std::vector<std::string>>& ladder() {
  static const std::vector<std::vector<std::string>> kLadder = {
      {"0.4", "0.4.0"},
      {"0.4.1.rc", "0.4.1.RC"},
      {"0.4.1+local"},
      {"0.4.1+0.local"},
      {"0.4.1", "0.4.1+0"},
      {"0.4.1+1.local"},
      {"0.5a1"},
      {"0.5b3"},
      {"0.5C1"},
      {"0.5.3+git20220429"},  // below the plain one: not as in PEP 440
      {"0.5.3"},
      {"0.9.6"},
      {"0.960923"},
      {"1.0"},
      {"1.0.1dev"},
      {"1.0.1_", "1.0.1-"},
      {"1.0.1a"},
      {"1.0.1post.a"},
      {"1.0.2", "1.0.02"},
      {"1.1dev1"},
      {"1.1_"},
      {"1.1a1"},
      {"1.1.0dev1", "1.1.dev1"},
      {"1.1.a1", "1.1.0a1", "1.1_a1", "1.1-a1", "1.1.00a01"},
      {"1.1.0rc1", "1.1.RC1"},
      {"1.1", "1.1.0", "1.1.0.0", "0!1.1"},
      {"1.1.post1", "1.1.0post1"},
      {"1.1post1"},
      {"1996.07.12"},
      {"20240101123456789012345678901234567890"},
      {"20240101123456789012345678901234567891"},
      {"1!0.4.1"},
      {"1!3.1.1.6"},
      {"2!0.4.1"},
  };
  return kLadder;
}

TEST(CondaVersion, OrdersTheDocumentedLadder) {
  const auto& classes = ladder();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    for (std::size_t k = 0; k < classes.size(); ++k) {
      for (const auto& a : classes[i]) {
        for (const auto& b : classes[k]) {
          EXPECT_EQ(version(a) <=> version(b), std::weak_ordering(i <=> k)) << a << " " << b;
        }
      }
    }
  }
}

TEST(CondaVersion, KeepsTheTextAsWritten) {
  ASSERT_VALUE(parsed, Version::parse("  1!2.15.1_ALPHA "));
  EXPECT_EQ(parsed.text(), "1!2.15.1_ALPHA");
}

TEST(CondaVersion, RefusesWhatIsNone) {
  struct Case {
    std::string text, why;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"", "it is empty"},
           {"  ", "it is empty"},
           {"1..2", "is empty"},
           {"1.2.", "is empty"},
           {".1", "is empty"},
           {"_1", "is empty"},
           {"1__2", "is empty"},
           {"1._.2", "is empty"},
           {"+1", "is empty"},
           {"1+", "is empty"},
           {"1!", "is empty"},
           {"1+a_", "is empty"},
           {"!1", "the epoch before '!' is not a number"},
           {"a!1", "the epoch before '!' is not a number"},
           {"1!2!3", "a second '!'"},
           {"1+2+3", "a second '+'"},
           {"1-2_3", "both '-' and '_'"},
           {"1.*", "'*' cannot stand in it"},
           {"1 2", "' ' cannot stand in it"},
           {"1,2", "',' cannot stand in it"},
           {"1.2\x01", "'\\x01' cannot stand in it"},
           {std::string(300, '1'), "longer than 256"},
           {std::string(1'000'000, '.'), "longer than 256"},
       }) {
    const auto result = Version::parse(one.text);
    ASSERT_FALSE(result.has_value()) << one.text;
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(result.error().message.find(one.why), std::string::npos) << result.error().message;
    EXPECT_LT(result.error().message.size(), 200U);
  }
}

rc::Gen<std::string> any_version() {
  const auto segment =
      rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                       "0", "1", "2", "10", "007", "a", "b", "rc", "dev", "post", "DEV", "alpha")),
                   [](const std::vector<std::string>& parts) {
                     std::string out;
                     for (std::size_t i = 0; i < parts.size() && i < 3; ++i) {
                       out += parts[i];
                     }
                     return out.empty() ? std::string("0") : out;
                   });
  return rc::gen::apply(
      [](const std::string& a, const std::string& b, const std::string& c, int form) {
        switch (form) {
          case 0:
            return a;
          case 1:
            return a + "." + b;
          case 2:
            return "1!" + a + "_" + b;
          case 3:
            return a + "." + b + "+" + c;
          default:
            return a + "." + b + "." + c + "_";
        }
      },
      segment, segment, segment, rc::gen::inRange(0, 5));
}

RC_GTEST_PROP(CondaVersion, IsOneTotalOrder, ()) {
  const auto a = version(*any_version());
  const auto b = version(*any_version());
  const auto c = version(*any_version());
  RC_ASSERT(a == a);
  RC_ASSERT((a < b) == (b > a));
  RC_ASSERT(!(a <= b && b <= c) || a <= c);
  RC_ASSERT(!(a == b && b == c) || a == c);
}

RC_GTEST_PROP(CondaVersion, IgnoresCaseAndTrailingZeroSegments, ()) {
  const std::string text = *any_version();
  RC_ASSERT(version(text) == version(to_upper(text)));
  if (text.find_first_of("+_") == std::string::npos) {
    RC_ASSERT(version(text) == version(text + ".0"));
    RC_ASSERT(version(text) < version(text + ".post"));
    RC_ASSERT(version(text) > version(text + ".dev"));
  }
}

}  // namespace
}  // namespace cloche::conda
