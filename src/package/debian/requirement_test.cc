#include "package/debian/requirement.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche::debian {
namespace {

TEST(DebianRequirement, ReadsEveryForm) {
  ASSERT_VALUE(name, parse_requirement("g++"));
  EXPECT_EQ(name, (Requirement{"g++", "", "", ""}));
  EXPECT_FALSE(name.exact());
  ASSERT_VALUE(version, parse_requirement("git=1:2.39.5-0+deb12u1"));
  EXPECT_EQ(version, (Requirement{"git", "", "1:2.39.5-0+deb12u1", ""}));
  EXPECT_TRUE(version.exact());
  ASSERT_VALUE(arch, parse_requirement("libc6:i386=2.36-9"));
  EXPECT_EQ(arch, (Requirement{"libc6", "i386", "2.36-9", ""}));
  ASSERT_VALUE(suite, parse_requirement("golang/bookworm-backports"));
  EXPECT_EQ(suite, (Requirement{"golang", "", "", "bookworm-backports"}));
  ASSERT_VALUE(wildcard, parse_requirement("curl=7.88.*"));
  EXPECT_FALSE(wildcard.exact());
  for (const Requirement& one : {name, version, arch, suite, wildcard}) {
    EXPECT_EQ(*parse_requirement(one.to_string()), one);
  }
}

struct Bad {
  const char* text;
  ErrorKind kind;
  const char* message;
  const char* hint;
  int column;
};

TEST(DebianRequirement, RefusesWithReasonPlaceAndHint) {
  constexpr auto kBad = ErrorKind::kInvalid;
  constexpr auto kNot = ErrorKind::kUnsupported;
  const Bad cases[] = {
      {"", kBad, "missing", "", 1},
      {"git==1.2", kBad, "knows no '=='", "did you mean git=1.2?", 4},
      {"git (= 1.2)", kBad, "knows no '(='", "did you mean git=1.2?", 5},
      {"git>=1.2", kBad, "not a range", "git or git=VERSION", 4},
      {"git (>= 1.2)", kBad, "not a range", "git=VERSION", 5},
      {"git curl", kBad, "no blanks", "one package an item", 4},
      {"Git", kBad, "cannot hold 'G'", "did you mean git?", 1},
      {"g", kBad, "at least two", "", 1},
      {".git", kBad, "begins with", "", 1},
      {"git-", kNot, "removes", "leave", 4},
      {"lib*", kNot, "patterns", "name each", 4},
      {"tasksel^", kNot, "tasks", "name each", 8},
      {"./x.deb", kNot, "not from a file", "name", 1},
      {"--no-install-recommends", kBad, "option", "packages only", 1},
      {"git=", kBad, "begins with a digit", "name=1.2-3", 5},
      {"git=stable", kBad, "begins with a digit", "name/suite", 5},
      {"git=a:1", kBad, "epoch", "", 5},
      {"git=1.2-", kBad, "revision", "", 8},
      {"git=1*2", kBad, "cannot hold '*'", "", 6},
      {"git=1/stable", kBad, "cannot hold '/'", "not both", 6},
      {"git/stable=1", kBad, "cannot hold '='", "not both", 11},
      {"git/", kBad, "suite", "backports", 5},
      {"git:", kBad, "architecture", "amd64", 5},
      {"git:1.2", kBad, "architecture", "behind '='", 6},
      {"git_x", kBad, "cannot hold '_'", "names are", 4},
  };
  for (const Bad& bad : cases) {
    const Result<Requirement> got = parse_requirement(bad.text);
    ASSERT_FALSE(got.has_value()) << bad.text;
    EXPECT_EQ(got.error().kind, bad.kind) << bad.text;
    EXPECT_NE(got.error().message.find(bad.message), std::string::npos)
        << bad.text << ": " << got.error().message;
    EXPECT_NE(got.error().hint.find(bad.hint), std::string::npos)
        << bad.text << ": " << got.error().hint;
    EXPECT_EQ(got.error().at.column, bad.column) << bad.text;
  }
}

TEST(DebianRequirement, RefusesWhatIsTooLong) {
  EXPECT_FALSE(parse_requirement(std::string(1U << 20U, 'a')).has_value());
}

RC_GTEST_PROP(DebianRequirement, ParsesWhatItPrints, ()) {
  const auto part = [](const std::string& lead, const std::string& letters) {
    return rc::gen::oneOf(
        rc::gen::just(std::string()),
        rc::gen::map(
            rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(letters))),
            [lead](const std::string& rest) { return lead + rest; }));
  };
  const std::string text = "ab" + *part("", "a0+.-") + *part(":", "amd64-") +
                           *part("=1", "01a.+~-:*") + *part("/", "a-.");
  const Result<Requirement> one = parse_requirement(text);
  RC_CLASSIFY(one.has_value(), "taken");
  if (one.has_value()) {
    RC_ASSERT(one->to_string() == text);
  }
}

RC_GTEST_PROP(DebianRequirement, NeverFailsOnBytes, (const std::string& bytes)) {
  const Result<Requirement> one = parse_requirement(bytes);
  if (!one.has_value()) {
    RC_ASSERT(!one.error().message.empty());
  }
}

}  // namespace
}  // namespace cloche::debian
