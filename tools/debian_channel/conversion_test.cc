// From .deb files made by hand to the files of conda packages.
#include "debian_channel/conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "core/text.h"
#include "debian_channel/package_info.h"
#include "debian_channel/selection.h"
#include "io/disk_files.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"
#include "source/conda/package_writer.h"
#include "source/debian/deb_testing.h"
#include "source/debian/package_index.h"

namespace cloche::debian_channel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kRules = R"(
suites: {bookworm: "3.11"}
packages: {python: ["python{python}-minimal"]}
never: ["libc6", ".*-dev"]
prefer: [libopenblas0-pthread]
instead: {libblas3: libopenblas0-pthread}
edits:
  - {package: tool, files: "site-packages/tool.py", text: /usr/share/tool, with: "{prefix}/share/tool"}
)";

debian::PackageRecord record(const std::string& name, const std::string& version,
                             const std::string& architecture = "all") {
  debian::PackageRecord out;
  out.name = name;
  out.version = version;
  out.architecture = architecture;
  out.sha256 = std::string(64, 'a');
  return out;
}

class ConversionTest : public testing::Test {
 protected:
  ConversionTest() : rules_(*Rules::parse(kRules, "rules.yaml", "bookworm")) {}

  // The conda package of one .deb, as it is installed.
  std::string installed(const source::TestDeb& deb, const Group& group) {
    auto facts = convert(group, {deb.write(place_.path())}, rules_, nullptr, payload());
    if (!facts) {
      ADD_FAILURE() << facts.error().to_string();
      return "";
    }
    facts_ = *facts;
    info_ =
        package_info(group, facts_, {{"python >=3.11"}, {}}, rules_, "bookworm", facts_.licenses);
    io::DiskFiles disk;
    const std::string path = place_.path() + "/" + info_.file_name;
    EXPECT_TRUE(source::write_package(path, *disk.read(payload(), 1U << 20U), info_.files));
    conda::PackageRecord wanted;
    wanted.name = info_.index.string_or_empty("name");
    wanted.version = info_.index.string_or_empty("version");
    wanted.build = info_.index.string_or_empty("build");
    conda::PackageRecord python;
    python.name = "python";
    python.version = "3.11.2";
    const auto sink = source::unpack(path, wanted, source::Placement::of("/p", &python));
    EXPECT_TRUE(sink) << sink.error().to_string();
    return sink ? sink->listing() : "";
  }

  std::string payload() const { return place_.path() + "/payload.tar.zst"; }

  Rules rules_;
  Conversion facts_;
  PackageInfo info_;
  io::TemporaryDirectory place_ = io::test_directory();
};

source::TestDeb tool() {
  source::TestDeb deb("python3-tool", "1:2.5+dfsg-3", "all");
  deb.control("control",
              "Package: python3-tool\nVersion: 1:2.5+dfsg-3\nArchitecture: all\n"
              "Homepage: https://example.org\n"
              "Description: does things\n in many ways\n .\n and again\n");
  for (const char* directory :
       {"./usr", "./usr/bin", "./usr/lib", "./usr/lib/python3", "./usr/lib/python3/dist-packages",
        "./usr/share", "./usr/share/doc", "./usr/share/doc/python3-tool", "./usr/share/tool",
        "./etc", "./usr/lib/python3/dist-packages/tool-2.5.egg-info"}) {
    deb.directory(directory);
  }
  deb.file("./etc/toolrc", "colour = red\n");
  deb.file("./usr/bin/tool", "#!/usr/bin/python3\n", 0755);
  deb.file("./usr/bin/other", "#! /usr/bin/env python3\nother\n", 0755);
  deb.file("./usr/lib/python3/dist-packages/tool.py", "DATA = '/usr/share/tool'\n");
  deb.file("./usr/lib/python3/dist-packages/tool-2.5.egg-info/entry_points.txt",
           "[console_scripts]\ntool = tool:main\n");
  deb.file("./usr/share/doc/python3-tool/copyright", "Format: x\n\nFiles: *\nLicense: MIT\n");
  deb.file("./usr/share/tool/data", "data\n");
  deb.symlink("./usr/share/tool/rc", "/etc/toolrc");
  deb.symlink("./usr/lib/python3/dist-packages/tool_data", "../../../share/tool");
  return deb;
}

TEST_F(ConversionTest, APurePackageIsNoarchWithEntryPoints) {
  const Group group{.name = "tool",
                    .members = {record("python3-tool", "1:2.5+dfsg-3")},
                    .kind = PackageKind::kNoarchPython};
  const std::string listing = installed(tool(), group);
  EXPECT_EQ(info_.file_name, "tool-2.5-py_deb3.conda");
  EXPECT_EQ(info_.subdir, "noarch");
  EXPECT_EQ(info_.index["license"].as_string(), "MIT");
  EXPECT_THAT(info_.files["about.json"], HasSubstr("https://example.org"));
  EXPECT_THAT(info_.files["about.json"], HasSubstr("does things"));
  EXPECT_THAT(info_.files["link.json"], HasSubstr("tool = tool:main"));
  EXPECT_TRUE(info_.files.contains("licenses/python3-tool/copyright"));
  EXPECT_THAT(facts_.modules, ElementsAre("tool"));

  EXPECT_THAT(listing, HasSubstr("f 755 bin/other #!/p/bin/python\nother\n"));
  EXPECT_THAT(listing, HasSubstr("f 755 bin/tool #!/p/bin/python3.11\n"));  // the entry point's
  EXPECT_THAT(listing,
              HasSubstr("f 644 lib/python3.11/site-packages/tool.py DATA = '/p/share/tool'"));
  EXPECT_THAT(listing, HasSubstr("l lib/python3.11/site-packages/tool_data ../../../share/tool\n"));
  EXPECT_THAT(listing, HasSubstr("f 644 share/tool/rc colour = red\n"));  // no link into /etc
  EXPECT_THAT(listing, testing::Not(HasSubstr("copyright")));
}

