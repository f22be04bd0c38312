#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/dockerfile.h"

namespace cloche::definition {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Variables kVariables = {
    {"foo", "/bar"}, {"name", "value"},          {"empty", ""},           {"v", "foobarbaz"},
    {"u", "é/è"},    {"path", "/usr/local/bin"}, {"string", "bazfoobar"}, {"n1", "one"}};

struct Case {
  std::string word;
  std::string expected;
};

class ExpandWord : public ::testing::TestWithParam<Case> {};

TEST_P(ExpandWord, GivesWhatDockerGives) {
  ASSERT_VALUE(expanded, expand_word(GetParam().word, kVariables));
  EXPECT_EQ(expanded, GetParam().expected) << GetParam().word;
}

// "Environment replacement" in the Dockerfile reference.
INSTANTIATE_TEST_SUITE_P(
    Reference, ExpandWord,
    ::testing::Values(
        Case{"${foo}", "/bar"}, Case{"$foo", "/bar"}, Case{"${foo}_x", "/bar_x"},
        Case{"\\$foo", "$foo"}, Case{"\\${foo}", "${foo}"}, Case{"${name:-word}", "value"},
        Case{"${none:-word}", "word"}, Case{"${empty:-word}", "word"}, Case{"${empty-word}", ""},
        Case{"${none-word}", "word"}, Case{"${name:+word}", "word"}, Case{"${none:+word}", ""},
        Case{"${empty:+word}", ""}, Case{"${empty+word}", "word"},
        Case{"${name:?message}", "value"}, Case{"${empty?message}", ""}, Case{"${v#f*b}", "arbaz"},
        Case{"${v##f*b}", "az"}, Case{"${string%b*}", "bazfoo"}, Case{"${string%%b*}", ""},
        Case{"${string/ba/fo}", "fozfoobar"}, Case{"${string//ba/fo}", "fozfoofor"}));

INSTANTIATE_TEST_SUITE_P(
    Shell, ExpandWord,
    ::testing::Values(
        Case{"", ""}, Case{"plain text", "plain text"}, Case{"'$foo'", "$foo"},
        Case{"\"$foo\"", "/bar"}, Case{"\"\\$foo\"", "$foo"}, Case{"\"a\\\"b\"", "a\"b"},
        Case{"\"a\\b\"", "a\\b"}, Case{"'a\\'", "a\\"}, Case{"a\\b", "ab"}, Case{"a\\\\b", "a\\b"},
        Case{"it\\'s", "it's"}, Case{"a\\", "a"}, Case{"$", "$"}, Case{"a$", "a$"},
        Case{"$/", "$/"}, Case{"$(x)", "$(x)"}, Case{"$1x", "x"}, Case{"$$", ""},
        Case{"$n1", "one"}, Case{"${none}", ""}, Case{"x${none}y", "xy"},
        Case{"${none:-$foo}", "/bar"}, Case{"${none:-${empty:-${name}}}", "value"},
        Case{"${none:-'}'}", "}"}, Case{"${none:-\"a b\"}", "a b"}, Case{"${none:-a\\}b}", "a}b"},
        Case{"${path##*/}", "bin"}, Case{"${path%/*}", "/usr/local"}, Case{"${path%%/*}", ""},
        Case{"${path#/}", "usr/local/bin"}, Case{"${path#x}", "/usr/local/bin"},
        Case{"${v%%?}", "foobarba"}, Case{"${u#?}", "/è"}, Case{"${u%?}", "é/"},
        Case{"${path//\\//-}", "-usr-local-bin"}, Case{"${path/l*l/X}", "/usr/X/bin"},
        Case{"${v//?/x}", "xxxxxxxxx"}, Case{"${u//?/x}", "xxx"}, Case{"${v//*/x}", "x"},
        Case{"${v/none/x}", "foobarbaz"}, Case{"${v#}", "foobarbaz"}, Case{"${none#x}", ""},
        Case{"${v/o/$name}", "fvalueobarbaz"}, Case{"${v//[a]/x}", "foobarbaz"}));

TEST(ExpandWord, TakesTheOtherEscapeCharacter) {
  EXPECT_EQ(*expand_word("C:\\dir`$foo", kVariables, '`'), "C:\\dir$foo");
}

TEST(ExpandWord, CollectsWhatIsNotSet) {
  std::vector<std::string> unset;
  ASSERT_VALUE(expanded, expand_word("$a ${b} ${c:-d} ${e:+$a} $foo", kVariables, '\\', &unset));
  EXPECT_EQ(expanded, "  d  /bar");
  EXPECT_THAT(unset, ElementsAre("a", "b"));
}

struct Refused {
  std::string word;
  std::string message;
};

class MalformedWord : public ::testing::TestWithParam<Refused> {};

TEST_P(MalformedWord, IsRefused) {
  const auto expanded = expand_word(GetParam().word, kVariables);
  ASSERT_FALSE(expanded.has_value()) << *expanded;
  EXPECT_EQ(expanded.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(expanded.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    ExpandWord, MalformedWord,
    ::testing::Values(Refused{"${", "never closed"}, Refused{"${a", "never closed"},
                      Refused{"${a:", "unknown modifier"}, Refused{"${a:-b", "never closed"},
                      Refused{"${}", "no name"}, Refused{"${{a}}", "no name"},
                      Refused{"${:a}", "no name"}, Refused{"${a^b}", "unknown modifier ^"},
                      Refused{"${a:xb}", "unknown modifier :x"}, Refused{"'a", "single quote"},
                      Refused{"\"a", "double quote"},
                      Refused{"${none:?say this}", "none: say this"},
                      Refused{"${none?}", "none: is not set"}, Refused{"${v/a}", "second /"},
                      Refused{"${v#\\a}", "a backslash in a pattern"}));

TEST(ExpandWord, LimitsDepthSizeAndWork) {
  std::string nested;
  for (int i = 0; i < 20; ++i) {
    nested += "${a:-";
  }
  nested += std::string(20, '}');
  EXPECT_THAT(expand_word(nested, {}).error().message, HasSubstr("deeper than 16"));
  const Variables large = {{"x", std::string(40'000, 'a')}};
  EXPECT_THAT(expand_word("$x$x", large).error().message, HasSubstr("64 KiB"));
  EXPECT_THAT(expand_word("${x//" + std::string(1'000, 'a') + "/b}", large).error().message,
              HasSubstr("too long"));
  EXPECT_THAT(expand_word("${x//a/" + std::string(1'000, 'b') + "}", large).error().message,
              HasSubstr("too large"));
}

RC_GTEST_PROP(ExpandWord, LeavesQuotedTextAlone, (std::string text)) {
  std::erase(text, '\'');
  RC_ASSERT(*expand_word("'" + text + "'", kVariables) == text);
}

RC_GTEST_PROP(ExpandWord, IsUndoneByEscaping, (const std::string& text)) {
  std::string escaped;
  for (const char c : text) {
    escaped += '\\';
    escaped += c;
  }
  RC_ASSERT(*expand_word(escaped, kVariables) == text);
}

}  // namespace
}  // namespace cloche::definition
