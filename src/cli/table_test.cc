#include "cli/table.h"

#include <gtest/gtest.h>

#include "core/text.h"

namespace cloche::cli {
namespace {

Table small_table() {
  Table table({"NAME", "DESCRIPTION"});
  table.add({"train", "what the spring paper was made with"});
  table.add({"caf\xc3\xa9-\xe6\xa2\x85", ""});
  return table;
}

TEST(Table, AlignsColumnsByWhatATerminalShows) {
  EXPECT_EQ(small_table().render({}),
            "NAME     DESCRIPTION\n"
            "train    what the spring paper was made with\n"
            "caf\xc3\xa9-\xe6\xa2\x85\n");
}

TEST(Table, CutsTheLastColumnOnATerminalOnly) {
  EXPECT_EQ(small_table().render({.color = false, .width = 25}),
            "NAME     DESCRIPTION\n"
            "train    what the spri...\n"
            "caf\xc3\xa9-\xe6\xa2\x85\n");
}

TEST(Table, CutsBetweenCharacters) {
  Table table({"A"});
  table.add({"\xe6\xa2\x85\xe6\xa2\x85\xe6\xa2\x85\xe6\xa2\x85\xe6\xa2\x85\xe6\xa2\x85"});
  const std::string text = table.render({.color = false, .width = 10});
  EXPECT_EQ(text, "A\n\xe6\xa2\x85\xe6\xa2\x85\xe6\xa2\x85...\n");
  EXPECT_TRUE(is_valid_utf8(text));
}

TEST(Table, ShowsHostileCellsHarmlessly) {
  Table table({"A", "B"});
  table.add({"\x1b]0;owned\x07", "two\nlines"});
  EXPECT_EQ(table.render({}), "A                 B\n\\x1b]0;owned\\x07  two\\x0alines\n");
}

TEST(Table, MarksHeadersWhereColourIs) {
  Table table({"A"});
  EXPECT_EQ(table.render({.color = true, .width = 80}), "\x1b[1mA\x1b[0m\n");
}

TEST(Sheet, AlignsValuesAndLeavesOutWhatIsEmpty) {
  Sheet sheet;
  sheet.add("name", "train");
  sheet.add("description", "");
  sheet.add("channels", std::vector<std::string>{"conda-forge", "defaults"});
  sheet.add("text", "one\n\ntwo\x1b");
  EXPECT_EQ(sheet.render({}),
            "name      train\n"
            "channels  conda-forge\n"
            "          defaults\n"
            "text      one\n"
            "\n"
            "          two\\x1b\n");
}

}  // namespace
}  // namespace cloche::cli
