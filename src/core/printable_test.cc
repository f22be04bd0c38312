#include <gtest/gtest.h>

#include "core/location.h"
#include "core/text.h"

namespace cloche {
namespace {

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable("caf\xc3\xa9 \xe6\xa2\x85\t\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac"),
            "caf\xc3\xa9 \xe6\xa2\x85\t\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac");
}

TEST(Printable, ShowsEscapeSequences) {
  EXPECT_EQ(printable("\x1b[2Jx\a\r\n\x7f"), "\\x1b[2Jx\\x07\\x0d\\x0a\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, ShowsControlsOutsideAscii) {
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\u{9b}2J");
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\u{202e}b");
  EXPECT_EQ(printable("\xef\xbb\xbf"
                      "name"),
            "\\u{feff}name");
}

TEST(Printable, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\x9b"
                      "1;31m\xff"),
            "\\x9b1;31m\\xff");
  EXPECT_EQ(printable("\xe6\xa2"), "\\xe6\\xa2");  // cut short
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");  // overlong
}

TEST(PrintableLines, KeepsLineFeedsOnly) {
  EXPECT_EQ(printable_lines("a\nb\r\n\x1b"), "a\nb\\x0d\n\\x1b");
}

TEST(Masked, KeepsTheColumns) { EXPECT_EQ(masked("a\tb\x1b[0m\xff\xe2\x80\xae."), "a b?[0m??."); }

TEST(DisplayWidth, CountsColumnsOfATerminal) {
  EXPECT_EQ(display_width("caf\xc3\xa9"), 4U);
  EXPECT_EQ(display_width("\xe6\xa2\x85"), 2U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);
}

TEST(CaretExcerpt, PointsBelowTheColumnAfterWideAndHostileText) {
  EXPECT_EQ(caret_excerpt({"f", 3, 6}, "\xc3\xa9\x1b: x"), "    3 | \xc3\xa9?: x\n      |     ^");
  EXPECT_EQ(caret_excerpt({"f", 1, 9}, "ab"), "    1 | ab\n      |   ^");
}

}  // namespace
}  // namespace cloche
