#include "source/debian/package_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "package/debian/paragraph.h"

namespace cloche::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPackages =
    "Package: git\nVersion: 1:2.39.2-1\nArchitecture: amd64\nDepends: libc6 (>= 2.34),\n perl\n"
    "Filename: pool/main/g/git/git_2.39.2-1_amd64.deb\nSize: 7\nSHA256: " +
    std::string(64, 'a') +
    "\nDescription: fast\n\n"
    "Package: postfix\nVersion: 3.7\nArchitecture: amd64\nProvides: mail-transport-agent, smtp (= "
    "1)\n"
    "Essential: yes\nPriority: standard\nMulti-Arch: foreign\nInstalled-Size: 12\n\n\n"
    "Package: git\nVersion: 1:2.39.5-1\nArchitecture: amd64\nSource: git (1:2.39.5)\n\n"
    "Package: exim4\nVersion: 4\nArchitecture: all\nProvides: mail-transport-agent\n";

TEST(PackageIndex, FindsPackagesNewestFirstAndProviders) {
  ASSERT_VALUE(bytes, make_package_index(kPackages));
  ASSERT_VALUE(index, PackageIndex::from_bytes(bytes));
  EXPECT_EQ(index.records().size(), 4U);
  const PackageIndex::Name* const git = index.find("git");
  ASSERT_NE(git, nullptr);
  std::vector<std::string_view> versions;
  for (const PackageIndex::Record& one : index.records_of(*git)) {
    versions.push_back(index.text(one.version));
    EXPECT_EQ(index.name_of(one), "git");
  }
  EXPECT_THAT(versions, ElementsAre("1:2.39.5-1", "1:2.39.2-1"));
  const PackageIndex::Name* const mta = index.find("mail-transport-agent");
  ASSERT_NE(mta, nullptr);
  EXPECT_EQ(mta->record_count, 0U);
  std::vector<std::string_view> owners;
  for (const PackageIndex::Provide& one : index.providers_of(*mta)) {
    owners.push_back(index.name_of(*index.record(one.record)));
    EXPECT_EQ(index.text(one.version), "");
  }
  EXPECT_THAT(owners, ElementsAre("postfix", "exim4"));
  EXPECT_EQ(index.text(index.providers_of(*index.find("smtp"))[0].version), "1");
  EXPECT_EQ(index.find("gti"), nullptr);
  EXPECT_EQ(index.find(""), nullptr);
}

// The quick reader of lines and the general one of paragraphs say the same.
TEST(PackageIndex, GivesTheRecordsThatTheParagraphsGive) {
  ASSERT_VALUE(index, PackageIndex::from_bytes(*make_package_index(kPackages)));
  debian::ParagraphReader reader(kPackages);
  debian::Paragraph paragraph;
  while (*reader.next(paragraph)) {
    ASSERT_VALUE(record, debian::read_record(paragraph));
    bool found = false;
    for (const PackageIndex::Record& one : index.records_of(*index.find(record.name))) {
      found = found || index.package_record(one) == record;
    }
    EXPECT_TRUE(found) << record.name << " " << record.version;
  }
}

TEST(PackageIndex, OfAStatusFileHoldsWhatIsInstalled) {
  const std::string status =
      "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
      "Package: b\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\n"
      "Package: c\nStatus: hold ok unpacked\nVersion: 1\nArchitecture: all\n\n"
      "Package: d\nStatus: purge ok not-installed\nArchitecture: all\n";
  ASSERT_VALUE(index, PackageIndex::from_bytes(*make_package_index(status, ParagraphsOf::kStatus)));
  std::vector<std::string_view> names;
  for (const PackageIndex::Record& one : index.records()) {
    names.push_back(index.name_of(one));
  }
  EXPECT_THAT(names, ElementsAre("a", "c"));
}

TEST(PackageIndex, RefusesBadTextWithTheLine) {
  const std::string good = "Package: a\nVersion: 1\nArchitecture: all\n";
  for (const auto& [text, message] :
       {std::pair{good + "\nPackage: b\n", "line 5: the paragraph of 'b'"},
        {good + "Version: 2\n", "line 4: the field stands twice"},
        {good + "nonsense\n", "line 4: this line is no field"},
        {" x\n" + good, "line 1: this line continues no field"},
        {good + "Size: x\n", "a bad Size"},
        {good + "Filename: a/../../b\n", "Filename"},
        {good + "Filename: ./..\n", "Filename"},
        {good + "SHA256: 12\n", "a bad SHA256"},
        {good + "Provides: (\n", "Provides: a package's name is missing"},
        {"Package: ../a\nVersion: 1\nArchitecture: all\n", "no good Package"}}) {
    const auto result = make_package_index(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(result.error().message, HasSubstr(message)) << text;
  }
}

TEST(PackageIndex, SurvivesDamage) {
  ASSERT_VALUE(bytes, make_package_index(kPackages));
  EXPECT_FALSE(PackageIndex::from_bytes("").has_value());
  EXPECT_FALSE(PackageIndex::from_bytes(bytes.substr(0, bytes.size() - 1)).has_value());
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    const auto index = PackageIndex::from_bytes(damaged);
    if (!index) {
      continue;
    }
    for (const char* name : {"git", "mail-transport-agent", "x"}) {
      if (const PackageIndex::Name* const found = index->find(name)) {
        for (const PackageIndex::Record& one : index->records_of(*found)) {
          (void)index->package_record(one);
        }
        for (const PackageIndex::Provide& one : index->providers_of(*found)) {
          if (const PackageIndex::Record* const record = index->record(one.record)) {
            (void)index->name_of(*record);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace cloche::source
