#include "definition/alignment.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cloche::definition {
namespace {

using Keys = std::vector<std::string>;

// "-a" removed, "+a" added, "~a" moved, "a>b" changed, "a" stayed.
std::string show(const std::vector<Edit>& edits, const Keys& before, const Keys& after) {
  std::string out;
  for (const Edit& edit : edits) {
    out += out.empty() ? "" : " ";
    if (!edit.kind) {
      out += before[*edit.before];
    } else if (edit.kind == ChangeKind::kChanged) {
      out += before[*edit.before] + ">" + after[*edit.after];
    } else if (edit.kind == ChangeKind::kRemoved) {
      out += "-" + before[*edit.before];
    } else {
      out += (edit.kind == ChangeKind::kAdded ? "+" : "~") + after[*edit.after];
    }
  }
  return out;
}

std::string aligned(const Keys& before, const Keys& after) {
  return show(align(before, after), before, after);
}

std::string joined(const Keys& before, const Keys& after) {
  return show(join_changed(align(before, after)), before, after);
}

TEST(Align, TellsAddedRemovedAndMoved) {
  EXPECT_EQ(aligned({}, {}), "");
  EXPECT_EQ(aligned({"a", "b", "c"}, {"a", "b", "c"}), "a b c");
  EXPECT_EQ(aligned({"a", "c"}, {"a", "b", "c"}), "a +b c");
  EXPECT_EQ(aligned({"a", "b", "c"}, {"a", "c"}), "a -b c");
  EXPECT_EQ(aligned({"a", "b", "c"}, {"c", "a", "b"}), "~c a b");
  EXPECT_EQ(aligned({"a", "b"}, {"c", "d"}), "-a -b +c +d");
}

TEST(Align, MatchesRepeatedKeysInOrder) {
  EXPECT_EQ(aligned({"a", "a", "b"}, {"a", "b", "a"}), "a b ~a");
  EXPECT_EQ(aligned({"a", "a"}, {"a"}), "a -a");
}

TEST(JoinChanged, PairsWhatStandsInTheSamePlace) {
  EXPECT_EQ(joined({"a", "b", "c"}, {"a", "x", "c"}), "a b>x c");
  EXPECT_EQ(joined({"a", "b", "c"}, {"a", "x", "y", "c"}), "a b>x +y c");
  EXPECT_EQ(joined({"a", "b", "c"}, {"x"}), "a>x -b -c");
  EXPECT_EQ(joined({"a", "b"}, {"b", "x"}), "-a b +x");
}

Keys letters() {
  return *rc::gen::container<Keys>(rc::gen::element<std::string>("a", "b", "c", "d", "e"));
}

RC_GTEST_PROP(Align, CoversEveryIndexOnce, ()) {
  const Keys before = letters();
  const Keys after = letters();
  std::vector<std::size_t> seen_before;
  std::vector<std::size_t> seen_after;
  for (const Edit& edit : join_changed(align(before, after))) {
    if (edit.before) {
      seen_before.push_back(*edit.before);
    }
    if (edit.after) {
      seen_after.push_back(*edit.after);
    }
    const bool same_key = edit.before && edit.after && before[*edit.before] == after[*edit.after];
    RC_ASSERT(same_key == (!edit.kind || edit.kind == ChangeKind::kMoved));
  }
  std::ranges::sort(seen_before);
  std::ranges::sort(seen_after);
  RC_ASSERT(seen_before.size() == before.size());
  RC_ASSERT(seen_after.size() == after.size());
  RC_ASSERT(std::ranges::adjacent_find(seen_before) == seen_before.end());
  RC_ASSERT(std::ranges::adjacent_find(seen_after) == seen_after.end());
}

RC_GTEST_PROP(Align, FindsNothingBetweenEqualsAndSomethingElsewhere, ()) {
  const Keys before = letters();
  const Keys after = letters();
  const auto stays = [](const Edit& edit) { return !edit.kind; };
  RC_ASSERT(std::ranges::all_of(align(before, before), stays));
  RC_ASSERT(std::ranges::all_of(align(before, after), stays) == (before == after));
}

}  // namespace
}  // namespace cloche::definition
