#include "definition/dockerignore.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche::definition {
namespace {

using ::testing::HasSubstr;

bool ignores(const std::string& text, const std::string& path) {
  auto patterns = Dockerignore::parse(text);
  EXPECT_TRUE(patterns.has_value()) << text;
  return patterns.has_value() && patterns->ignores(path);
}

bool glob(const std::string& pattern, const std::string& path) {
  auto compiled = Glob::compile(pattern);
  EXPECT_TRUE(compiled.has_value()) << pattern;
  return compiled.has_value() && compiled->matches(path);
}

// The table of the Dockerfile reference, ".dockerignore file".
TEST(Dockerignore, FollowsTheReference) {
  EXPECT_TRUE(ignores("*/temp*", "somedir/temporary.txt"));
  EXPECT_TRUE(ignores("*/temp*", "somedir/temp"));
  EXPECT_FALSE(ignores("*/temp*", "temp"));
  EXPECT_TRUE(ignores("*/*/temp*", "somedir/subdir/temporary.txt"));
  EXPECT_TRUE(ignores("temp?", "tempa"));
  EXPECT_FALSE(ignores("temp?", "temp"));
  EXPECT_TRUE(ignores("**/*.go", "a.go"));
  EXPECT_TRUE(ignores("**/*.go", "a/b/c.go"));
  EXPECT_TRUE(ignores("*.md\n!README.md", "other.md"));
  EXPECT_FALSE(ignores("*.md\n!README.md", "README.md"));
  EXPECT_TRUE(ignores("*.md\n!README*.md\nREADME-secret.md", "README-secret.md"));
  EXPECT_FALSE(ignores("*.md\n!README*.md\nREADME-secret.md", "README.md"));
  EXPECT_FALSE(ignores("*.md\nREADME-secret.md\n!README*.md", "README-secret.md"));
  EXPECT_TRUE(ignores("/foo/bar/", "foo/bar"));
  EXPECT_TRUE(ignores("./foo/../foo/bar", "foo/bar/below"));
}

TEST(Dockerignore, TakesBackOutOfAnIgnoredDirectory) {
  EXPECT_FALSE(ignores("docs\n!docs/README.md", "docs/README.md"));
  EXPECT_TRUE(ignores("docs\n!docs/README.md", "docs/other.md"));
  EXPECT_FALSE(ignores("**\n!src", "src/a/b.py"));
  EXPECT_TRUE(ignores("**\n!src\nsrc/a", "src/a/b.py"));
  EXPECT_FALSE(ignores("*\n!dist/*.whl", "dist/proxy.py-2.4.0+g08-py3-none-any.whl"));
}

TEST(Dockerignore, ReadsLinesAsMobyDoes) {
  EXPECT_TRUE(
      ignores("\xef\xbb\xbf"
              "a\r\n  b  \r\n",
              "a"));
  EXPECT_TRUE(ignores("a\r\n  b  \r\n", "b"));
  EXPECT_FALSE(ignores("#a\n", "#a"));
  EXPECT_TRUE(ignores(" #a\n", "#a"));
  EXPECT_FALSE(ignores("a\n! /a", "a"));
}

TEST(Dockerignore, RefusesBadPatternsWithTheirLine) {
  const auto refused = Dockerignore::parse("a\n[b\n", "x.dockerignore");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().at.to_string(), "x.dockerignore:2:1");
  EXPECT_THAT(Dockerignore::parse("!\n").error().message, HasSubstr("a ! without"));
  for (const std::string bad :
       {"[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]"}) {
    EXPECT_FALSE(Glob::compile(bad).has_value()) << bad;
  }
}

TEST(Dockerignore, SkipsOnlyWhatNothingReachesInto) {
  ASSERT_VALUE(patterns, Dockerignore::parse("data\nnode_modules\n!data/keep/*.txt\n!**/x"));
  EXPECT_FALSE(patterns.can_skip_directory("data"));
  EXPECT_FALSE(patterns.can_skip_directory("src"));
  EXPECT_FALSE(patterns.can_skip_directory("node_modules"));  // !**/x could
  ASSERT_VALUE(plain, Dockerignore::parse("data\nnode_modules\n!data/keep/*.txt"));
  EXPECT_TRUE(plain.can_skip_directory("node_modules"));
  EXPECT_TRUE(plain.can_skip_directory("data/other"));
  EXPECT_FALSE(plain.can_skip_directory("data/keep"));
}

struct Case {
  std::string pattern;
  std::string path;
  bool matches;
};

class GlobMatches : public ::testing::TestWithParam<Case> {};

TEST_P(GlobMatches, AsGoAndMobyDo) {
  EXPECT_EQ(glob(GetParam().pattern, GetParam().path), GetParam().matches)
      << GetParam().pattern << " " << GetParam().path;
}

