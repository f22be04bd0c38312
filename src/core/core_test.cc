// Small parts of core, each with the behaviour that others rely on.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/clock.h"
#include "core/diagnostic.h"
#include "core/digest.h"
#include "core/files.h"
#include "core/testing.h"
#include "core/text.h"

namespace cloche {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) {
    return fail(ErrorKind::kInvalid, "{} is odd", number).with_hint("double it first");
  }
  return number / 2;
}

Result<int> quarter(int number) {
  return TRY(half(TRY(half(number).context("halving {}", number))));
}

TEST(Result, CarriesTheFirstErrorUpWithItsContext) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().to_string(), "3 is odd\nhint: double it first");
  EXPECT_EQ(quarter(5).error().to_string(), "5 is odd\n  halving 5\nhint: double it first");
}

TEST(Error, ShowsLineCaretAndHint) {
  const Error error = fail(ErrorKind::kInvalid, "unknown instruction RUNN")
                          .with_location({"Dockerfile", 3, 1}, "RUNN pip\x1b[31m")
                          .with_hint("did you mean RUN?");
  EXPECT_EQ(error.to_string(),
            "Dockerfile:3:1: unknown instruction RUNN\n    3 | RUNN pip?[31m\n      | ^\nhint: did "
            "you mean RUN?");
}

TEST(Error, EveryKindHasItsExitCode) {
  std::array<int, 9> codes{};
  for (int i = 0; i < 9; ++i) {
    codes.at(static_cast<std::size_t>(i)) = exit_code(static_cast<ErrorKind>(i));
    EXPECT_GT(codes.at(static_cast<std::size_t>(i)), 2) << "0 to 2 have other meanings";
  }
  std::ranges::sort(codes);
  EXPECT_EQ(std::ranges::adjacent_find(codes), codes.end());
}

TEST(CaretExcerpt, CutsALongLineAroundTheColumn) {
  const std::string line = std::string(5000, 'a') + "X" + std::string(5000, 'b');
  const std::string shown = caret_excerpt({"f", 1, 5001}, line);
  EXPECT_LT(shown.size(), 300U);
  const auto lines = split_lines(shown);
  EXPECT_EQ(lines[0][lines[1].find('^')], 'X');
}

TEST(Digest, OfTheEmptyTextIsTheKnownOne) {
  EXPECT_EQ(Digest::of("").to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Hasher md5(Hasher::Algorithm::kMd5);
  md5.update("abc");
  EXPECT_EQ(md5.finish_hex(), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(Digest, ParsesOnlyTheExactForm) {
  const std::string good = Digest::of("x").to_string();
  EXPECT_EQ(Digest::parse(good)->to_string(), good);
  for (const std::string& bad : {std::string("sha256:../.."), good.substr(1), good + "0",
                                 to_upper(good), std::string("md5:00"), std::string()}) {
    EXPECT_FALSE(Digest::parse(bad).has_value()) << bad;
  }
}

TEST(Text, SplitsLinesWhateverTheirEnds) {
  const auto lines = split_lines("a\r\nb\n\nc");
  EXPECT_EQ(lines, (std::vector<std::string_view>{"a", "b", "", "c"}));
  EXPECT_TRUE(split_lines("").empty());
  EXPECT_EQ(split_lines("a\n").size(), 1U);
}

TEST(Text, CollapsesBlanks) {
  EXPECT_EQ(collapse_blanks("  a \t b\n"), "a b");
  EXPECT_EQ(collapse_blanks("   "), "");
}

TEST(Text, KnowsValidUtf8) {
  for (const char* good : {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

TEST(Nearest, FindsTheTypoAndNothingFarOff) {
  constexpr std::array<std::string_view, 3> kKeys = {"dependencies", "channels", "name"};
  EXPECT_EQ(nearest("dependancies", kKeys), "dependencies");
  EXPECT_EQ(nearest("chanels", kKeys), "channels");
  EXPECT_EQ(nearest("naem", kKeys), "name");
  EXPECT_EQ(nearest("prefix", kKeys), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), kKeys), "");
}

TEST(Paths, AreJoinedAndNormalisedWithoutADisk) {
  EXPECT_EQ(join_path("a/b", "../c"), "a/b/../c");
  EXPECT_EQ(join_path("a", "/c"), "/c");
  EXPECT_EQ(join_path("", "c"), "c");
  EXPECT_EQ(normal_path("a/./b/../c//d/"), "a/c/d");
  EXPECT_EQ(normal_path("../a/../.."), "../..");
  EXPECT_EQ(normal_path("/../a"), "/a");
  EXPECT_EQ(normal_path("a/.."), ".");
  EXPECT_EQ(parent_path("a/b"), "a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("a"), "");
}

RC_GTEST_PROP(PathProperty, NormalisingTwiceChangesNothing, (const std::vector<unsigned>& picks)) {
  static constexpr std::array<std::string_view, 6> kPieces = {"/", "a", "b", "..", ".", "//"};
  std::string path;
  for (const unsigned pick : picks) {
    path += kPieces.at(pick % kPieces.size());
  }
  RC_ASSERT(normal_path(normal_path(path)) == normal_path(path));
}

TEST(Clock, WritesRfc3339) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(1'700'000'000'123), "2023-11-14T22:13:20.123Z");
}

TEST(MemoryFiles, BehavesAsADisk) {
  MemoryFiles files;
  files.add("a/b.txt", "hello").add("a/c/d", "x").add_link("a/l", "b.txt");
  EXPECT_EQ(files.read("a/./b.txt", 10).value(), "hello");
  EXPECT_EQ(files.read("a/b.txt", 4).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files.read("a", 4).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files.read("z", 4).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(files.kind("a/l").value(), FileKind::kFile);
  ASSERT_VALUE(entries, files.list("a"));
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[1].name, "c");
  EXPECT_EQ(entries[1].kind, FileKind::kDirectory);
}

}  // namespace
}  // namespace cloche
