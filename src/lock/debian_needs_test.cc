#include "lock/debian_needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "lock/cloche_lock.h"
#include "lock/diff.h"
#include "lock/sbom.h"
#include "lock/testing.h"

namespace cloche::lock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Lock debian_lock() {
  Lock out = sample_lock();
  DebianLock& debian = out.debian;
  debian.locked = true;
  debian.requirements = {"git=1:2.39.*", "mail-transport-agent"};
  debian.distribution = "debian";
  debian.codename = "bookworm";
  debian.architecture = "amd64";
  debian.archives = {{.uri = "http://deb.debian.org/debian",
                      .suite = "bookworm",
                      .components = {"main"},
                      .date = "2026-07-11T10:16:37Z",
                      .sha256 = std::string(64, 'e')}};
  debian.removes = {"exim4"};
  debian.packages = {{.name = "git",
                      .version = "1:2.39.5-0+deb12u2",
                      .architecture = "amd64",
                      .url = "http://deb.debian.org/debian/pool/main/g/git/git_2.39.5.deb",
                      .size_bytes = 7,
                      .sha256 = std::string(64, 'f'),
                      .pre_depends = {"init-system-helpers"},
                      .depends = {"libc6 (>= 2.34)", "libexpat1 (>= 2.0.1)", "perl | perl5"}},
                     {.name = "libexpat1", .version = "2.5.0-1", .architecture = "amd64"},
                     {.name = "postfix",
                      .version = "3.7.11",
                      .architecture = "amd64",
                      .source = "",
                      .depends = {"libexpat1", "postfix"},
                      .provides = {"mail-transport-agent", "perl5 (= 5.36)"}}};
  sort(out);
  set_reasons(out);
  return out;
}

TEST(DebianNeeds, FollowNamesAlternativesAndWhatIsProvided) {
  EXPECT_THAT(debian_needs(debian_lock().debian),
              ElementsAre(ElementsAre(1, 2), IsEmpty(), ElementsAre(1)));
}

TEST(DebianReasons, NameRequirementsAndNeighbours) {
  const std::vector<DebianPackage> packages = debian_lock().debian.packages;
  EXPECT_THAT(packages[0].reason.requested, ElementsAre("git=1:2.39.*"));
  EXPECT_THAT(packages[1].reason.requested, IsEmpty());
  EXPECT_THAT(packages[1].reason.needed_by, ElementsAre("git", "postfix"));
  EXPECT_THAT(packages[2].reason.requested, ElementsAre("mail-transport-agent"));
}

TEST(DebianLock, IsWrittenAndReadBack) {
  Diagnostics diagnostics;
  const std::string text = write_cloche_lock(debian_lock());
  ASSERT_VALUE(again, parse_cloche_lock(text, "cloche.lock", diagnostics));
  EXPECT_EQ(again, debian_lock());
  EXPECT_TRUE(diagnostics.empty());
  for (const auto& [right, wrong, message] :
       {std::tuple{"version: 1:2.39.5-0+deb12u2", "version: x", "is no version"},
        {"name: libexpat1", "name: ../x", "is no package's name"},
        {"name: libexpat1", "name: git", "locked twice"},
        {"architecture: amd64\n      source", "architecture: a/b\n      source", ""}}) {
    std::string bad = text;
    const std::size_t at = bad.find(right);
    if (at == std::string::npos) {
      continue;
    }
    bad.replace(at, std::string_view(right).size(), wrong);
    const auto refused = parse_cloche_lock(bad, "cloche.lock", diagnostics);
    ASSERT_FALSE(refused.has_value()) << wrong;
    EXPECT_THAT(refused.error().message, HasSubstr(message));
    EXPECT_GT(refused.error().at.line, 1);
  }
}

TEST(DebianLock, ContentsAreThePackagesAlone) {
  const Lock lock = debian_lock();
  Lock other = lock;
  other.debian.archives[0].date = "2026-08-01T00:00:00Z";
  other.debian.requirements = {"git"};
  other.debian.packages[1].reason = {};
  EXPECT_EQ(contents_digest_of(lock), contents_digest_of(other));
  EXPECT_NE(digest_of(lock), digest_of(other));
  other.debian.packages[1].version = "2.5.0-2";
  EXPECT_NE(contents_digest_of(lock), contents_digest_of(other));
}

TEST(DebianLock, IsComparedByDebiansOrder) {
  const Lock before = debian_lock();
  Lock after = before;
  after.debian.packages[0].version = "1:2.39.5-0+deb12u10";
  after.debian.packages[1].version = "2.5.0-1~bpo1";
  const Difference difference = diff(before, after);
  ASSERT_EQ(difference.changes.size(), 2U);
  EXPECT_EQ(difference.changes[0].ecosystem, "debian");
  EXPECT_EQ(difference.changes[0].kind, ChangeKind::kUpgraded);
  EXPECT_TRUE(difference.changes[0].requested);
  EXPECT_EQ(difference.changes[1].kind, ChangeKind::kDowngraded);
}

TEST(DebianLock, IsInTheBillOfMaterials) {
  const std::vector<SbomPart> parts = parts_of(debian_lock());
  const std::size_t git = parts.size() - 3;
  EXPECT_EQ(parts[git].purl, "pkg:deb/debian/git@1:2.39.5-0%2Bdeb12u2?arch=amd64&distro=bookworm");
  EXPECT_EQ(parts[git].file_name, "git_2.39.5.deb");
  EXPECT_THAT(parts[git].depends_on, ElementsAre(git + 1, git + 2));
  EXPECT_THAT(roots_of(parts), testing::IsSupersetOf({git, git + 2}));
}

}  // namespace
}  // namespace cloche::lock
