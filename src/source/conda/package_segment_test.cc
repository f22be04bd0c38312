#include "source/conda/package_segment.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blob/frame.h"
#include "core/testing.h"
#include "io/process.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"

namespace cloche::source {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPlaceholder = "/home/builder/placehold_placehold_placehold_placehold";

// Everything below a directory: "path kind mode content", by path.
std::string tree_of(const std::string& root) {
  std::set<std::string> lines;
  for (const fs::directory_entry& one : fs::recursive_directory_iterator(root)) {
    const std::string path = fs::relative(one.path(), root).string();
    if (one.is_symlink()) {
      lines.insert(path + " -> " + fs::read_symlink(one.path()).string());
    } else if (one.is_directory()) {
      lines.insert(path + "/");
    } else {
      std::ifstream file(one.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(file), {}};
      const auto mode = static_cast<unsigned>(one.status().permissions());
      lines.insert(fmt::format("{} {:o} {} {}", path, mode, one.hard_link_count(), content));
    }
  }
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

class PackageSegmentTest : public testing::Test {
 protected:
  void add(const TestPackage& package) {
    conda::PackageRecord record = package.record();
    record.md5 = std::string(32, 'a');
    record.sha256 = Digest::of(package.conda()).hex();
    records_.push_back(record);
    archives_.push_back(package.write(place_.path()));
  }

  Result<PackageSegments> pack(const SegmentOptions& options = {}) {
    return package_segments(
        records_, options,
        [&](std::span<const std::size_t> wanted) -> Result<std::vector<std::string>> {
          std::vector<std::string> some;
          for (const std::size_t i : wanted) {
            ++fetched_;
            some.push_back(archives_[i]);
          }
          return some;
        },
        store_, pool_, progress_);
  }

  std::string tar_of(const PackageSegments& packed) const {
    std::string tar;
    for (const PackageSegment& one : packed.segments) {
      const std::string blob = *store_.blobs().read(one.segment.digest, std::size_t{64} << 20U);
      blob::FrameExpander expander(one.segment.compression);
      for (std::string_view rest = blob; !rest.empty();) {
        tar += *expander.expand(rest);
      }
    }
    return tar + std::string(blob::kTarEndBytes, '\0');
  }

  // The tree that GNU tar makes of all segments.
  std::string unpacked(const PackageSegments& packed) const {
    const io::TemporaryDirectory root = io::test_directory();
    io::Command command;
    command.argv = {"/usr/bin/tar", "-xpf", "-", "-C", root.path()};
    command.input = tar_of(packed);
    const Result<io::ProcessResult> result = io::run_process(command);
    EXPECT_TRUE(result && result->ok());
    return tree_of(root.path() + std::string(kImagePrefix));
  }

  std::string installed() {
    std::vector<InstallPackage> all;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      all.push_back({.record = records_[i], .archive = archives_[i]});
    }
    FakeClock clock;
    const std::string prefix = place_.path() + "/prefix";
    fs::remove_all(prefix);
    const Result<InstallReport> report =
        install_prefix(all, {.prefix = prefix, .prefix_in_files = std::string(kImagePrefix)}, pool_,
                       clock, progress_);
    EXPECT_TRUE(report) << (report ? "" : report.error().to_string());
    fs::remove(prefix + "/conda-meta/history");
    return tree_of(prefix);
  }

  io::TemporaryDirectory place_ = io::test_directory();
  io::ThreadPool pool_{1};
  Progress progress_;
  blob::SegmentStore store_{place_.path() + "/store"};
  std::vector<conda::PackageRecord> records_;
  std::vector<std::string> archives_;
  int fetched_ = 0;
};

TestPackage rich() {
  TestPackage package("rich");
  package.file("lib/z.txt", "z")
      .file("lib/a.py", "a = 1\n")
      .file("bin/tool", "#!/bin/sh\n", 0755)
      .placeholder("etc/config", std::string("root=") + kPlaceholder + "/lib\n", kPlaceholder,
                   "text")
      .placeholder("lib/b.so", std::string("\0x", 2) + kPlaceholder + std::string(9, '\0'),
                   kPlaceholder, "binary")
      .symlink("lib/link", "a.py")
      .hardlink("lib/0-hard", "lib/z.txt", "z")
      .directory("empty/dir");
  return package;
}

TEST_F(PackageSegmentTest, HoldsWhatAnInstallationWrites) {
  add(rich());
  ASSERT_VALUE(packed, pack());
  EXPECT_EQ(unpacked(packed), installed());
  EXPECT_TRUE(packed.segments[0].made);
}

TEST_F(PackageSegmentTest, IsMadeOnceAndThenFoundWithoutTheArchive) {
  add(rich());
  ASSERT_VALUE(first, pack());
  EXPECT_EQ(fetched_, 1);
  ASSERT_VALUE(second, pack());
  EXPECT_EQ(fetched_, 1);
  EXPECT_FALSE(second.segments[0].made);
  EXPECT_EQ(second.segments[0].segment, first.segments[0].segment);
}

TEST_F(PackageSegmentTest, APathOfSeveralPackagesIsInTheLastOnesSegmentAlone) {
  add(TestPackage("one").file("both", "1").file("one", "1"));
  ASSERT_VALUE(alone, pack());
  add(TestPackage("two").file("both", "2"));
  ASSERT_VALUE(packed, pack());
  EXPECT_THAT(packed.clobbers, ElementsAre(Clobber{"both", "two", {"one"}}));
  EXPECT_EQ(unpacked(packed), installed());
  EXPECT_NE(packed.segments[0].segment.digest, alone.segments[0].segment.digest);
  EXPECT_EQ(fetched_, 3);  // "one" again, without the path
  std::swap(records_[0], records_[1]);
  std::swap(archives_[0], archives_[1]);
  ASSERT_VALUE(swapped, pack());
  EXPECT_EQ(unpacked(swapped), installed());
  EXPECT_EQ(swapped.segments[1].segment, alone.segments[0].segment);
}

TEST_F(PackageSegmentTest, FilesBelowAnothersLinkAreRefused) {
  add(TestPackage("one").file("lib/x", "1").symlink("lib64", "lib"));
  add(TestPackage("two").file("lib64/y", "2"));
  const Result<PackageSegments> packed = pack();
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(packed.error().message, HasSubstr("lib64/y of the package two lies below lib64"));
}

TEST_F(PackageSegmentTest, ReportsScripts) {
  add(TestPackage("one").file("bin/.one-post-link.sh", "true", 0755));
  ASSERT_VALUE(packed, pack());
  EXPECT_THAT(packed.scripts, ElementsAre(LinkScript{"one", "post-link", "bin/.one-post-link.sh"}));
}

}  // namespace
}  // namespace cloche::source
