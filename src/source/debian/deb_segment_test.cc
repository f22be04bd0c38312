#include "source/debian/deb_segment.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/unpack.h"
#include "core/digest.h"
#include "core/testing.h"
#include "core/text.h"
#include "io/process.h"
#include "io/testing.h"
#include "source/debian/deb_testing.h"

namespace cloche::source {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class DebSegmentTest : public testing::Test {
 protected:
  void add(const TestDeb& deb, const std::string& version = "1.0",
           const std::string& architecture = "all") {
    files_.push_back({deb.name(), version, architecture, Digest::of(deb.bytes()).hex()});
    paths_.push_back(deb.write(debs_.path()));
  }

  Result<std::vector<DebSegment>> pack(const DebSegmentOptions& options = {}) {
    return deb_segments(
        files_, options,
        [&](std::span<const std::size_t> places) -> Result<std::vector<std::string>> {
          std::vector<std::string> out;
          for (const std::size_t i : places) {
            out.push_back(paths_[i]);
            ++fetched_;
          }
          return out;
        },
        store_, pool_, progress_);
  }

  // Unpacks a segment into a directory and returns it.
  std::string unpack(const blob::Segment& segment, const std::string& name) {
    const std::string place = out_.path() + "/" + name;
    fs::create_directory(place);
    std::ifstream in(*store_.blobs().path(segment.digest), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    io::MemoryReader reader(bytes);
    const auto done = blob::unpack(reader, place, {.layer = true, .owners = ::geteuid() == 0}, {});
    EXPECT_TRUE(done) << done.error().to_string();
    return place;
  }

  static std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path;
    return {(std::istreambuf_iterator<char>(in)), {}};
  }

