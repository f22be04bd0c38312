#include "cli/progress_display.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing.h"
#include "core/testing.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

using testing::HasSubstr;

class ProgressTest : public testing::Test {
 protected:
  std::string taken() { return std::exchange(terminal_.err_text, ""); }

  MemoryTerminal terminal_;
  FakeClock clock_;
};

TEST_F(ProgressTest, DrawsALineForEachActivityAndTakesItAway) {
  terminal_.style.width = 100;
  ProgressDisplay display(terminal_, clock_, ProgressForm::kDrawn);
  display.begin("downloading", 27'000'000, Progress::Unit::kBytes);
  display.begin("solving", 0, Progress::Unit::kNone);
  EXPECT_EQ(taken(), "") << "what is done at once is not drawn";
  clock_.advance_ms(500);
  display.advance("downloading", 12'300'000, "numpy.conda");
  EXPECT_EQ(taken(),
            "downloading  [#########...........]   45%  12.3 MB of 27.0 MB  24.6 MB/s  1 s left  "
            "numpy.conda\n"
            "solving      0.5 s\n");
  clock_.advance_ms(50);
  display.advance("downloading", 1, "numpy.conda");
  EXPECT_EQ(taken(), "") << "ten times a second at most";
  clock_.advance_ms(100);
  display.end("solving");
  EXPECT_EQ(taken().substr(0, 8), "\x1b[2A\r\x1b[J");
  display.end("downloading");
  EXPECT_EQ(taken(), "\x1b[1A\r\x1b[J");
}

TEST_F(ProgressTest, WhatIsWorkedOnAtOnceHasLinesOfItsOwn) {
  terminal_.style.width = 100;
  ProgressDisplay display(terminal_, clock_, ProgressForm::kDrawn);
  display.begin("downloading", 30'000'000, Progress::Unit::kBytes);
  display.advance("downloading", 0, "numpy.conda");
  display.advance("downloading", 0, "scipy.conda");
  clock_.advance_ms(1000);
  display.advance("downloading", 4'000'000, "numpy.conda");
  clock_.advance_ms(1000);
  taken();
  display.advance("downloading", 6'000'000, "scipy.conda");
  EXPECT_THAT(taken(), HasSubstr("downloading  [######..............]   33%  10.0 MB of 30.0 MB  "
                                 "5.0 MB/s  4 s left\n"
                                 "  numpy.conda  4.0 MB  2.0 MB/s\n"
                                 "  scipy.conda  6.0 MB  3.0 MB/s\n"));
  clock_.advance_ms(1000);
  display.advance("downloading", 1'000'000, "scipy.conda");
  const std::string alone = taken();
  EXPECT_TRUE(alone.ends_with("left  scipy.conda\n")) << alone;
  EXPECT_EQ(alone.find("numpy"), std::string::npos) << alone;
}

TEST_F(ProgressTest, NeverWritesMoreThanTheTerminalIsWide) {
  ProgressDisplay display(terminal_, clock_, ProgressForm::kDrawn);
  display.begin("downloading", 100, Progress::Unit::kItems);
  for (const int width : {1, 8, 20, 41, 60, 80, 300}) {
    terminal_.style.width = width;
    clock_.advance_ms(1000);
    display.advance(
        "downloading", 1,
        "\xe6\xbc\xa2\xe5\xad\x97-very-long-name-of-a-package-1.0-h0_0.conda\x1b[31m\n");
    std::string text = taken();
    text.erase(0, text.starts_with("\x1b") ? text.find('J') + 1 : 0);
    ASSERT_EQ(std::ranges::count(text, '\n'), 1) << text;
    text.pop_back();
    EXPECT_LT(display_width(text), static_cast<std::size_t>(std::max(width, 2)));
    EXPECT_EQ(text, printable(text));
  }
}

TEST_F(ProgressTest, PutsNotesAboveWhatIsDrawn) {
  terminal_.style.width = 80;
  ProgressDisplay display(terminal_, clock_, ProgressForm::kDrawn);
  display.begin("solving", 0, Progress::Unit::kNone);
  clock_.advance_ms(1000);
  display.advance("solving", 0, "");
  taken();
  display.note("conda-forge is not reachable");
  EXPECT_EQ(taken(), "\x1b[1A\r\x1b[Jconda-forge is not reachable\n");
  clock_.advance_ms(1000);
  display.advance("solving", 0, "");
  EXPECT_EQ(taken(), "solving  2.0 s\n");
  display.clear();
  EXPECT_EQ(taken(), "\x1b[1A\r\x1b[J");
}

TEST_F(ProgressTest, HasColourOnlyWhereTheStyleHas) {
  terminal_.style = {.color = true, .width = 80};
  ProgressDisplay display(terminal_, clock_, ProgressForm::kDrawn);
  display.begin("solving", 0, Progress::Unit::kNone);
  clock_.advance_ms(1000);
  display.advance("solving", 0, "");
  EXPECT_EQ(taken(), "\x1b[1msolving\x1b[0m  1.0 s\n");
}

TEST_F(ProgressTest, TellsALogNowAndThen) {
  ProgressDisplay display(terminal_, clock_, ProgressForm::kLines);
  display.begin("downloading", 40, Progress::Unit::kItems);
  for (int i = 0; i < 40; ++i) {
    clock_.advance_ms(100);
    display.advance("downloading", 1, "numpy.conda");
  }
  EXPECT_EQ(taken(), "downloading: 30 of 40 (75%): numpy.conda\n");
  display.note("a\x1b[31m fact");
  EXPECT_EQ(taken(), "a\\x1b[31m fact\n");
  display.end("downloading");
  EXPECT_EQ(taken(), "downloading: 40 done in 4.0 s\n");
  display.begin("solving", 0, Progress::Unit::kNone);
  display.end("solving");
  EXPECT_EQ(taken(), "") << "what was quick is not worth a line";
}

TEST_F(ProgressTest, TellsProgramsJson) {
  ProgressDisplay display(terminal_, clock_, ProgressForm::kJson);
  display.begin("downloading", 0, Progress::Unit::kBytes);
  display.begin("downloading", 50, Progress::Unit::kBytes);
  display.advance("downloading", 10, "a");
  clock_.advance_ms(1500);
  display.advance("downloading", 30, "b");
  display.end("downloading");
  display.note("again");
  const auto lines = split_lines(terminal_.err_text);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(
      lines[0],
      "{\"progress\":\"downloading\",\"done\":40,\"total\":50,\"unit\":\"bytes\",\"item\":\"b\","
      "\"elapsed_ms\":1500,\"ended\":false}");
  EXPECT_THAT(std::string(lines[1]), HasSubstr("\"ended\":true"));
  EXPECT_THAT(std::string(lines[2]), HasSubstr("\"severity\":\"note\""));
}

TEST_F(ProgressTest, AnyThreadMayReport) {
  ProgressDisplay display(terminal_, clock_, ProgressForm::kJson);
  display.begin("downloading", 4000, Progress::Unit::kItems);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&display] {
        for (int k = 0; k < 1000; ++k) {
          display.advance("downloading", 1, "x");
        }
      });
    }
  }
  display.end("downloading");
  EXPECT_THAT(terminal_.err_text, HasSubstr("\"done\":4000,"));
}

TEST_F(ProgressTest, AnEndWithoutABeginIsNothing) {
  ProgressDisplay display(terminal_, clock_, ProgressForm::kDrawn);
  display.end("downloading");
  EXPECT_EQ(taken(), "");
}

}  // namespace
}  // namespace cloche::cli