INSTANTIATE_TEST_SUITE_P(
    Moby, GlobMatches,
    ::testing::Values(
        Case{"**", "file", true}, Case{"**", "dir/file", true}, Case{"**/**", "dir/file", true},
        Case{"dir/**", "dir/file", true}, Case{"dir/**", "dir/dir2/file", true},
        Case{"dir/**", "dir", false}, Case{"**/dir", "dir", true}, Case{"**/dir", "a/dir", true},
        Case{"**/dir", "dir/file", false}, Case{"**/dir2/*", "dir/dir2/file", true},
        Case{"**/dir2/**", "dir/dir2/dir3/file", true}, Case{"**file", "file", true},
        Case{"**file", "dir/xfile", true}, Case{"**/file", "dir/xfile", false},
        Case{"**/file*", "dir/dir/file.txt", true}, Case{"**/file*txt", "dir/dir/file.txt", true},
        Case{"**/file*.txt*", "dir/dir/file.txt", true}, Case{"**/**/*.txt", "file.txt", true},
        Case{"**/**/*.txt2", "dir/dir/file.txt", false}, Case{"a**/*.txt", "a/file.txt", true},
        Case{"a**/*.txt", "a/dir/dir/file.txt", true}, Case{"a/*.txt", "a/dir/file.txt", false},
        Case{"a/*.txt**", "a/file.txt", true}, Case{"a[b-d]e", "ae", false},
        Case{"a[b-d]e", "ace", true}, Case{"a[b-d]e", "aae", false}, Case{"a[^b-d]e", "aze", true},
        Case{".*", ".foo", true}, Case{".*", "foo", false}, Case{"abc.def", "abcZdef", false},
        Case{"abc?def", "abcZdef", true}, Case{"abc?def", "abcdef", false},
        Case{"**/foo/bar", "dir/dir2/foo/bar", true}, Case{"**/.foo", "bar.foo", false},
        Case{"a(b)c/def", "a(b)c/def", true}, Case{"a.|)$(}+{bc", "a.|)$(}+{bc", true},
        Case{"a\\*b", "a*b", true}, Case{"a\\*b", "ab", false}, Case{"a\\\\", "a\\", true}));

INSTANTIATE_TEST_SUITE_P(Go, GlobMatches,
                         ::testing::Values(Case{"*c", "abc", true}, Case{"a*", "a", true},
                                           Case{"a*", "ab/c", false}, Case{"a*/b", "abc/b", true},
                                           Case{"a*/b", "a/c/b", false},
                                           Case{"a*b*c*d*e*/f", "axbxcxdxexxx/f", true},
                                           Case{"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false},
                                           Case{"a*b?c*x", "abxbbxdbxebxczzx", true},
                                           Case{"a*b?c*x", "abxbbxdbxebxczzy", false},
                                           Case{"ab[^e-g]", "abc", true}, Case{"a?b", "a☺b", true},
                                           Case{"a[^a]b", "a☺b", true}, Case{"a???b", "a☺b", false},
                                           Case{"[a-ζ]*", "α", true}, Case{"*[a-ζ]", "A", false},
                                           Case{"a?b", "a/b", false}, Case{"a*b", "a/b", false},
                                           Case{"[\\]a]", "]", true}, Case{"[x\\-]", "-", true},
                                           Case{"[x\\-]", "z", false}, Case{"[\\-x]", "x", true},
                                           Case{"*x", "xxx", true},
                                           Case{"\xff?", "\xff\xfe", true}));

RC_GTEST_PROP(Glob, MatchesItsEscapedSelf, (const std::string& text)) {
  std::string escaped;
  for (const char c : text) {
    escaped += '\\';
    escaped += c;
  }
  RC_ASSERT(Glob::compile(escaped)->matches(text));
}

rc::Gen<std::string> gen_small(const std::string& letters) {
  return rc::gen::container<std::string>(rc::gen::elementOf(letters));
}

// A second opinion: a plain backtracking matcher, without "**" and classes.
bool backtrack(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) {
    return path.empty();
  }
  if (pattern.front() == '*') {
    return backtrack(pattern.substr(1), path) ||
           (!path.empty() && path.front() != '/' && backtrack(pattern, path.substr(1)));
  }
  return !path.empty() &&
         (pattern.front() == '?' ? path.front() != '/' : pattern.front() == path.front()) &&
         backtrack(pattern.substr(1), path.substr(1));
}

RC_GTEST_PROP(Glob, AgreesWithABacktrackingMatcher, ()) {
  const std::string pattern = *gen_small("ab/*?");
  const std::string path = *gen_small("ab/");
  RC_PRE(pattern.find("**") == std::string::npos);
  RC_ASSERT(Glob::compile(pattern)->matches(path) == backtrack(pattern, path));
}

RC_GTEST_PROP(Glob, FindsPathsBelowWhatItReaches, ()) {
  const Glob compiled = Glob::compile(*gen_small("ab/*?")).value();
  const std::string directory = *rc::gen::nonEmpty(gen_small("ab/"));
  const std::string below = directory + "/" + *rc::gen::nonEmpty(gen_small("ab/"));
  if (compiled.matches_path_or_parent(below)) {
    RC_ASSERT(compiled.reaches_below(directory));
  }
}

TEST(Glob, NeverBacktracks) {
  std::string pattern;
  for (int i = 0; i < 600; ++i) {
    pattern += "**/a*";
  }
  const std::string path(4'000, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(glob(pattern + "b", path));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 2.0);
  EXPECT_FALSE(Glob::compile(std::string(5'000, 'a')).has_value());
}

}  // namespace
}  // namespace cloche::definition