  io::TemporaryDirectory debs_ = io::test_directory();
  io::TemporaryDirectory root_ = io::test_directory();
  io::TemporaryDirectory out_ = io::test_directory();
  blob::SegmentStore store_{root_.path()};
  io::ThreadPool pool_{2};
  Progress progress_;
  std::vector<DebFile> files_;
  std::vector<std::string> paths_;
  int fetched_ = 0;
};

TestDeb sample() {
  TestDeb deb("hello", "1.0", "amd64");
  deb.field("Multi-Arch: same");
  deb.directory("etc").file("etc/hello.conf", "a = 1\n");
  deb.directory("usr").directory("usr/bin").file("usr/bin/z", "#!/bin/sh\n", 04755);
  deb.hardlink("usr/bin/a", "usr/bin/z").symlink("usr/bin/link", "z");
  deb.entry({.name = "./etc/secret", .content = "x", .mode = 0640, .gid = 42, .mtime_s = 1000});
  deb.control("conffiles", "/etc/hello.conf\nremove-on-upgrade /etc/gone\n");
  deb.control("postinst", "#!/bin/sh\n").control("triggers", "activate-noawait ldconfig\n");
  return deb;
}

TEST_F(DebSegmentTest, HoldsTheFilesAndWhatDpkgKnows) {
  add(sample(), "1.0", "amd64");
  ASSERT_VALUE(made, pack());
  ASSERT_EQ(made.size(), 1U);
  EXPECT_TRUE(made[0].made);
  const std::string place = unpack(made[0].segment, "a");
  const std::string info = place + "/var/lib/dpkg/info/hello:amd64.";
  EXPECT_EQ(read(info + "list"),
            "/.\n/etc\n/etc/hello.conf\n/usr\n/usr/bin\n/usr/bin/z\n/usr/bin/a\n/usr/bin/link\n"
            "/etc/secret\n");
  EXPECT_EQ(read(info + "conffiles"), "/etc/hello.conf\nremove-on-upgrade /etc/gone\n");
  EXPECT_EQ(read(info + "md5sums"),
            "3e2b31c72181b87149ff995e7202c0e3  usr/bin/z\n"
            "3e2b31c72181b87149ff995e7202c0e3  usr/bin/a\n"
            "9dd4e461268c8034f5c8564e155c67a6  etc/secret\n");
  EXPECT_FALSE(fs::exists(info + "control"));
  struct stat script{};
  ASSERT_EQ(::stat((info + "postinst").c_str(), &script), 0);
  EXPECT_EQ(script.st_mode & 0777U, 0755U);
  struct stat file{};
  ASSERT_EQ(::stat((place + "/etc/secret").c_str(), &file), 0);
  EXPECT_EQ(file.st_mtime, 1000);
  if (::geteuid() == 0) {
    EXPECT_EQ(file.st_gid, 42U);
    struct stat a{};
    struct stat z{};
    ::stat((place + "/usr/bin/a").c_str(), &a);
    ::stat((place + "/usr/bin/z").c_str(), &z);
    EXPECT_EQ(a.st_ino, z.st_ino);
    EXPECT_EQ(a.st_mode & 07777U, 04755U);
  }
  const DebContents& contents = made[0].contents;
  EXPECT_THAT(contents.conffiles,
              ElementsAre(testing::Pair("/etc/hello.conf", "9358f2568f3316fe7e78a4fa7707c414")));
  EXPECT_EQ(contents.newest_s, 1'600'000'000);
  EXPECT_TRUE(contents.has_script("postinst"));
  EXPECT_EQ(contents.triggers, "activate-noawait ldconfig\n");
  EXPECT_EQ(parse_contents(print_contents(contents)), contents);
}

TEST_F(DebSegmentTest, IsMadeOnceAndAlwaysTheSame) {
  add(sample(), "1.0", "amd64");
  ASSERT_VALUE(first, pack());
  ASSERT_VALUE(second, pack());
  EXPECT_EQ(fetched_, 1);
  EXPECT_FALSE(second[0].made);
  EXPECT_EQ(first[0].segment, second[0].segment);
  EXPECT_EQ(first[0].contents, second[0].contents);
  const io::TemporaryDirectory other = io::test_directory();
  store_ = blob::SegmentStore(other.path());
  ASSERT_VALUE(third, pack());
  EXPECT_EQ(first[0].segment, third[0].segment);
}

TEST_F(DebSegmentTest, FollowsAMergedUsr) {
  TestDeb deb("tool");
  deb.directory("bin").file("bin/tool", "x", 0755).directory("usr").directory("usr/bin");
  deb.file("usr/bin/other", "y", 0755).directory("lib64").file("lib64/l.so", "z");
  add(deb);
  const std::vector<std::string> directories = {"bin", "lib", "sbin"};
  ASSERT_VALUE(made, pack({.aliases = merged_usr(directories)}));
  const std::string place = unpack(made[0].segment, "merged");
  EXPECT_EQ(read(place + "/usr/bin/tool"), "x");
  EXPECT_FALSE(fs::exists(place + "/bin"));
  EXPECT_EQ(read(place + "/lib64/l.so"), "z");
  EXPECT_THAT(read(place + "/var/lib/dpkg/info/tool.list"), HasSubstr("/bin/tool\n"));
  ASSERT_VALUE(plain, pack());
  EXPECT_EQ(read(unpack(plain[0].segment, "plain") + "/bin/tool"), "x");
}

TEST_F(DebSegmentTest, TheOneThatReplacesKeepsAFile) {
  TestDeb taker("taker", "2");
  taker.field("Replaces: loser (<< 2)").directory("usr").file("usr/shared", "taker");
  TestDeb loser("loser");
  loser.directory("usr").file("usr/shared", "loser").file("usr/own", "x");
  add(taker, "2");
  add(loser);
  ASSERT_VALUE(made, pack());
  EXPECT_THAT(made[1].lost, ElementsAre("usr/shared"));
  const std::string place = unpack(made[1].segment, "loser");
  EXPECT_FALSE(fs::exists(place + "/usr/shared"));
  EXPECT_EQ(read(place + "/var/lib/dpkg/info/loser.list"), "/.\n/usr\n/usr/own\n");
  ASSERT_VALUE(again, pack());
  EXPECT_EQ(again[1].segment, made[1].segment);
}

TEST_F(DebSegmentTest, RefusesOverlapsThatNobodyAllows) {
  TestDeb a("a");
  a.directory("usr").file("usr/shared", "a");
  TestDeb b("b");
  b.field("Replaces: a (<< 1)").directory("usr").file("usr/shared", "b");
  add(a);
  add(b);
  const auto made = pack();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(made.error().message, HasSubstr("a and b both have /usr/shared"));
}

TEST_F(DebSegmentTest, NamesThePackageThatIsBad) {
  TestDeb other("other");
  other.file("x", "x");
  add(other);
  files_[0].name = "hello";
  EXPECT_THAT(pack().error().to_string(), HasSubstr("in the package hello 1.0"));
  files_[0].name = "other";
  const io::TemporaryDirectory fresh = io::test_directory();
  store_ = blob::SegmentStore(fresh.path());
  std::ofstream(paths_[0], std::ios::app) << "tampered";
  const auto tampered = pack();
  ASSERT_FALSE(tampered);
  EXPECT_EQ(tampered.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(tampered.error().to_string(), HasSubstr("in the package other 1.0"));
  fs::resize_file(paths_[0], 100);
  EXPECT_EQ(pack().error().kind, ErrorKind::kCorrupt);
}

TEST_F(DebSegmentTest, ConffilesMustBeThere) {
  TestDeb deb("hello");
  deb.control("conffiles", "/etc/none\n");
  add(deb);
  EXPECT_THAT(pack().error().to_string(), HasSubstr("/etc/none"));
}

TEST_F(DebSegmentTest, AFullDiskIsSaid) {
  const auto disk = io::SmallDisk::create(std::uint64_t{1} << 20U);
  if (!disk) {
    GTEST_SKIP() << "no file system of a size can be mounted here";
  }
  std::string noise(std::size_t{4} << 20U, '\0');
  std::uint32_t state = 1;
  for (char& c : noise) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  TestDeb deb("large");
  deb.file("noise", noise);
  add(deb);
  store_ = blob::SegmentStore(disk->path());
  const auto made = pack();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kUnavailable) << made.error().to_string();
}

// dpkg-deb is the judge of what a real package becomes.
TEST_F(DebSegmentTest, DpkgDebUnpacksTheSameTree) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "owners need root";
  }
  std::vector<std::string> debs;
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator("/var/cache/apt/archives", ignored)) {
    if (file.path().extension() == ".deb" && file.file_size() < 400'000) {
      debs.push_back(file.path());
    }
  }
  std::ranges::sort(debs);
  debs.resize(std::min<std::size_t>(debs.size(), 12));
  if (debs.empty()) {
    GTEST_SKIP() << "apt's cache holds no packages";
  }
  const auto listing = [](const std::string& place) {
    return io::run_process({.argv = {"find", place, "-path", place + "/var/lib/dpkg", "-prune",
                                     "-o", "(", "-type", "d", "-printf", "%P %M %U %G\\n", ")",
                                     "-o", "-printf", "%P %M %U %G %s %l %n %T@\\n"}});
  };
  for (std::size_t i = 0; i < debs.size(); ++i) {
    const auto field = [&](const std::string& name) {
      return std::string(
          trim(io::run_process({.argv = {"dpkg-deb", "--field", debs[i], name}})->output));
    };
    files_ = {{field("Package"), field("Version"), field("Architecture"),
               Digest::of(read(debs[i])).hex()}};
    paths_ = {debs[i]};
    ASSERT_VALUE(made, pack());
    const std::string ours = unpack(made[0].segment, "ours" + std::to_string(i));
    const std::string theirs = out_.path() + "/theirs" + std::to_string(i);
    ASSERT_TRUE(io::run_process({.argv = {"dpkg-deb", "--extract", debs[i], theirs}})->ok());
    const auto lines = [](const std::string& text) {
      std::set<std::string> out;
      for (const std::string_view line : split_lines(text)) {
        if (!line.starts_with(" ") && !line.starts_with("var d") &&
            !line.starts_with("var/lib d")) {
          out.insert(std::string(line));
        }
      }
      return out;
    };
    EXPECT_EQ(lines(listing(ours)->output), lines(listing(theirs)->output)) << debs[i];
    EXPECT_TRUE(io::run_process(
                    {.argv = {"diff", "-r", "--no-dereference", "--exclude=dpkg", ours, theirs}})
                    ->output.find("differ") == std::string::npos)
        << debs[i];
  }
}

TEST(DirectoryAlias, TheLongestCounts) {
  const std::vector<DirectoryAlias> aliases = {{"lib", "usr/lib"}, {"lib/x", "opt/x"}};
  EXPECT_EQ(aliased_path(aliases, "lib"), "usr/lib");
  EXPECT_EQ(aliased_path(aliases, "lib/a"), "usr/lib/a");
  EXPECT_EQ(aliased_path(aliases, "lib/x/a"), "opt/x/a");
  EXPECT_EQ(aliased_path(aliases, "libx"), "libx");
}

}  // namespace
}  // namespace cloche::source
