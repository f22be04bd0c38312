#include "package/debian/paragraph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::debian {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParagraphReader, ReadsFieldsAndContinuations) {
  const std::string text =
      "\n\nPackage: git\nVersion:1:2.39\nDescription: fast\n long text\n .\n more\n"
      "  \nPackage: curl\r\nConffiles:\n /etc/a 12\n\t/etc/b 34\n";
  ParagraphReader reader(text);
  Paragraph one;
  ASSERT_VALUE(first, reader.next(one));
  EXPECT_TRUE(first);
  EXPECT_EQ(one.line(), 3);
  EXPECT_EQ(one.value("package"), "git");
  EXPECT_EQ(one.value("VERSION"), "1:2.39");
  EXPECT_EQ(one.value("Description"), "fast\n long text\n .\n more");
  EXPECT_THAT(value_lines(one.value("Description")), ElementsAre("fast", "long text", ".", "more"));
  EXPECT_FALSE(one.has("Depends"));
  EXPECT_EQ(one.value("Depends"), "");
  ASSERT_VALUE(second, reader.next(one));
  EXPECT_TRUE(second);
  EXPECT_EQ(one.value("Package"), "curl");
  EXPECT_THAT(value_lines(one.value("Conffiles")), ElementsAre("/etc/a 12", "/etc/b 34"));
  EXPECT_THAT(value_words(one.value("Conffiles")), ElementsAre("/etc/a", "12", "/etc/b", "34"));
  ASSERT_VALUE(third, reader.next(one));
  EXPECT_FALSE(third);
}

TEST(ParagraphReader, CommentsCountOnlyWhereTheyAreAllowed) {
  const std::string text = "# a\nA: 1\n# b\nB: 2\n# c\n C\n";
  Paragraph one;
  ParagraphReader with(text, "", ParagraphReader::Comments::kYes);
  ASSERT_VALUE(more, with.next(one));
  EXPECT_TRUE(more);
  EXPECT_EQ(one.value("A"), "1");
  EXPECT_EQ(one.value("B"), "2\n# c\n C");
  EXPECT_FALSE(ParagraphReader(text).next(one).has_value());
}

TEST(ParagraphReader, RefusesWithTheLine) {
  struct Bad {
    std::string text;
    const char* message;
    int line;
  };
  std::string many;
  for (int i = 0; i <= 256; ++i) {
    many += "F" + std::to_string(i) + ": x\n";
  }
  const Bad cases[] = {{" begins\n", "continues no field", 1},
                       {"A: 1\nB\n", "no field", 2},
                       {"A: 1\n: 2\n", "no field's name", 2},
                       {"A: 1\n-B: 2\n", "no field's name", 2},
                       {"A: 1\nB b: 2\n", "no field's name", 2},
                       {"A: 1\n\nB: 1\na: 2\nA: 3\n", "twice", 5},
                       {many, "too many fields", 257}};
  for (const Bad& bad : cases) {
    ParagraphReader reader(bad.text, "status");
    Paragraph one;
    Result<bool> more = true;
    while (more.has_value() && *more) {
      more = reader.next(one);
    }
    ASSERT_FALSE(more.has_value()) << bad.text;
    EXPECT_THAT(more.error().message, HasSubstr(bad.message));
    EXPECT_EQ(more.error().at, (Location{"status", bad.line, 1}));
  }
}

}  // namespace
}  // namespace cloche::debian
