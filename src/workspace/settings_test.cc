#include "workspace/settings.h"

#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::workspace {
namespace {

TEST(Settings, AMissingOrEmptyFileMeansTheDefaults) {
  MemoryFiles files;
  files.add("w/other", "");
  EXPECT_EQ(read_settings("w", files).value().read_options.default_channels,
            definition::ReadOptions().default_channels);
  EXPECT_EQ(parse_settings("# nothing\n", "s").value().user, "");
}

TEST(Settings, ReadsEachKey) {
  MemoryFiles files;
  files.add("w/settings.yaml",
            "default_image: debian:12-slim\n"
            "default_channels: [conda-forge, https://conda.example.com/team]\n"
            "user: ada\n");
  ASSERT_VALUE(settings, read_settings("w", files));
  EXPECT_EQ(settings.read_options.default_image, "debian:12-slim");
  EXPECT_EQ(settings.read_options.default_channels,
            (std::vector<std::string>{"conda-forge", "https://conda.example.com/team"}));
  EXPECT_EQ(settings.user, "ada");
  EXPECT_TRUE(settings.diagnostics.empty());
}

TEST(Settings, WarnsOfAnUnknownKeyWithTheNearest) {
  ASSERT_VALUE(settings, parse_settings("default_chanels: [x]\n", "settings.yaml"));
  ASSERT_EQ(settings.diagnostics.list().size(), 1U);
  EXPECT_EQ(settings.diagnostics.list()[0].hint, "did you mean default_channels?");
  EXPECT_EQ(settings.diagnostics.list()[0].at.line, 1);
}

TEST(Settings, NamesTheLineThatIsWrong) {
  for (const char* text :
       {"user: x\ndefault_channels: conda-forge\n", "user: x\ndefault_channels: []\n",
        "user: x\ndefault_channels:\n- [a]\n", "user: x\ndefault_image: 'UPPER case'\n",
        "user: x\ndefault_image: [a]\n"}) {
    const auto result = parse_settings(text, "settings.yaml");
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid) << text;
    EXPECT_EQ(result.error().at.file, "settings.yaml") << text;
    EXPECT_GE(result.error().at.line, 2) << text;
    EXPECT_NE(result.error().hint, "") << text;
    EXPECT_NE(result.error().excerpt, "") << text;
  }
  EXPECT_FALSE(parse_settings("- a\n", "s").has_value());
}

}  // namespace
}  // namespace cloche::workspace
