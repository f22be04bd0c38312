#include "source/debian/apt_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> shown(const std::vector<AptSource>& sources) {
  std::vector<std::string> out;
  for (const AptSource& one : sources) {
    std::string text = one.uri + " " + one.suite;
    for (const std::string& component : one.components) {
      text += " " + component;
    }
    out.push_back(std::move(text));
  }
  return out;
}

TEST(AptSources, ReadsOneLineSources) {
  Diagnostics diagnostics;
  ASSERT_VALUE(sources,
               parse_apt_sources("# comment\n"
                                 "deb http://deb.debian.org/debian/ bookworm main contrib # x\n"
                                 "deb-src http://deb.debian.org/debian bookworm main\n"
                                 "deb [arch=amd64,arm64 signed-by=/k/a.gpg,ABCDEF0123456789! "
                                 "check-valid-until=no trusted=yes] file:///srv/apt ./\n"
                                 "deb cdrom:[Debian]/ bookworm main\n",
                                 "sources.list", diagnostics));
  EXPECT_THAT(shown(sources), ElementsAre("http://deb.debian.org/debian bookworm main contrib",
                                          "file:///srv/apt ./"));
  EXPECT_THAT(sources[1].architectures, ElementsAre("amd64", "arm64"));
  EXPECT_THAT(sources[1].keyrings, ElementsAre("/k/a.gpg"));
  EXPECT_THAT(sources[1].fingerprints, ElementsAre("ABCDEF0123456789"));
  EXPECT_TRUE(sources[1].trusted);
  EXPECT_FALSE(sources[1].check_valid_until);
  EXPECT_EQ(sources[1].at, (Location{"sources.list", 4, 1}));
  ASSERT_EQ(diagnostics.list().size(), 1U);
  EXPECT_EQ(diagnostics.list()[0].rule, "apt-source-method");
}

TEST(AptSources, ReadsParagraphs) {
  Diagnostics diagnostics;
  ASSERT_VALUE(sources, parse_apt_sources("# c\nTypes: deb deb-src\n# http://snapshot\n"
                                          "URIs: http://a/debian http://b/debian\n"
                                          "Suites: bookworm\n# not this\n bookworm-updates\n"
                                          "Components: main\nSigned-By:\n"
                                          " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n"
                                          " -----END PGP PUBLIC KEY BLOCK-----\n\n"
                                          "Types: deb\nEnabled: no\nURIs: http://c\nSuites: x\n"
                                          "Components: main\n",
                                          "debian.sources", diagnostics));
  EXPECT_THAT(
      shown(sources),
      ElementsAre("http://a/debian bookworm main", "http://a/debian bookworm-updates main",
                  "http://b/debian bookworm main", "http://b/debian bookworm-updates main"));
  EXPECT_THAT(sources[0].key_block, HasSubstr("BLOCK-----\n\nabcd\n"));
  EXPECT_EQ(sources[0].at.line, 2);
}

TEST(AptSources, RefusesWithTheLine) {
  struct Bad {
    const char* text;
    const char* file;
    const char* message;
    int line;
  };
  const Bad cases[] = {
      {"rpm http://a b c\n", "x.list", "begins with deb", 1},
      {"\ndeb http://a\n", "x.list", "needs a URI and a suite", 2},
      {"deb http://a bookworm\n", "x.list", "components are missing", 1},
      {"deb http://a ./ main\n", "x.list", "has no components", 1},
      {"deb [arch=amd64 http://a b c\n", "x.list", "']' is missing", 1},
      {"deb [x] http://a b c\n", "x.list", "NAME=VALUE", 1},
      {"Types: deb\nSuites: a\n", "x.sources", "needs URIs and Suites", 1},
      {"Types: deb\nnonsense\n", "x.sources", "no field", 2},
  };
  for (const Bad& bad : cases) {
    Diagnostics diagnostics;
    const auto result = parse_apt_sources(bad.text, bad.file, diagnostics);
    ASSERT_FALSE(result.has_value()) << bad.text;
    EXPECT_THAT(result.error().message, HasSubstr(bad.message));
    EXPECT_EQ(result.error().at.line, bad.line) << bad.text;
    EXPECT_EQ(result.error().at.file, bad.file);
  }
  std::string many = "Types: deb\nURIs: http://a\nComponents: main\nSuites:";
  for (int i = 0; i <= 1000; ++i) {
    many += " s" + std::to_string(i);
  }
  Diagnostics diagnostics;
  EXPECT_THAT(parse_apt_sources(many, "x.sources", diagnostics).error().message,
              HasSubstr("too many"));
}

