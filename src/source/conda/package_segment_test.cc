#include "source/conda/package_segment.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "blob/frame.h"
#include "core/testing.h"
#include "core/text.h"
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
      tar.resize(tar.size() - blob::kTarEndBytes);
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
    return tree_of(root.path() + std::string(conda::kEnvironmentPrefix));
  }

  std::string installed() {
    std::vector<InstallPackage> all;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      all.push_back({.record = records_[i], .archive = archives_[i]});
    }
    FakeClock clock;
    const std::string prefix = place_.path() + "/prefix";
    fs::remove_all(prefix);
    const Result<InstallReport> report = install_prefix(
        all, {.prefix = prefix, .prefix_in_files = std::string(conda::kEnvironmentPrefix)}, pool_,
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

TEST_F(PackageSegmentTest, FilesBelowAnothersLinkAreWhereItLeads) {
  add(TestPackage("one").file("share/real/x", "1").symlink("lib64", "./share/../share/alias"));
  add(TestPackage("two").symlink("share/alias", "real"));
  add(TestPackage("three")
          .file("lib64/y", "3")
          .hardlink("lib64/z", "lib64/y", "3")
          .directory("lib64/empty")
          .directory("lib64"));
  ASSERT_VALUE(packed, pack());
  EXPECT_THAT(unpacked(packed), HasSubstr("share/real/y 644 2 3\nshare/real/z 644 2 3\n"));
  EXPECT_EQ(unpacked(packed), installed());
  EXPECT_TRUE(packed.clobbers.empty());
  fetched_ = 0;
  ASSERT_VALUE(again, pack());
  EXPECT_EQ(fetched_, 0);  // links are noted too
  EXPECT_EQ(again.segments[2].segment, packed.segments[2].segment);
  records_.erase(records_.begin());  // lib64 is a directory now
  archives_.erase(archives_.begin());
  ASSERT_VALUE(without, pack());
  EXPECT_NE(without.segments[1].segment, packed.segments[2].segment);
  EXPECT_EQ(unpacked(without), installed());
}

TEST_F(PackageSegmentTest, FilesThatMeetThroughALinkAreTheLastPackages) {
  add(TestPackage("one").file("lib/x", "1").symlink("lib64", "lib"));
  add(TestPackage("two").file("lib64/x", "2"));
  ASSERT_VALUE(packed, pack());
  EXPECT_THAT(packed.clobbers, ElementsAre(Clobber{"lib/x", "two", {"one"}}));
  EXPECT_THAT(unpacked(packed), HasSubstr("lib/x 644 1 2\n"));
  EXPECT_EQ(unpacked(packed), installed());
}

TEST_F(PackageSegmentTest, WaysThatLeadNowhereAreRefused) {
  const auto message_with = [&](const std::string& target) {
    records_.clear();
    archives_.clear();
    add(TestPackage("one" + Digest::of(target).hex().substr(0, 4)).symlink("lib64", target));
    add(TestPackage("two").file("lib64/y", "2"));
    const Result<PackageSegments> packed = pack();
    return packed ? std::string() : packed.error().to_string();
  };
  EXPECT_THAT(message_with("../lib"), HasSubstr("leads out of the environment"));
  EXPECT_THAT(message_with("/usr/lib"), HasSubstr("leads out of the environment\n  at lib64/y\n"));
  EXPECT_THAT(message_with("lib64"), HasSubstr("in a circle"));
  records_.clear();
  archives_.clear();
  add(TestPackage("one").file("lib/x", "1").symlink("lib64", "lib"));
  add(TestPackage("two").file("lib64/y", "2").file("lib/y", "3"));
  EXPECT_THAT(pack().error().message, HasSubstr("two of its files would become lib/y"));
}

TEST_F(PackageSegmentTest, ReportsScripts) {
  add(TestPackage("one").file("bin/.one-post-link.sh", "true", 0755));
  ASSERT_VALUE(packed, pack());
  EXPECT_THAT(packed.scripts, ElementsAre(LinkScript{"one", "post-link", "bin/.one-post-link.sh"}));
}

TEST_F(PackageSegmentTest, HoldsWhatTheChannelSaysAndNothingOfThisMachine) {
  add(rich());
  ASSERT_VALUE(first, pack());
  const std::string tar = tar_of(first);
  EXPECT_EQ(tar.find(place_.path()), std::string::npos);
  records_[0].depends = {"libc"};  // a channel mends its index
  ASSERT_VALUE(second, pack());
  EXPECT_NE(second.segments[0].segment.digest, first.segments[0].segment.digest);
  EXPECT_THAT(tar_of(second), HasSubstr("\"libc\""));
}

TEST_F(PackageSegmentTest, NoarchPythonDependsOnTheInterpretersMinorVersionAlone) {
  TestPackage python("python", "3.11.4");
  python.file("bin/python3.11", "");
  add(python);
  TestPackage noarch("tool");
  noarch.noarch_python({"tool = tool:main"}).file("site-packages/tool.py", "def main(): pass\n");
  add(noarch);
  ASSERT_VALUE(first, pack());
  EXPECT_EQ(unpacked(first), installed());
  EXPECT_THAT(unpacked(first), HasSubstr("lib/python3.11/site-packages/tool.py 644"));
  EXPECT_THAT(unpacked(first), HasSubstr("#!/opt/cloche/env/bin/python3.11"));
  records_[0].version = "3.11.5";
  archives_[0] = TestPackage("python", "3.11.5").file("bin/python3.11", "").write(place_.path());
  records_[0].sha256 = std::string(64, '5');
  ASSERT_VALUE(patch, pack());
  EXPECT_FALSE(patch.segments[1].made);
  records_[0].version = "3.12.0";
  archives_[0] = TestPackage("python", "3.12.0").file("bin/python3.12", "").write(place_.path());
  records_[0].sha256 = std::string(64, '6');
  ASSERT_VALUE(minor, pack());
  EXPECT_TRUE(minor.segments[1].made);
  EXPECT_THAT(unpacked(minor), HasSubstr("lib/python3.12/site-packages/tool.py 644"));
}

TEST_F(PackageSegmentTest, HardLinksWhoseFileIsAnothersKeepTheContent) {
  add(TestPackage("one").file("a", "same").hardlink("b", "a", "same").hardlink("c", "a", "same"));
  add(TestPackage("two").file("a", "other"));
  ASSERT_VALUE(packed, pack());
  const std::string tree = unpacked(packed);
  EXPECT_THAT(tree, HasSubstr("a 644 1 other\n"));
  EXPECT_THAT(tree, HasSubstr("b 644 2 same\nc 644 2 same\n"));
}

TEST_F(PackageSegmentTest, AFileOrALinkInTheWayOfADirectoryAndTheOtherWayRound) {
  add(TestPackage("one").file("x", "file").file("y/below", "1").directory("z"));
  add(TestPackage("two").file("x/below", "2").file("y", "file").symlink("z", "y"));
  ASSERT_VALUE(packed, pack());
  EXPECT_EQ(unpacked(packed), installed());
  EXPECT_EQ(packed.clobbers.size(), 3U);
}

TEST_F(PackageSegmentTest, IsTheSameWithManyThreadsAnotherUmaskAndAnotherPlace) {
  add(rich());
  for (int i = 0; i < 6; ++i) {
    add(TestPackage("p" + std::to_string(i)).file("share/" + std::to_string(i), "x"));
  }
  for (const auto one : {blob::SegmentCompression::kZstd, blob::SegmentCompression::kGzip}) {
    ASSERT_VALUE(expected, pack({.compression = one}));
    const mode_t mask = ::umask(0);
    ::setenv("TZ", "Pacific/Kiritimati", 1);
    io::ThreadPool pool(6);
    blob::SegmentStore store(place_.path() + "/another/store");
    const auto made = package_segments(
        records_, {.compression = one},
        [&](std::span<const std::size_t>) -> Result<std::vector<std::string>> { return archives_; },
        store, pool, progress_);
    ::umask(mask);
    ::unsetenv("TZ");
    ASSERT_TRUE(made);
    for (std::size_t i = 0; i < records_.size(); ++i) {
      EXPECT_EQ(made->segments[i].segment, expected.segments[i].segment);
    }
    fs::remove_all(place_.path() + "/another");
  }
}

TEST_F(PackageSegmentTest, WhatDoesNotFitInMemoryIsSortedAllTheSame) {
  TestPackage large("large");
  std::string text;
  for (int i = 0; text.size() < (std::size_t{12} << 20U); ++i) {
    text += std::to_string(i % 10'000) + "\n";
  }
  for (const std::string name : {"z", "a", "m"}) {
    large.file("lib/" + name, name + text);
  }
  add(large);
  ASSERT_VALUE(packed, pack());
  ASSERT_VALUE(index, store_.index(packed.segments[0].segment));
  std::vector<std::string> paths;
  for (const blob::IndexEntry& entry : index.entries) {
    if (entry.path.find("/lib/") != std::string::npos) {
      paths.push_back(entry.path.substr(entry.path.size() - 1));
      EXPECT_EQ(entry.sha256, Digest::of(paths.back() + text).hex());
    }
  }
  EXPECT_THAT(paths, ElementsAre("a", "m", "z"));
  EXPECT_EQ(tar_of(packed).substr(index.entries.back().offset, 3), "z0\n");
  EXPECT_TRUE(fs::is_empty(place_.path() + "/store/tmp"));
}

TEST_F(PackageSegmentTest, ErrorsNameThePackageAndLeaveNothing) {
  add(TestPackage("good").file("x", "1"));
  TestPackage bad("bad");
  bad.file("y", "2");
  bad.line(Json::object().set("_path", "missing").set("path_type", "hardlink"));
  add(bad);
  const Result<PackageSegments> packed = pack();
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(packed.error().to_string(), HasSubstr("bad-1.0-0.conda"));
  EXPECT_TRUE(fs::is_empty(place_.path() + "/store/tmp"));
  EXPECT_EQ(pack({.prefix = "relative"}).error().kind, ErrorKind::kInvalid);
  records_[1] = records_[0];
  EXPECT_EQ(pack().error().kind, ErrorKind::kInvalid);
}

// As in a container, but on this machine and with its Python.
class BytecodeTest : public PackageSegmentTest {
 protected:
  void SetUp() override {
    const auto version = io::run_process(
        {.argv = {kPython, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"}});
    if (!version || !version->ok()) {
      GTEST_SKIP() << "no python3";
    }
    version_ = trim(version->output);
    options_.compile = [&](const BytecodeBatch& batch) -> Result<std::string> {
      ++compiled_;
      batch_ = batch;
      std::ofstream(batch.directory + "/program.py") << image_bytecode_program();
      const auto done = TRY(io::run_process(
          {.argv = {kPython, "-E", "-s", "-S", "-B", batch.directory + "/program.py",
                    batch.directory, batch.prefix, std::to_string(batch.packages), "2"}}));
      EXPECT_TRUE(done.ok()) << done.errors;
      return done.output;
    };
    TestPackage python("python", version_ + ".4");
    python.file("bin/python" + version_, "").file("share/man", "");
    add(python);
    records_.back().depends = {"libthing >=1.0", "pip"};
    add(TestPackage("libthing").file("lib/libthing.so", ""));
    TestPackage noarch("tool");
    noarch.noarch_python()
        .file("site-packages/tool/__init__.py", "def f(x):\n  return x in {None, 'a', 1.5}\n")
        .file("site-packages/tool/broken.py", "def f(:\n")
        .file("python-scripts/tool.py", "pass\n");
    add(noarch);
  }

  std::string bytecode_name() const {
    return "lib/python" + version_ + "/site-packages/tool/__pycache__/__init__.cpython-" +
           version_.substr(0, 1) + version_.substr(2) + ".pyc";
  }

  static constexpr const char* kPython = "/usr/bin/python3";
  std::string version_;
  SegmentOptions options_;
  BytecodeBatch batch_;
  int compiled_ = 0;
};

TEST_F(BytecodeTest, IsInTheSegmentsOfNoarchPythonPackagesAndInTheirRecords) {
  ASSERT_VALUE(plain, pack());
  ASSERT_VALUE(packed, pack(options_));
  const std::string tree = unpacked(packed);
  EXPECT_THAT(tree, HasSubstr(bytecode_name() + " 644"));
  EXPECT_THAT(tree, testing::Not(HasSubstr("broken.cpython")));
  EXPECT_THAT(tree, HasSubstr("\"path_type\": \"pyc_file\""));
  EXPECT_EQ(batch_.runtime.size(), 2U);  // python and libthing
  EXPECT_NE(packed.segments[2].key, plain.segments[2].key);
  EXPECT_EQ(packed.segments[1].segment, plain.segments[1].segment);
  ASSERT_VALUE(again, pack(options_));
  EXPECT_EQ(again.segments[2].segment, packed.segments[2].segment);
  EXPECT_EQ(compiled_, 1);
  EXPECT_TRUE(fs::is_empty(place_.path() + "/store/tmp"));
}

TEST_F(BytecodeTest, IsTheSameInAnotherPlaceAndBelieved) {
  ASSERT_VALUE(packed, pack(options_));
  const std::string place = place_.path() + "/another/place/with/a/long/name";
  store_ = blob::SegmentStore(place);
  ::setenv("TZ", "Asia/Tokyo", 1);
  ASSERT_VALUE(again, pack(options_));
  ::unsetenv("TZ");
  EXPECT_EQ(compiled_, 2);
  EXPECT_EQ(again.segments[2].segment, packed.segments[2].segment);
  const io::TemporaryDirectory root = io::test_directory();
  const auto unpack =
      io::run_process({.argv = {"tar", "-xpf", "-", "-C", root.path()}, .input = tar_of(packed)});
  ASSERT_TRUE(unpack && unpack->ok());
  const std::string packages =
      root.path() + "/opt/cloche/env/lib/python" + version_ + "/site-packages";
  const auto run =
      io::run_process({.argv = {kPython, "-v", "-c", "import tool; print(tool.f(1.5))"},
                       .environment = {{"PYTHONPATH=" + packages, "PATH=/usr/bin"}}});
  ASSERT_TRUE(run && run->ok());
  EXPECT_THAT(run->errors, HasSubstr("matches " + packages + "/tool/__init__.py"));
  EXPECT_EQ(run->output, "True\n");
}

TEST_F(BytecodeTest, IsMadeAgainForAnotherInterpreterAndNotForAnotherLibrary) {
  ASSERT_TRUE(pack(options_));
  records_[1].sha256 = std::string(64, '7');  // libthing
  ASSERT_VALUE(library, pack(options_));
  EXPECT_FALSE(library.segments[2].made);
  records_[0].sha256 = std::string(64, '8');  // python
  ASSERT_VALUE(python, pack(options_));
  EXPECT_TRUE(python.segments[2].made);
}

TEST_F(BytecodeTest, OfAnotherPackageIsTaken) {
  add(TestPackage("brings").file(bytecode_name(), "theirs"));
  ASSERT_VALUE(packed, pack(options_));
  EXPECT_THAT(unpacked(packed), HasSubstr(bytecode_name() + " 644 1 theirs\n"));
}

// Bytecode that a package brings is believed: Python writes none and reads the .pyc.
TEST_F(PackageSegmentTest, PythonDoesNotCompileAgainWhatThePackageCompiled) {
  const std::string python = "/usr/bin/python3";
  const std::string work = place_.path() + "/build";
  fs::create_directories(work);
  const std::string source = "import sys\nvalue = 42\n";
  std::ofstream(work + "/module.py") << source;
  const std::string compile =
      "import os, py_compile, sys; os.utime('module.py', (1700000000, 1700000000)); "
      "print(py_compile.compile('module.py', doraise=True, "
      "invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP))";
  const auto compiled = io::run_process({.argv = {python, "-I", "-c", compile}, .directory = work});
  if (!compiled || !compiled->ok()) {
    GTEST_SKIP() << "no python3";
  }
  const std::string pyc(trim(compiled->output));
  std::ifstream file(work + "/" + pyc, std::ios::binary);
  const std::string bytecode{std::istreambuf_iterator<char>(file), {}};
  TestPackage package("module");
  package.file("lib/" + pyc, bytecode);
  package.file("lib/module.py", source);
  package.set_mtime("lib/module.py", 1'700'000'000);
  add(package);
  ASSERT_VALUE(packed, pack());
  const io::TemporaryDirectory root = io::test_directory();
  const auto unpack =
      io::run_process({.argv = {"tar", "-xpf", "-", "-C", root.path()}, .input = tar_of(packed)});
  ASSERT_TRUE(unpack && unpack->ok());
  const std::string lib = root.path() + "/opt/cloche/env/lib";
  const auto run = io::run_process({.argv = {python, "-v", "-c", "import module"},
                                    .environment = {{"PYTHONPATH=" + lib, "PATH=/usr/bin"}}});
  ASSERT_TRUE(run && run->ok());
  EXPECT_THAT(run->errors, HasSubstr("matches " + lib + "/module.py"));
  EXPECT_THAT(run->errors, testing::Not(HasSubstr("wrote '" + lib)));
}

}  // namespace
}  // namespace cloche::source
