#include "source/debian/dpkg_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

UnpackedPackage package(const std::string& name, const DebContents& contents) {
  UnpackedPackage out;
  out.record.name = name;
  out.record.architecture = "amd64";
  out.contents = &contents;
  return out;
}

TEST(UnpackedParagraph, IsTheControlFileWithWhatDpkgAdds) {
  DebContents contents;
  contents.control =
      "Package: hello\nVersion: 1\nStatus: hold ok installed\nArchitecture: amd64\n"
      "Description: says hello\n more\n .\n text\n";
  contents.conffiles = {{"/etc/hello", "d41d8cd98f00b204e9800998ecf8427e"}};
  EXPECT_EQ(unpacked_paragraph(package("hello", contents)),
            "Package: hello\nStatus: install ok unpacked\nVersion: 1\nArchitecture: amd64\n"
            "Description: says hello\n more\n .\n text\n"
            "Conffiles:\n /etc/hello d41d8cd98f00b204e9800998ecf8427e\n");
}

TEST(Triggers, InterestsJoinThoseThatAreThere) {
  DebContents contents;
  contents.triggers =
      "# a comment\ninterest-noawait /usr/share/man\ninterest ldconfig\nactivate-noawait x\n";
  UnpackedPackage one = package("a", contents);
  one.record.multi_arch = debian::MultiArch::kSame;
  ASSERT_VALUE(files, trigger_files({{"File", "/usr/lib b\n"}, {"other", "c\n"}}, {&one, 1}));
  EXPECT_THAT(files, ElementsAre(Pair("File", "/usr/lib b\n/usr/share/man a:amd64/noawait\n"),
                                 Pair("ldconfig", "a:amd64\n")));
  ASSERT_VALUE(again, trigger_files(files, {&one, 1}));
  EXPECT_THAT(again, ElementsAre());
}

TEST(Triggers, UnpackingActivatesThoseOfOthers) {
  DebContents contents;
  contents.triggers = "activate-noawait ldconfig\nactivate nobody-wants\n";
  contents.paths = {{.path = "usr/share/man/man1/a.1.gz"}};
  const UnpackedPackage one = package("a", contents);
  ASSERT_VALUE(text, activated_triggers({{"File", "/usr/share/man man-db\n/usr/share/x y\n"},
                                         {"ldconfig", "libc-bin\n"}},
                                        {&one, 1}));
  EXPECT_EQ(text, "/usr/share/man -\nldconfig -\n");
}

TEST(Triggers, RefuseWhatIsNoDirective) {
  for (const char* line :
       {"interest", "interested x", "activate ../x", "interest a b", "interest File"}) {
    DebContents contents;
    contents.triggers = line;
    EXPECT_FALSE(read_interests(package("a", contents))) << line;
  }
}

TEST(UnpackOrder, NeedsComeFirst) {
  const DebContents none;
  std::vector<UnpackedPackage> all = {package("a", none), package("b", none), package("c", none),
                                      package("base-passwd", none)};
  all[0].record.depends = "b (>= 1) | x, c";
  all[1].record.depends = "a";
  all[2].record.pre_depends = "b";
  EXPECT_THAT(unpack_order(all), ElementsAre(3, 1, 2, 0));
}

}  // namespace
}  // namespace cloche::source
