// Packages made to do harm: whatever they say, nothing outside the prefix changes, and the error
// names the package. The layers' corpus is blob/attack_corpus_test.cc.
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"
#include "source/conda/prefix_install.h"

namespace cloche::source {
namespace {

namespace fs = std::filesystem;

struct Attack {
  std::string name;
  std::function<TestPackage(const std::string& outside)> package;
};

void PrintTo(const Attack& attack, std::ostream* out) { *out << attack.name; }

std::vector<Attack> attacks() {
  const auto package = [] { return TestPackage("evil"); };
  return {
      {"DotDot", [=](const std::string&) { return package().file("../outside/new", "x"); }},
      {"DotDotWithin",
       [=](const std::string&) { return package().file("a/../../outside/new", "x"); }},
      {"DotDotOver", [=](const std::string&) { return package().file("../outside/victim", "x"); }},
      {"NeighbourOfThePrefix",
       [=](const std::string&) { return package().file("../env2/new", "x"); }},
      {"Absolute", [=](const std::string& out) { return package().file(out + "/new", "x"); }},
      {"ThroughALink",
       [=](const std::string& out) { return package().symlink("l", out).file("l/new", "x"); }},
      {"ThroughARelativeLink",
       [=](const std::string&) { return package().symlink("l", "../outside").file("l/new", "x"); }},
      {"DirectoryThroughALink",
       [=](const std::string& out) { return package().symlink("l", out).directory("l/folder"); }},
      {"HardLinkOut",
       [=](const std::string&) {
         return package().hardlink("h", "../outside/victim", "untouched");
       }},
      {"HardLinkAbsolute",
       [=](const std::string& out) {
         return package().hardlink("h", out + "/victim", "untouched");
       }},
      {"EntryPointNamedDotDot",  // CVE-2026-47425
       [=](const std::string&) {
         return package().noarch_python({"../../outside/new = evil:main"});
       }},
      {"SitePackagesDotDot",
       [=](const std::string&) {
         return package().noarch_python().file("site-packages/../../../../outside/new", "x");
       }},
      {"Device",
       [=](const std::string&) {
         return package().file("dev", "").unlisted({.path = "dev", .content = "", .type = '4'});
       }},
      {"SameNameTwice",
       [=](const std::string&) {
         return package().file("f", "1").unlisted({.path = "f", .content = "2"});
       }},
      {"NewlineOutOfTheRecord", [=](const std::string&) { return package().file("../a\nb", "x"); }},
  };
}

class PackageAttack : public testing::TestWithParam<Attack> {
 protected:
  PackageAttack() {
    fs::create_directories(outside_);
    std::ofstream(outside_ + "/victim") << "untouched";
  }

  io::TemporaryDirectory place_ = io::test_directory();
  std::string outside_ = place_.path() + "/outside";
  std::string archives_ = place_.path() + "/archives";
};

TEST_P(PackageAttack, ChangesNothingOutside) {
  for (const bool tar_bz2 : {false, true}) {
    fs::create_directories(archives_);
    const TestPackage package = GetParam().package(outside_);
    io::ThreadPool pool(1);
    FakeClock clock;
    Progress progress;
    const auto report =
        install_prefix({{.record = package.record(), .archive = package.write(archives_, tar_bz2)}},
                       {.prefix = place_.path() + "/env"}, pool, clock, progress);
    ASSERT_FALSE(report.has_value());
    EXPECT_THAT(report.error().to_string(), testing::HasSubstr("evil"));
    fs::remove_all(archives_);
    std::vector<std::string> left;
    for (const auto& entry : fs::recursive_directory_iterator(place_.path())) {
      left.push_back(entry.path().string().substr(place_.path().size() + 1));
    }
    EXPECT_THAT(left, testing::UnorderedElementsAre("outside", "outside/victim"));
    EXPECT_EQ(fs::hard_link_count(outside_ + "/victim"), 1U);
    std::string content;
    std::ifstream(outside_ + "/victim") >> content;
    EXPECT_EQ(content, "untouched");
  }
}

TEST(RecordOfAStranger, IsNoPath) {  // its file in conda-meta has its name
  const io::TemporaryDirectory place = io::test_directory();
  for (const char* build : {"0/../../../evil", "/evil"}) {
    conda::PackageRecord record = TestPackage("evil").record();
    record.build = build;
    io::ThreadPool pool(1);
    FakeClock clock;
    Progress progress;
    const auto report =
        install_prefix({{.record = record, .archive = TestPackage("evil").write(place.path())}},
                       {.prefix = place.path() + "/env"}, pool, clock, progress);
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(report.error().message, testing::HasSubstr("evil-1.0-" + record.build));
  }
}

INSTANTIATE_TEST_SUITE_P(All, PackageAttack, testing::ValuesIn(attacks()),
                         [](const auto& attack) { return attack.param.name; });

}  // namespace
}  // namespace cloche::source
