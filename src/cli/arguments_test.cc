#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "cli/command.h"
#include "core/testing.h"

namespace cloche::cli {
namespace {

struct Options {
  std::string file;
  std::optional<std::string> description;
  std::map<std::string, std::string> tags;
  std::vector<std::string> packages;
  bool force = false;
  bool quick = false;
  std::string format;
  std::string name;
  std::vector<std::string> rest;
};

constexpr std::array<Argument, 9> kArguments = {{
    {.name = "file", .letter = 'f', .value = "FILE", .field = kField<&Options::file>},
    {.name = "description", .value = "TEXT", .field = kField<&Options::description>},
    {.name = "tag", .value = "K=V", .field = kField<&Options::tags>},
    {.name = "apt", .letter = 'a', .value = "PACKAGE", .field = kField<&Options::packages>},
    {.name = "force", .letter = 'x', .field = kField<&Options::force>},
    {.name = "quick", .letter = 'q', .field = kField<&Options::quick>},
    {.name = "format", .value = "F", .choices = "conda|pip", .field = kField<&Options::format>},
    {.name = "NAME", .required = true, .field = kField<&Options::name>},
    {.name = "REST", .field = kField<&Options::rest>},
}};
constexpr Command kCommand = {.path = "env test", .arguments = kArguments};

Result<Options> parse(std::vector<std::string_view> words) {
  Options options;
  TRY(parse_arguments(kCommand, words, &options));
  return options;
}

void expect_usage(std::vector<std::string_view> words, const std::string& message,
                  const std::string& hint = "") {
  const auto result = parse(std::move(words));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(result.error().message, message);
  EXPECT_THAT(result.error().hint, testing::HasSubstr(hint));
}

TEST(ParseArguments, TakesValuesInEveryForm) {
  ASSERT_VALUE(options, parse({"-f", "a.yml", "n", "--description=", "-agit", "--apt=curl", "-a",
                               "jq", "-xq", "--tag", "k=v=w", "--tag=e="}));
  EXPECT_EQ(options.file, "a.yml");
  EXPECT_EQ(options.name, "n");
  EXPECT_EQ(options.description, "");
  EXPECT_THAT(options.packages, testing::ElementsAre("git", "curl", "jq"));
  EXPECT_TRUE(options.force && options.quick);
  EXPECT_THAT(options.tags,
              testing::ElementsAre(testing::Pair("e", ""), testing::Pair("k", "v=w")));
}

TEST(ParseArguments, TakesADashAndAnythingAfterTwoDashesAsTheyAre) {
  ASSERT_VALUE(options, parse({"-f", "-", "--", "--force", "-x", "--"}));
  EXPECT_EQ(options.file, "-");
  EXPECT_EQ(options.name, "--force");
  EXPECT_THAT(options.rest, testing::ElementsAre("-x", "--"));
  EXPECT_FALSE(options.force);
}

TEST(ParseArguments, NamesTheNearestOption) {
  expect_usage({"n", "--descripton", "x"}, "unknown option '--descripton' for cloche env test",
               "did you mean --description?");
  expect_usage({"n", "--desc=x"}, "unknown option '--desc' for cloche env test",
               "did you mean --description?");
  expect_usage({"n", "--outptu"}, "unknown option '--outptu' for cloche env test",
               "did you mean --output?");
  expect_usage({"n", "-z"}, "unknown option '-z' for cloche env test");
  expect_usage({"n", "--NAME=x"}, "unknown option '--NAME' for cloche env test");
}

TEST(ParseArguments, SaysWhatIsMissingOrTooMuch) {
  expect_usage({}, "the argument NAME is missing", "cloche env test --help");
  expect_usage({"n", "-f"}, "option --file needs a value", "--file FILE");
  expect_usage({"n", "-f", "--force"}, "option --file needs a value, but '--force' follows",
               "--file=VALUE");
  expect_usage({"n", "--force=yes"}, "option --force takes no value");
  expect_usage({"n", "--file", "a", "-f", "b"}, "--file is given twice");
  expect_usage({"n", "--tag", "novalue"}, "'novalue' is not of the form KEY=VALUE");
  expect_usage({"n", "--tag", "=v"}, "'=v' is not of the form KEY=VALUE");
}

TEST(ParseArguments, ChecksChoices) {
  expect_usage({"n", "--format", "cnoda"}, "'cnoda' is no value of --format",
               "did you mean conda?");
  expect_usage({"n", "--format", "docker"}, "'docker' is no value of --format",
               "one of: conda, pip");
}

TEST(ParseArguments, ShowsHostileWordsHarmlessly) {
  expect_usage({"n", "--\x1b[2J"}, "unknown option '--\\x1b[2J' for cloche env test");
}

RC_GTEST_PROP(ParseArguments, GivesBackAnyValueAfterAnEqualsSign, ()) {
  const auto text = *rc::gen::arbitrary<std::string>();
  const std::string word = "--description=" + text;
  const auto options = parse({"n", word});
  RC_ASSERT(options.has_value());
  RC_ASSERT(options->description == text);
}

RC_GTEST_PROP(ParseArguments, NeverFailsOtherwiseThanByUsage, ()) {
  const auto words = *rc::gen::arbitrary<std::vector<std::string>>();
  const auto options = parse({words.begin(), words.end()});
  const bool fine = options.has_value() || options.error().kind == ErrorKind::kUsage;
  RC_ASSERT(fine);
}

}  // namespace
}  // namespace cloche::cli