TEST(AptSources, OfAMachineStandInAptsOrder) {
  MemoryFiles files;
  files.add("/etc/apt/sources.list", "deb http://a bookworm main\n")
      .add("/etc/apt/sources.list.d/z.list", "deb http://z bookworm main\n")
      .add("/etc/apt/sources.list.d/m.sources",
           "Types: deb\nURIs: http://m\nSuites: s\nComponents: c\n")
      .add("/etc/apt/sources.list.d/old.list.save", "deb http://no bookworm main\n");
  Diagnostics diagnostics;
  ASSERT_VALUE(sources, machine_apt_sources(files, "/etc/apt", diagnostics));
  EXPECT_THAT(shown(sources),
              ElementsAre("http://a bookworm main", "http://m s c", "http://z bookworm main"));
  ASSERT_VALUE(none, machine_apt_sources(files, "/nowhere", diagnostics));
  EXPECT_THAT(none, IsEmpty());
  EXPECT_TRUE(diagnostics.empty());
}

TEST(AptSources, OfAMachineWithPinsComeWithAWarning) {
  MemoryFiles files;
  files.add("/etc/apt/preferences.d/mine", "# Pin: not this\nPackage: git\nPin: release n=sid\n");
  Diagnostics diagnostics;
  ASSERT_TRUE(machine_apt_sources(files, "/etc/apt", diagnostics));
  ASSERT_EQ(diagnostics.list().size(), 1U);
  EXPECT_EQ(diagnostics.list()[0].at.to_string(), "/etc/apt/preferences.d/mine:3");
}

TEST(AptSources, OfAnotherReleaseAreTheMachinesWithItsName) {
  Diagnostics diagnostics;
  ASSERT_VALUE(machine, parse_apt_sources("deb http://mirror/debian bookworm main contrib\n"
                                          "deb http://mirror/debian bookworm-updates main\n"
                                          "deb http://mirror/security bookworm-security main\n"
                                          "deb http://mirror/debian bookworm-backports main\n"
                                          "deb https://example.org/apt cloud-sdk-bookworm main\n",
                                          "sources.list", diagnostics));
  const OsRelease bookworm = {"debian", "bookworm", "12"};
  ASSERT_VALUE(same, sources_for(bookworm, bookworm, machine));
  EXPECT_THAT(shown(same), ElementsAre("http://mirror/debian bookworm main contrib",
                                       "http://mirror/debian bookworm-updates main",
                                       "http://mirror/security bookworm-security main",
                                       "http://mirror/debian bookworm-backports main"));
  ASSERT_VALUE(trixie, sources_for({"debian", "trixie", "13"}, bookworm, machine));
  EXPECT_THAT(shown(trixie), ElementsAre("http://mirror/debian trixie main contrib",
                                         "http://mirror/debian trixie-updates main",
                                         "http://mirror/security trixie-security main"));
  ASSERT_VALUE(jammy, sources_for({"ubuntu", "jammy", "22.04"}, bookworm, machine));
  EXPECT_EQ(jammy[0].uri, "http://archive.ubuntu.com/ubuntu");
  ASSERT_VALUE(known, sources_for(bookworm, {}, {}));
  EXPECT_EQ(known[2].suite, "bookworm-security");
  EXPECT_EQ(sources_for({"fedora", "x", "40"}, bookworm, machine).error().kind,
            ErrorKind::kUnsupported);
}

TEST(AptSources, KnowDates) {
  EXPECT_TRUE(is_dated("http://snapshot.debian.org/archive/debian/20250520T000000Z"));
  EXPECT_TRUE(is_dated("file:///srv/20250520T000000Z/debian"));
  EXPECT_FALSE(is_dated("http://deb.debian.org/debian"));
  EXPECT_FALSE(is_dated("http://deb.debian.org/20250520"));
}

TEST(OsRelease, IsReadAsItsManualSays) {
  const OsRelease one = parse_os_release(
      "# c\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\n"
      "ID=debian\nVERSION_ID=\"12\"\nnonsense\n");
  EXPECT_EQ(one.id, "debian");
  EXPECT_EQ(one.codename, "bookworm");
  EXPECT_EQ(one.version, "12");
  EXPECT_EQ(parse_os_release("").id, "");
}

}  // namespace
}  // namespace cloche::source
