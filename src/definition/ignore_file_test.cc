#include "definition/ignore_file.h"

#include <array>
#include <chrono>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche::definition {
namespace {

bool ignores(const std::string& patterns, const std::string& path) {
  const auto file = IgnoreFile::parse(patterns, ".amlignore");
  EXPECT_TRUE(file.has_value()) << patterns;
  return file.has_value() && file->ignores(path);
}

TEST(IgnoreFile, MatchesAsPathspecDoes) {
  struct Case {
    const char* patterns;
    const char* path;
    bool ignored;
  };
  const std::array<Case, 46> cases = {{
      {"a", "a", true},
      {"a", "x/a", true},
      {"a", "a/x", true},
      {"a", "ab", false},
      {"/a", "a", true},
      {"/a", "x/a", false},
      {"/a", "a/x", true},
      {"a/", "a", false},
      {"a/", "a/x", true},
      {"a/", "x/a/y", true},
      {"a/b", "a/b", true},
      {"a/b", "x/a/b", false},
      {"a/b", "a/b/c", true},
      {"*.log", "x.log", true},
      {"*.log", "d/x.log", true},
      {"*.log", "x.log/y", true},
      {"*.log", "x.logs", false},
      {"a/*", "a/b", true},
      {"a/*", "a", false},
      {"a/*/c", "a/b/c", true},
      {"a/*/c", "a/b/d/c", false},
      {"a/**/c", "a/c", true},
      {"a/**/c", "a/b/d/c", true},
      {"a/**", "a/b/c", true},
      {"a/**", "a", false},
      {"**/a", "a", true},
      {"**/a", "x/y/a", true},
      {"**/", "a/b", true},
      {"**/", "a", false},
      {"**", "a", true},
      {"a?c", "abc", true},
      {"a?c",
       "a\xc3\xa9"
       "c",
       true},
      {"a?c", "ac", false},
      {"[ab]c", "bc", true},
      {"[!ab]c", "bc", false},
      {"[!ab]c", "xc", true},
      {"[a-c]x", "bx", true},
      {"[]]x", "]x", true},
      {"[a", "[a", true},
      {"\\#x", "#x", true},
      {"#x", "#x", false},
      {"  a  ", "a", true},
      {"a//b", "a/b", false},
      {"/", "a", false},
      {"a\\*", "a*", true},
      {"***", "abc", true},
  }};
  for (const Case& one : cases) {
    EXPECT_EQ(ignores(one.patterns, one.path), one.ignored) << one.patterns << " on " << one.path;
  }
}

TEST(IgnoreFile, LetsTheLastPatternDecide) {
  EXPECT_FALSE(ignores("*.log\n!keep.log\n", "keep.log"));
  EXPECT_TRUE(ignores("!keep.log\n*.log\n", "keep.log"));
  EXPECT_FALSE(ignores("d/\n!d/keep\n", "d/keep"));  // git would not look below d any more
  EXPECT_TRUE(ignores("a\r\n# c\r\n\r\n!b\r\n", "a"));
}

TEST(IgnoreFile, RefusesWhatTheClientRefuses) {
  for (const char* patterns : {"a\n!\n", "a\nb\\\n"}) {
    const auto file = IgnoreFile::parse(patterns, "ctx/.amlignore");
    ASSERT_FALSE(file.has_value()) << patterns;
    EXPECT_EQ(file.error().at, (Location{"ctx/.amlignore", 2, 1}));
  }
}

TEST(IgnoreFile, TakesLittleTimeForHostilePatterns) {
  std::string patterns;
  std::string path;
  for (int i = 0; i < 400; ++i) {
    patterns += "**/*a*a*a*a/";
    path += "aaaaaaaaaaaaaab/";
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(ignores(patterns + "c", path + "b"));
  EXPECT_FALSE(ignores(std::string(2000, '*') + "b", std::string(5000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

RC_GTEST_PROP(IgnoreFileProperty, AnEscapedNameIgnoresExactlyItself, ()) {
  const auto name = *rc::gen::nonEmpty(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab*?[]!#-\\"))));
  std::string pattern = "/";
  for (const char c : name) {
    pattern += std::string("\\") + c;
  }
  RC_ASSERT(ignores(pattern, name));
  RC_ASSERT(ignores(pattern, name + "/below"));
  RC_ASSERT(!ignores(pattern, "above/" + name));
  RC_ASSERT(!ignores(pattern, name + "x"));
}

}  // namespace
}  // namespace cloche::definition