TEST_F(ConversionTest, TheSameInputGivesTheSameBytes) {
  const Group group{.name = "tool",
                    .members = {record("python3-tool", "2.5-3")},
                    .kind = PackageKind::kNoarchPython};
  io::DiskFiles disk;
  installed(tool(), group);
  const std::string first = *disk.read(place_.path() + "/" + info_.file_name, 1U << 20U);
  installed(tool(), group);
  EXPECT_EQ(*disk.read(place_.path() + "/" + info_.file_name, 1U << 20U), first);
  ASSERT_VALUE(again, Conversion::from_json(facts_.to_json()));
  EXPECT_EQ(again.to_json(), facts_.to_json());
}

TEST_F(ConversionTest, LinksOfAlternativesAreMade) {
  source::TestDeb deb("libopenblas0-pthread", "0.3.21+ds-4", "amd64");
  for (const char* directory : {"./usr", "./usr/lib", "./usr/lib/x86_64-linux-gnu",
                                "./usr/lib/x86_64-linux-gnu/openblas-pthread"}) {
    deb.directory(directory);
  }
  deb.file("./usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3", "no ELF file\n");
  deb.control("postinst",
              "#!/bin/sh\nupdate-alternatives --install /usr/lib/x86_64-linux-gnu/libblas.so.3 \\\n"
              " libblas.so.3 /usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3 100\n");
  const Group group{.name = "libopenblas0-pthread",
                    .members = {record("libopenblas0-pthread", "0.3.21+ds-4", "amd64")}};
  EXPECT_THAT(installed(deb, group),
              HasSubstr("l lib/libblas.so.3 openblas-pthread/libblas.so.3\n"));
  EXPECT_EQ(info_.file_name, "libopenblas0-pthread-0.3.21-deb4.conda");
  EXPECT_TRUE(facts_.provides.contains("libblas.so.3"));
}

TEST_F(ConversionTest, TheKeyNamesWhatDecides) {
  Group group{.name = "tool", .members = {record("python3-tool", "2.5-3")}};
  const std::string key = conversion_key(group, rules_, "");
  EXPECT_EQ(conversion_key(group, rules_, ""), key);
  EXPECT_NE(conversion_key(group, rules_, "python"), key);
  group.members[0].sha256 = std::string(64, 'b');
  EXPECT_NE(conversion_key(group, rules_, ""), key);
}

// A paragraph of a Packages file.
std::string paragraph(const std::string& name, const std::string& architecture,
                      const std::string& section, const std::string& rest) {
  return "Package: " + name + "\nVersion: 1.0-1\nArchitecture: " + architecture +
         "\nSection: " + section + "\nFilename: a.deb\nSize: 1\nSHA256: " + std::string(64, 'a') +
         "\n" + rest + "\n";
}

TEST(Selection, FollowsModulesAndLibrariesAndNothingElse) {
  const std::string packages =
      paragraph("python3.11-minimal", "amd64", "python", "Depends: libc6 (>= 2.35), libz1\n") +
      paragraph("python3-pip", "all", "python", "Depends: python3:any\n") +
      paragraph("python3", "amd64", "python", "") +
      paragraph("python3-a", "amd64", "python",
                "Depends: python3-b (>= 0.9), libblas3 | libblas.so.3, a-doc, liba-dev, "
                "libc6 (>= 2.14)\nBreaks: python3-b (<< 0.5)\n") +
      paragraph("python3-b", "all", "python", "Depends: python3\n") +
      paragraph("a-doc", "all", "doc", "") + paragraph("liba-dev", "amd64", "libdevel", "") +
      paragraph("libblas3", "amd64", "libs", "") + paragraph("libz1", "amd64", "libs", "") +
      paragraph("libopenblas0-pthread", "amd64", "libs", "");
  std::vector<source::PackageSource> sources(1);
  sources[0].index = *source::PackageIndex::from_bytes(*source::make_package_index(packages));
  Available available(std::move(sources));
  const Rules rules = *Rules::parse(kRules, "rules.yaml", "bookworm");
  ASSERT_VALUE(selection, select(available, rules, {"a"}));
  std::string names;
  for (const auto& [name, group] : selection.groups) {
    names += name + " ";
  }
  EXPECT_EQ(names, "a b libopenblas0-pthread libz1 pip python ");
  EXPECT_EQ(selection.groups.at("b").kind, PackageKind::kNoarchPython);
  EXPECT_EQ(selection.groups.at("a").kind, PackageKind::kNative);
  EXPECT_EQ(selection.glibc.at("a"), "2.14");
  EXPECT_THAT(selection.constrains.at("a"), ElementsAre("b >=0.5"));
  EXPECT_EQ(selection.edges.at("a")[0].minimum, "0.9");

  const auto absent = select(available, rules, {"nothing"});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().to_string(), HasSubstr("no package for nothing"));
}

}  // namespace
}  // namespace cloche::debian_channel
