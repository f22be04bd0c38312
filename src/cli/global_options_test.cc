#include "cli/global_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::cli {
namespace {

using testing::ElementsAre;

TEST(TakeGlobalOptions, FindsThemBeforeAndAfterTheCommand) {
  GlobalOptions options;
  const std::vector<std::string_view> words = {
      "-C", "a", "env", "show", "x", "-Cb", "--output=json", "--workspace", "w"};
  ASSERT_VALUE(rest, take_global_options(words, options));
  EXPECT_THAT(rest, ElementsAre("env", "show", "x"));
  EXPECT_THAT(options.directory, ElementsAre("a", "b"));
  EXPECT_EQ(options.output, "json");
  EXPECT_EQ(options.workspace, "w");
}

TEST(TakeGlobalOptions, LetsTheLastOneWin) {
  GlobalOptions options;
  const std::vector<std::string_view> words = {"--output", "json", "--output", "yaml"};
  ASSERT_TRUE(take_global_options(words, options).has_value());
  EXPECT_EQ(options.output, "yaml");
}

TEST(TakeGlobalOptions, LeavesWhatFollowsTwoDashes) {
  GlobalOptions options;
  const std::vector<std::string_view> words = {"env", "--", "--output", "-h"};
  ASSERT_VALUE(rest, take_global_options(words, options));
  EXPECT_THAT(rest, ElementsAre("env", "--", "--output", "-h"));
  EXPECT_FALSE(options.help);
}

TEST(TakeGlobalOptions, RefusesOtherFormatsAndMissingValues) {
  GlobalOptions options;
  const std::vector<std::string_view> wrong = {"--output", "jsn"};
  const auto result = take_global_options(wrong, options);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().hint, "did you mean json?");
  const std::vector<std::string_view> missing = {"env", "--workspace"};
  EXPECT_EQ(take_global_options(missing, options).error().kind, ErrorKind::kUsage);
  const std::vector<std::string_view> valued = {"--help=yes"};
  EXPECT_EQ(take_global_options(valued, options).error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace cloche::cli
