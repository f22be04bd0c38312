#include "package/debian/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::debian {
namespace {

using testing::HasSubstr;

Result<PackageRecord> read(const std::string& text) {
  ParagraphReader reader(text);
  Paragraph paragraph;
  TRY(reader.next(paragraph));
  return read_record(paragraph);
}

const std::string kStart = "Package: python3-torch\nVersion: 1.13.1+dfsg-4\nArchitecture: amd64\n";

TEST(ReadRecord, TakesWhatAnIndexSays) {
  ASSERT_VALUE(one, read(kStart +
                         "Source: pytorch (1.13.1+dfsg-3)\nEssential: yes\nImportant: yes\n"
                         "Priority: standard\nMulti-Arch: same\nSection: python\n"
                         "Pre-Depends: a\nDepends: b (>= 1),\n c\nRecommends: d\nSuggests: e\n"
                         "Conflicts: f\nBreaks: g\nReplaces: h\nProvides: i (= 1)\n"
                         "Filename: ./pool/x.deb\nSize: 12\nInstalled-Size: 34\nSHA256: " +
                         std::string(64, 'A') + "\n"));
  EXPECT_EQ(one.name, "python3-torch");
  EXPECT_EQ(source_name(one), "pytorch");
  EXPECT_EQ(source_version(one), "1.13.1+dfsg-3");
  EXPECT_TRUE(one.essential && one.is_protected);
  EXPECT_EQ(one.priority, Priority::kStandard);
  EXPECT_EQ(one.multi_arch, MultiArch::kSame);
  EXPECT_EQ(one.depends, "b (>= 1),\n c");
  EXPECT_EQ(one.provides, "i (= 1)");
  EXPECT_EQ(one.filename, "pool/x.deb");
  EXPECT_EQ(one.size_bytes, 12U);
  EXPECT_EQ(one.installed_kib, 34U);
  EXPECT_EQ(one.sha256, std::string(64, 'a'));
}

TEST(ReadRecord, HasDefaults) {
  ASSERT_VALUE(one, read(kStart + "Priority: unheard\nMulti-Arch: odd\n"));
  EXPECT_EQ(source_name(one), "python3-torch");
  EXPECT_EQ(source_version(one), "1.13.1+dfsg-4");
  EXPECT_EQ(one.priority, Priority::kOptional);
  EXPECT_EQ(one.multi_arch, MultiArch::kNo);
  EXPECT_FALSE(one.essential || one.is_protected);
  EXPECT_EQ(to_string(one.priority), "optional");
  EXPECT_EQ(to_string(MultiArch::kForeign), "foreign");
}

TEST(ReadRecord, RefusesWhatCouldLeadAstray) {
  for (const char* bad : {"Package: x\nVersion: 1\n", "Version: 1\nArchitecture: all\n",
                          "Package: ../x\nVersion: 1\nArchitecture: all\n",
                          "Package: x\nVersion: 1/2\nArchitecture: all\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nFilename: ../../etc/passwd\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nFilename: /etc/passwd\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nFilename: ./..\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nFilename: .//etc/passwd\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nFilename: pool/..\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nFilename: pool/../../x\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nSize: -1\n",
                          "Package: x\nVersion: 1\nArchitecture: all\nSHA256: abc\n"}) {
    const auto result = read(bad);
    ASSERT_FALSE(result.has_value()) << bad;
    EXPECT_THAT(result.error().message, HasSubstr("paragraph of"));
  }
}

}  // namespace
}  // namespace cloche::debian
