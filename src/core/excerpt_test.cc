#include "core/excerpt.h"

#include <gtest/gtest.h>

namespace cloche {
namespace {

TEST(Excerpts, FillsOnlyItsOwnFileAndOnlyOnce) {
  const Excerpts excerpts("one\r\ntwo\n", "a.yml");
  Error here = fail(ErrorKind::kInvalid, "x").with_location({"a.yml", 2, 1});
  Error elsewhere = fail(ErrorKind::kInvalid, "x").with_location({"b.yml", 2, 1});
  Error known = fail(ErrorKind::kInvalid, "x").with_location({"a.yml", 2, 1}, "kept");
  excerpts.fill(here);
  excerpts.fill(elsewhere);
  excerpts.fill(known);
  EXPECT_EQ(here.excerpt, "two");
  EXPECT_EQ(elsewhere.excerpt, "");
  EXPECT_EQ(known.excerpt, "kept");
}

TEST(Excerpts, KnowsWhereTheTextEnds) {
  const Excerpts excerpts("one\r\ntwo", "a.yml");
  EXPECT_EQ(excerpts.line(1), "one");
  EXPECT_EQ(excerpts.line(2), "two");
  for (const int number : {-1, 0, 3}) {
    EXPECT_EQ(excerpts.line(number), "");
  }
}

TEST(Excerpts, AddsLinesToDiagnostics) {
  const Excerpts excerpts("one\ntwo\n", "a.yml");
  Diagnostics from;
  from.warn("rule", {"a.yml", 1, 2}, "message");
  Diagnostics to;
  excerpts.append(from, to);
  ASSERT_EQ(to.list().size(), 1U);
  EXPECT_EQ(to.list()[0].excerpt, "one");
}

}  // namespace
}  // namespace cloche
