// Real test packages of conda, rattler and mamba installed together, and other judges' opinion.
#include <chrono>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "core/digest.h"
#include "core/testing.h"
#include "core/text.h"
#include "io/process.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"
#include "source/conda/prefix_install.h"

namespace cloche::source {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class RealInstallTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(root())) {
      GTEST_SKIP() << "no shared packages";
    }
  }

  static std::string root() { return CLOCHE_SOURCE_DIR + "/../shared/data/conda/packages/"; }

  // The record as the package's own index.json has it.
  static InstallPackage package(const std::string& file) {
    const PackageMetadata metadata = *read_package_metadata(*PackageArchive::open(root() + file));
    InstallPackage package{.record = {}, .archive = root() + file};
    package.record.name = metadata.name;
    package.record.version = metadata.version;
    package.record.build = metadata.build;
    package.record.noarch = metadata.noarch;
    package.record.subdir = metadata.index.string_or_empty("subdir");
    package.record.channel = "https://conda.anaconda.org/test";
    return package;
  }

  Result<InstallReport> install(const std::vector<std::string>& files) {
    std::vector<InstallPackage> all;
    for (const std::string& file : files) {
      all.push_back(package(file));
    }
    return install_prefix(all, {.prefix = prefix()}, pool_, clock_, progress_);
  }

  std::string prefix() const { return place_.path() + "/e"; }

  std::string read(const std::string& path) const {
    std::ifstream file(prefix() + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  io::TemporaryDirectory place_ = io::test_directory();
  io::ThreadPool pool_{2};
  FakeClock clock_;
  Progress progress_;
};

// rattler: crates/rattler/src/install/clobber_registry.rs gives the last of the sorted packages the
// path too.
TEST_F(RealInstallTest, ClobberedFilesAreTheLastPackages) {
  ASSERT_VALUE(report, install({"rattler/clobber-1-0.1.0-h4616a5c_0.tar.bz2",
                                "rattler/clobber-2-0.1.0-h4616a5c_0.tar.bz2",
                                "rattler/clobber-3-0.1.0-h4616a5c_0.tar.bz2"}));
  EXPECT_EQ(read("clobber.txt"), "clobber-3\n");
  EXPECT_THAT(report.clobbers,
              ElementsAre(Clobber{"another-clobber.txt", "clobber-3", {"clobber-1", "clobber-2"}},
                          Clobber{"clobber.txt", "clobber-3", {"clobber-1", "clobber-2"}}));
}

TEST_F(RealInstallTest, ADependentClobbersWhatItDependsOn) {
  ASSERT_VALUE(report, install({"rattler/clobber-pypy-0.1.0-h4616a5c_0.conda",
                                "rattler/clobber-python-0.1.0-cpython.conda"}));
  EXPECT_EQ(read("bin/python"), "cpython\n");
  EXPECT_THAT(report.clobbers,
              ElementsAre(Clobber{"bin/python", "clobber-python", {"clobber-pypy"}}));
}

TEST_F(RealInstallTest, FilesAndDirectoriesOfOneName) {
  ASSERT_VALUE(report, install({"rattler/clobber-fd-1-0.1.0-h4616a5c_0.conda",
                                "rattler/clobber-fd-2-0.1.0-h4616a5c_0.conda",
                                "rattler/clobber-fd-3-0.1.0-h4616a5c_0.conda"}));
  EXPECT_TRUE(fs::is_directory(prefix() + "/clobber"));
  EXPECT_TRUE(fs::exists(prefix() + "/clobber/clobber-fd-2.txt"));
  EXPECT_TRUE(fs::exists(prefix() + "/clobber/clobber-fd-3.txt"));
  EXPECT_THAT(report.clobbers, ElementsAre(Clobber{"clobber", "clobber-fd-2", {"clobber-fd-1"}}));
}

TEST_F(RealInstallTest, DirectoriesGiveWayToALaterFile) {
  ASSERT_VALUE(report, install({"rattler/clobber-fd-rev-1-0.1.0-h4616a5c_0.conda",
                                "rattler/clobber-fd-rev-2-0.1.0-h4616a5c_0.conda",
                                "rattler/clobber-fd-rev-3-0.1.0-h4616a5c_0.conda"}));
  EXPECT_TRUE(fs::is_regular_file(prefix() + "/clobber"));
  EXPECT_EQ(report.clobbers.size(), 2U);
}

TEST_F(RealInstallTest, LinksClobberToo) {
  ASSERT_VALUE(report, install({"rattler/clobber-with-symlink-a-0.1.0-h4616a5c_0.conda",
                                "rattler/clobber-with-symlink-b-0.1.0-h4616a5c_0.conda"}));
  EXPECT_EQ(fs::read_symlink(prefix() + "/lib/clobber.so"), "clobber-1.txt");
  EXPECT_THAT(
      report.clobbers,
      ElementsAre(Clobber{"lib/clobber.so", "clobber-with-symlink-b", {"clobber-with-symlink-a"}}));
}

TEST_F(RealInstallTest, NotesScriptsAndKeepsActivation) {
  ASSERT_VALUE(report, install({"rattler/link-scripts-0.1.0-h4616a5c_0.conda",
                                "conda/activate_deactivate_package-1.0-0.conda"}));
  EXPECT_THAT(
      report.scripts,
      ElementsAre(LinkScript{"link-scripts", "post-link", "bin/.link-scripts-post-link.sh"},
                  LinkScript{"link-scripts", "pre-unlink", "bin/.link-scripts-pre-unlink.sh"}));
  EXPECT_TRUE(fs::exists(prefix() + "/etc/conda/activate.d/activate.sh"));
}

// conda-package-handling unpacks to the same files with the same content; what differs is what
// installing adds to unpacking.
TEST_F(RealInstallTest, AgreesWithCondaPackageHandling) {
  if (!fs::exists("/usr/bin/cph")) {
    GTEST_SKIP() << "no conda-package-handling";
  }
  std::size_t compared = 0;
  for (const std::string file :
       {"cph/mock-2.0.0-py37_1000.conda", "cph/mock-2.0.0-py37_1000.tar.bz2",
        "cph/cph_test_data-0.0.1-0.tar.bz2", "conda/small-executable-1.0-0.conda"}) {
    const std::string theirs = place_.path() + "/theirs";
    fs::remove_all(theirs);
    fs::remove_all(prefix());
    ASSERT_VALUE(run, io::run_process(
                          {.argv = {"/usr/bin/cph", "extract", root() + file, "--dest", theirs}}));
    ASSERT_TRUE(run.ok()) << run.errors;
    ASSERT_TRUE(install({file}));
    for (const auto& one : fs::recursive_directory_iterator(theirs)) {
      const fs::path path = one.path().lexically_relative(theirs);
      if (*path.begin() == "info" || (one.is_directory() && !one.is_symlink())) {
        continue;
      }
      const fs::path ours = prefix() / path;
      ASSERT_TRUE(fs::exists(fs::symlink_status(ours))) << ours;
      ASSERT_EQ(one.is_symlink(), fs::is_symlink(ours));
      if (one.is_symlink()) {
        EXPECT_EQ(fs::read_symlink(one), fs::read_symlink(ours));
      } else {
        std::ifstream stream(one.path(), std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(stream), {}};
        EXPECT_EQ(read(path.string()), content) << path;
        const auto time = [](const fs::path& at) {
          return std::chrono::floor<std::chrono::seconds>(fs::last_write_time(at));
        };
        EXPECT_EQ(time(one), time(ours)) << path;
      }
      ++compared;
    }
  }
  EXPECT_GT(compared, 70U);
}

class BrokenInstallTest : public testing::Test {
 protected:
  static InstallPackage large(const std::string& directory) {
    TestPackage package("large");
    for (int i = 0; i < 200; ++i) {
      package.file("f" + std::to_string(i), std::string(100'000, static_cast<char>('a' + i % 26)));
    }
    return {.record = package.record(), .archive = package.write(directory)};
  }

  io::ThreadPool pool_{1};
  FakeClock clock_;
  Progress progress_;
};

TEST_F(BrokenInstallTest, AFullDiskLeavesNothing) {
  const auto disk = io::SmallDisk::create(std::uint64_t{4} << 20U);
  if (!disk) {
    GTEST_SKIP() << "mounting is not allowed";
  }
  const io::TemporaryDirectory place = io::test_directory();
  const auto report = install_prefix({large(place.path())}, {.prefix = disk->path() + "/e"}, pool_,
                                     clock_, progress_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(fs::is_empty(disk->path()));
}

TEST_F(BrokenInstallTest, AKilledProcessLeavesNoPrefix) {
  const io::TemporaryDirectory place = io::test_directory();
  const InstallPackage package = large(place.path());
  const std::string envs = place.path() + "/envs";
  const pid_t child = ::fork();
  if (child == 0) {
    // Dies when the first files are there.
    class Killer : public Progress {
      void advance(std::string_view, std::uint64_t, std::string_view) override { ::raise(SIGKILL); }
    };
    Killer killer;
    io::ThreadPool pool(1);
    (void)install_prefix({package}, {.prefix = envs + "/e"}, pool, clock_, killer);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(envs + "/e"));
  // What is left says what it is, and is no environment.
  int left = 0;
  for (const auto& one : fs::directory_iterator(envs)) {
    EXPECT_THAT(one.path().filename().string(), testing::MatchesRegex("cloche-[0-9a-f]{16}"));
    EXPECT_FALSE(fs::exists(one.path() / "prefix/conda-meta/history"));
    ++left;
  }
  EXPECT_EQ(left, 1);
  EXPECT_TRUE(install_prefix({package}, {.prefix = envs + "/e"}, pool_, clock_, progress_));
}

}  // namespace
}  // namespace cloche::source
