#include "source/debian/solve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "source/debian/solve_testing.h"

namespace cloche::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SolveDebian, TakesFirstAlternativesAndWhatIsThere) {
  SmallArchive archive;
  archive.add("app", "1", "Depends: mta | mail-agent, perl:any, libc (>= 2.35)\n")
      .add("exim", "4", "Provides: mail-agent\nPriority: important\n")
      .add("postfix", "3", "Provides: mail-agent\n")
      .add("perl", "5", "Multi-Arch: allowed\n")
      .add("libc", "2.36");
  archive.install("libc", "2.30");
  EXPECT_THAT(archive.solve({"app"}), ElementsAre("app=1", "exim=4", "libc=2.36", "perl=5"));
  archive.install("postfix", "3", "Provides: mail-agent\n");
  EXPECT_THAT(archive.solve({"app"}), ElementsAre("app=1", "libc=2.36", "perl=5"));
  EXPECT_THAT(archive.solve({"libc"}), ElementsAre("libc=2.36"));
  EXPECT_THAT(archive.solve({"libc=2.30"}), IsEmpty());
}

TEST(SolveDebian, KeepsTheVersionOfTheBaseWhereItDoes) {
  SmallArchive archive;
  archive.add("app", "1", "Depends: lib (>= 1)\n").add("lib", "2");
  archive.install("lib", "1");
  EXPECT_THAT(archive.solve({"app"}), ElementsAre("app=1"));
}

TEST(SolveDebian, UpgradesWhatComesFromTheSameSource) {
  SmallArchive archive;
  archive.add("dev", "2", "Source: src\nDepends: lib (= 2)\n")
      .add("lib", "2", "Source: src\n")
      .add("tools", "2", "Source: src\n");
  archive.install("lib", "1", "Source: src\n").install("tools", "1", "Source: src\n");
  EXPECT_THAT(archive.solve({"dev"}), ElementsAre("dev=2", "lib=2", "tools=2"));
}

TEST(SolveDebian, FindsWhatAptsWayDoesNot) {
  SmallArchive archive;
  // The newest library does not go with the pinned program.
  archive.add("app", "1", "Depends: lib (= 1)\n")
      .add("app", "2", "Depends: lib (= 2)\n")
      .add("lib", "1")
      .add("lib", "2");
  EXPECT_THAT(archive.solve({"app"}), ElementsAre("app=2", "lib=2"));
  EXPECT_THAT(archive.solve({"app=1"}), ElementsAre("app=1", "lib=1"));
  EXPECT_THAT(archive.solve({"app=1*", "lib"}), ElementsAre("app=1", "lib=1"));
}

TEST(SolveDebian, RemovesOnlyWhatStandsInTheWay) {
  SmallArchive archive;
  archive.add("new", "1", "Conflicts: old\n");
  archive.install("old", "1").install("needs-old", "1", "Depends: old\n").install("other", "1");
  EXPECT_THAT(archive.solve({"new"}), ElementsAre("new=1", "-needs-old", "-old"));
  archive.install("vital", "1", "Essential: yes\nDepends: old\n");
  EXPECT_THAT(archive.solve({"new"}), ElementsAre(HasSubstr("Conflict")));
}

TEST(SolveDebian, HonoursBreaksProvidesAndSelfConflicts) {
  SmallArchive archive;
  archive.add("aa", "1", "Depends: bb, virtual (>= 2)\nBreaks: bb (<< 2)\n")
      .add("bb", "1")
      .add("bb", "2", "Provides: service\nConflicts: service\n")
      .add("p1", "1", "Provides: virtual (= 1)\n")
      .add("p2", "1", "Provides: virtual (= 2)\nConflicts: p1\n");
  EXPECT_THAT(archive.solve({"aa"}), ElementsAre("aa=1", "bb=2", "p2=1"));
  EXPECT_THAT(archive.solve({"p1", "aa"}), ElementsAre(HasSubstr("p1")));
}

TEST(SolveDebian, PrefersPrioritiesOfArchivesAndNamedSuites) {
  SmallArchive archive;
  archive.add("git", "1").add("lib", "1");
  archive.next_source("bookworm-backports", 100);
  archive.add("git", "2", "Depends: lib (>= 2)\n").add("lib", "2");
  EXPECT_THAT(archive.solve({"git"}), ElementsAre("git=1"));
  EXPECT_THAT(archive.solve({"git/bookworm-backports"}), ElementsAre("git=2", "lib=2"));
  EXPECT_THAT(archive.solve({"git/bullseye"}), ElementsAre(HasSubstr("no suite bullseye")));
}

TEST(SolveDebian, MakesABaseOfEssentialPackages) {
  SmallArchive archive;
  archive.add("bash", "5", "Essential: yes\nPre-Depends: libc\n")
      .add("libc", "2")
      .add("cron", "3", "Priority: important\n")
      .add("doc", "1", "Priority: standard\n")
      .add("game", "1");
  DebianRequest request;
  request.essential = true;
  EXPECT_THAT(archive.solve(request), ElementsAre("bash=5", "libc=2"));
  request.priority = debian::Priority::kImportant;
  EXPECT_THAT(archive.solve(request), ElementsAre("bash=5", "cron=3", "libc=2"));
}

TEST(SolveDebian, SaysWhatIsMissing) {
  SmallArchive archive;
  archive.add("python3-numpy", "1", "Provides: numpy-abi\n")
      .add("other", "1", "Provides: numpy-abi, only\n")
      .add("broken", "1", "Depends: libfoo (>= 2)\n")
      .add("libfoo", "1");
  EXPECT_THAT(archive.solve({"python3-numpi"}),
              ElementsAre(HasSubstr("did you mean python3-numpy?")));
  EXPECT_THAT(archive.solve({"other=2"}), ElementsAre(HasSubstr("the archive has 1")));
  EXPECT_THAT(archive.solve({"numpy-abi"}),
              ElementsAre(HasSubstr("choose one: other or python3-numpy")));
  EXPECT_THAT(archive.solve({"only"}), ElementsAre("other=1"));
  EXPECT_THAT(archive.solve({"other:i386"}), ElementsAre(HasSubstr("another architecture")));
  EXPECT_THAT(archive.solve({"broken"}),
              ElementsAre(HasSubstr("nothing fits libfoo (>= 2): there is libfoo 1")));
}

TEST(SolveDebian, KeepsWhatWasLocked) {
  SmallArchive archive;
  archive.add("git", "1").add("git", "2");
  archive.favour("git", "1");
  EXPECT_THAT(archive.solve({"git"}), ElementsAre("git=1"));
}

}  // namespace
}  // namespace cloche::source
