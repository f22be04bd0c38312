#include "cli/help.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/global_options.h"
#include "core/testing.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

std::vector<std::string_view> words_of(std::string_view path) { return split(path, ' '); }

TEST(HelpMarkdown, IsTheManual) {
  expect_golden(std::string(CLOCHE_SOURCE_DIR) + "/docs/manual", "commands.md", help_markdown());
}

TEST(Commands, AreCompleteAndFound) {
  for (const Command* command : commands()) {
    SCOPED_TRACE(command->path);
    const auto words = words_of(command->path);
    ASSERT_VALUE(found, find_command(words));
    EXPECT_EQ(found.command, command);
    EXPECT_EQ(found.words, words.size());
    EXPECT_FALSE(command->summary.empty() || command->description.empty());
    EXPECT_FALSE(command->examples.empty());
    EXPECT_NE(command->run, nullptr);
    EXPECT_FALSE(command->summary.ends_with('.'));
    EXPECT_THAT(std::string(command->examples[0].command),
                testing::HasSubstr("cloche " + std::string(command->path)));
  }
}

TEST(Commands, HaveOptionsThatDoNotClash) {
  for (const Command* command : commands()) {
    SCOPED_TRACE(command->path);
    std::vector<std::string> names = {"--version", "-h", "-C"};
    for (const Argument& argument : global_arguments()) {
      names.push_back(shown_name(argument));
    }
    // `cloche --version` stands before any command, so a command's own --version is another one.
    std::erase(names, "--version");
    for (const Argument& argument : command->arguments) {
      EXPECT_NE(argument.field.assign, nullptr) << argument.name;
      EXPECT_FALSE(argument.help.empty() || argument.help.ends_with('.')) << argument.name;
      EXPECT_EQ(argument.is_positional() || argument.field.is_flag, argument.value.empty())
          << argument.name;
      names.push_back(shown_name(argument));
      if (argument.letter != 0) {
        names.push_back(std::string("-") + argument.letter);
      }
    }
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  }
}

// Two files may each have an Options in an unnamed namespace; see assign_member.
TEST(Commands, FillTheirOwnOptions) {
  std::map<decltype(Field::assign), const Argument*> owners;
  for (const Command* command : commands()) {
    for (const Argument& argument : command->arguments) {
      const auto [owner, is_new] = owners.emplace(argument.field.assign, &argument);
      EXPECT_TRUE(is_new || owner->second->help == argument.help)
          << command->path << " " << argument.name;
    }
  }
}

TEST(Commands, NameOnesThatExistBelowSeeAlso) {
  for (const Command* command : commands()) {
    for (const std::string_view one : split(command->see_also, ',')) {
      if (!trim(one).empty()) {
        EXPECT_TRUE(find_command(words_of(trim(one))).has_value()) << command->path << ": " << one;
      }
    }
  }
}

TEST(CommandHelp, FitsTheTerminal) {
  for (const Command* command : commands()) {
    for (const int width : {50, 72, 300}) {
      for (const std::string_view line :
           split_lines(command_help(*command, {.color = false, .width = width}))) {
        if (!line.starts_with("    $ ")) {  // examples are copied, so they stay on one line
          EXPECT_LE(display_width(line), static_cast<std::size_t>(std::min(width, 100) + 20))
              << line;
        }
      }
    }
  }
}

TEST(FindCommand, NamesTheNearest) {
  const auto hint = [](std::vector<std::string_view> words) {
    return find_command(words).error().hint;
  };
  EXPECT_EQ(hint({"env", "lst"}), "did you mean cloche env list?");
  EXPECT_EQ(hint({"evn"}), "did you mean cloche env?");
  EXPECT_EQ(hint({"lint"}), "did you mean cloche env lint?");
  EXPECT_EQ(hint({"xyzzy"}), "see: cloche --help");
  EXPECT_THAT(hint({"registry"}), testing::HasSubstr("create, list"));
  EXPECT_THAT(hint({"env", "frobnicate"}), testing::HasSubstr("one of: create, show"));
}

}  // namespace
}  // namespace cloche::cli
