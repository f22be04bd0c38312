// Every package of the channels that debian_channel made becomes what its paths.json promises, file
// by file. Channels are made by `./dev channel SUITE` and `./dev demo`; without one the test skips.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "io/disk_files.h"
#include "io/testing.h"
#include "io/thread_pool.h"
#include "source/conda/package_files.h"

namespace cloche::source {
namespace {

namespace fs = std::filesystem;

// Directories with a subdir linux-64, sorted.
std::vector<std::string> channels() {
  std::set<std::string> places;
  if (const char* named = std::getenv("CLOCHE_TEST_CHANNEL")) {
    places.insert(named);
  }
  std::error_code ignored;
  for (const std::string& root :
       {source_dir() + "/build/channel", source_dir() + "/build/demo/channel"}) {
    for (fs::recursive_directory_iterator it(root, ignored), end; it != end;
         it.increment(ignored)) {
      if (it->path().filename() == "linux-64") {
        places.insert(it->path().parent_path());
        it.disable_recursion_pending();
      }
    }
  }
  return {places.begin(), places.end()};
}

// Takes everything: what is checked, PackageFiles::deliver() checks.
class Taker : public FileSink {
 public:
  Status directory(const std::string&) override { return {}; }
  Status file(const File&) override {
    ++files;
    return {};
  }
  Status content(std::string_view) override { return {}; }
  Status file_end(const std::string&) override { return {}; }
  Status symlink(const std::string&, const std::string&) override {
    ++files;
    return {};
  }
  Status hardlink(const std::string&, const std::string&) override { return {}; }

  std::size_t files = 0;
};

struct Package {
  std::string path;
  conda::PackageRecord record;
  std::string sha256;
};

std::vector<Package> packages_of(const std::string& channel) {
  io::DiskFiles disk;
  std::vector<Package> out;
  for (const std::string subdir : {"linux-64", "noarch"}) {
    const auto text = disk.read(channel + "/" + subdir + "/repodata.json", std::size_t{1} << 28U);
    EXPECT_TRUE(text);
    const auto json = parse_json(text.value_or("{}"));
    EXPECT_TRUE(json);
    for (const std::string_view key : {"packages", "packages.conda"}) {
      for (const auto& [name, one] : (*json)[key].members()) {
        Package package;
        package.path = channel + "/" + subdir + "/" + name;
        package.record.name = one.string_or_empty("name");
        package.record.version = one.string_or_empty("version");
        package.record.build = one.string_or_empty("build");
        package.record.noarch = one.string_or_empty("noarch") == "python" ? conda::Noarch::kPython
                                                                          : conda::Noarch::kNone;
        package.sha256 = one.string_or_empty("sha256");
        out.push_back(std::move(package));
      }
    }
  }
  return out;
}

TEST(TestChannel, EveryPackageBecomesWhatItPromises) {
  const std::vector<std::string> found = channels();
  if (found.empty()) {
    GTEST_SKIP() << "no channel was made: ./dev channel bookworm";
  }
  io::ThreadPool pool;
  for (const std::string& channel : found) {
    const std::vector<Package> packages = packages_of(channel);
    EXPECT_FALSE(packages.empty()) << channel;
    conda::PackageRecord python;
    python.name = "python";
    python.version = "3.11.2";
    const Placement where = Placement::of("/opt/cloche/env", &python);
    const Status all = pool.run(packages.size(), [&](std::size_t i) -> Status {
      const Package& one = packages[i];
      io::DiskFiles disk;
      const Digest digest = TRY(disk.digest(one.path));
      if (digest.hex() != one.sha256) {
        return fail(ErrorKind::kCorrupt, "{} has another sha256 than repodata.json says", one.path);
      }
      Taker taker;
      PackageFiles files =
          TRY(PackageFiles::open(TRY(PackageArchive::open(one.path)), one.record, where)
                  .context("in {}", one.path));
      TRY(files.deliver(taker).context("in {}", one.path));
      if (files.metadata().license_files.empty()) {
        return fail(ErrorKind::kInvalid, "{} has no licence", one.path);
      }
      return {};
    });
    EXPECT_TRUE(all) << all.error().to_string();
  }
}

}  // namespace
}  // namespace cloche::source
