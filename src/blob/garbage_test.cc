#include "blob/garbage.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blob/blob_store.h"
#include "blob/lease.h"
#include "core/testing.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

pid_t in_child(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  return pid;
}

// Makes a file look as if it had last been used so long ago.
void age(const std::string& path, std::int64_t seconds) {
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  const timespec when{info.st_mtim.tv_sec - seconds, 0};
  const timespec times[2] = {when, when};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

class GarbageTest : public testing::Test {
 protected:
  GarbageTest() : directory_(io::test_directory()), store_(directory_.path()) {}

  Digest put_old(std::string_view content) {
    const Digest digest = store_.put(content).value();
    age(store_.path(digest).value(), 100);
    return digest;
  }

  Result<GarbageReport> collect(const std::set<Digest>& roots, GarbageOptions options = {}) {
    return collect_garbage(
        directory_.path(),
        [&](const Keep& keep) -> Status {
          for (const Digest& root : roots) {
            keep(root, "root");
          }
          return {};
        },
        options, {}, quiet_);
  }

  std::ptrdiff_t count_in(const std::string& folder) const {
    const std::string path = directory_.path() + "/" + folder;
    return fs::exists(path) ? std::distance(fs::directory_iterator(path), fs::directory_iterator())
                            : 0;
  }

  io::TemporaryDirectory directory_;
  BlobStore store_;
  Progress quiet_;
};

TEST_F(GarbageTest, TakesWhatNoRootReaches) {
  const Digest kept = put_old("kept");
  const Digest gone = put_old("gone!");
  ASSERT_VALUE(report, collect({kept}));
  EXPECT_TRUE(store_.contains(kept));
  EXPECT_FALSE(store_.contains(gone));
  ASSERT_EQ(report.removed.size(), 1U);
  EXPECT_EQ(report.removed[0].path, "blobs/sha256/" + gone.hex());
  EXPECT_EQ(report.removed[0].why, "nothing refers to it");
  EXPECT_EQ(report.removed_bytes, 5U);
  EXPECT_EQ(report.kept_bytes, 4U);
  EXPECT_EQ(report.kept.at("root").count, 1U);
}

TEST_F(GarbageTest, ADryRunChangesNothing) {
  const Digest gone = put_old("gone!");
  ASSERT_VALUE(report, collect({}, {.dry_run = true}));
  EXPECT_TRUE(store_.contains(gone));
  EXPECT_EQ(report.removed_bytes, 5U);
  EXPECT_EQ(collect({})->removed_bytes, 5U);
}

TEST_F(GarbageTest, AStoreThatIsNotThereHasNone) {
  Progress quiet;
  const Roots never = [](const Keep&) -> Status { return fail(ErrorKind::kInternal, "asked"); };
  const std::string nowhere = directory_.path() + "/nowhere";
  EXPECT_TRUE(collect_garbage(nowhere, never, {}, {}, quiet).has_value());
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST_F(GarbageTest, RootsThatCannotBeReadKeepEverything) {
  const Digest blob = put_old("blob");
  const Roots broken = [](const Keep&) -> Status { return fail(ErrorKind::kCorrupt, "broken"); };
  const auto report = collect_garbage(directory_.path(), broken, {}, {}, quiet_);
  EXPECT_EQ(report.error().kind, ErrorKind::kCorrupt);
  EXPECT_TRUE(store_.contains(blob));
}

TEST_F(GarbageTest, ALeaseKeepsWhatWasWrittenOrUsedUnderIt) {
  const Digest before = put_old("before");
  const Digest reused = put_old("reused");
  std::optional<Lease> lease = Lease::take(directory_.path()).value();
  const Digest written = store_.put("written").value();
  EXPECT_EQ(store_.put("reused").value(), reused);
  ASSERT_VALUE(report, collect({}));
  EXPECT_FALSE(store_.contains(before));
  EXPECT_TRUE(store_.contains(written));
  EXPECT_TRUE(store_.contains(reused));
  EXPECT_EQ(report.kept.at("used by work that is running").count, 2U);
  lease.reset();
  EXPECT_EQ(count_in("leases"), 0);
  age(store_.path(written).value(), 1);
  age(store_.path(reused).value(), 1);
  EXPECT_EQ(collect({})->removed.size(), 2U);
}

TEST_F(GarbageTest, TheOldestLeaseCounts) {
  ASSERT_VALUE(old, Lease::take(directory_.path()));
  const Digest blob = store_.put("blob").value();
  std::this_thread::sleep_for(milliseconds(20));
  {
    ASSERT_VALUE(young, Lease::take(directory_.path()));
    (void)young;
  }
  ASSERT_VALUE(another, Lease::take(directory_.path()));
  EXPECT_TRUE(collect({})->removed.empty());
  EXPECT_TRUE(store_.contains(blob));
  (void)old;
  (void)another;
}

TEST_F(GarbageTest, TheDeadHaveNoLease) {
  const pid_t child = in_child([&] {
    const auto lease = Lease::take(directory_.path());
    std::ofstream(directory_.path() + "/held") << "x";
    ::pause();
  });
  while (!fs::exists(directory_.path() + "/held")) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  const Digest blob = store_.put("blob").value();
  EXPECT_TRUE(collect({})->removed.empty());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(count_in("leases"), 1);
  EXPECT_EQ(collect({})->removed.size(), 1U);
  EXPECT_EQ(count_in("leases"), 0);
  EXPECT_FALSE(store_.contains(blob));
}

TEST_F(GarbageTest, SweepsWhatTheDeadLeft) {
  ASSERT_TRUE(store_.put("x").has_value());
  const std::string tmp = directory_.path() + "/tmp";
  std::ofstream(tmp + "/.cloche-old") << "12345";
  std::ofstream(tmp + "/.cloche-new") << "12345";
  fs::create_directories(tmp + "/cloche-tree/a");
  std::ofstream(tmp + "/cloche-tree/a/b") << "123";
  fs::create_symlink("/", tmp + "/cloche-tree/root");
  age(tmp + "/.cloche-old", 4000);
  age(tmp + "/cloche-tree", 4000);
  std::ofstream(directory_.path() + "/outside") << "stays";
  fs::create_symlink("../outside", tmp + "/link");
  ASSERT_VALUE(report, collect({Digest::of("x")}));
  ASSERT_EQ(report.removed.size(), 2U);
  EXPECT_EQ(report.removed[0].path, "tmp/.cloche-old");
  EXPECT_EQ(report.removed[0].size_bytes, 5U);
  EXPECT_EQ(report.removed[1].path, "tmp/cloche-tree");
  EXPECT_EQ(report.removed[1].size_bytes, 3U);
  EXPECT_TRUE(fs::exists(tmp + "/.cloche-new"));
  EXPECT_TRUE(fs::exists(directory_.path() + "/outside"));
}

TEST_F(GarbageTest, LeavesAloneWhatIsNoBlob) {
  ASSERT_TRUE(store_.put("x").has_value());
  const std::string blobs = directory_.path() + "/blobs/sha256/";
  std::ofstream(blobs + "README") << "of a person";
  fs::create_directory(blobs + std::string(64, 'a'));
  fs::create_symlink("README", blobs + std::string(64, 'b'));
  age(blobs + "README", 100);
  EXPECT_EQ(collect({Digest::of("x")})->removed.size(), 0U);
  EXPECT_TRUE(fs::exists(blobs + "README"));
}

TEST_F(GarbageTest, AStopLeavesTheRest) {
  put_old("blob");
  std::stop_source stop;
  stop.request_stop();
  const auto report = collect_garbage(
      directory_.path(), [](const Keep&) { return Status(); }, {}, stop.get_token(), quiet_);
  EXPECT_EQ(report.error().kind, ErrorKind::kCancelled);
}

TEST_F(GarbageTest, AStoreThatMayOnlyBeReadShowsWhatWouldGo) {
  put_old("blob");
  fs::permissions(directory_.path(), fs::perms(0555));
  const io::Unprivileged person;
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  EXPECT_EQ(collect({}, {.dry_run = true})->removed.size(), 1U);
  EXPECT_EQ(collect({}).error().kind, ErrorKind::kPermission);
}

TEST_F(GarbageTest, NoLeaseIsNeededWhereNothingMayBeWritten) {
  EXPECT_TRUE(Lease::take_where_writable(directory_.path()).value().has_value());
  fs::permissions(directory_.path(), fs::perms(0555));
  fs::permissions(directory_.path() + "/leases", fs::perms(0555));
  const io::Unprivileged person;
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  EXPECT_EQ(Lease::take(directory_.path()).error().kind, ErrorKind::kPermission);
  EXPECT_FALSE(Lease::take_where_writable(directory_.path()).value().has_value());
}

// --- builders and collectors against each other, in processes ---

// References are files under refs/, named by their builder, that hold digests line by line.
class Concurrent : public GarbageTest {
 protected:
  Concurrent() { fs::create_directories(refs()); }

  std::string refs() const { return directory_.path() + "/refs"; }

  Status visit(const Keep& keep) const {
    for (const auto& file : fs::directory_iterator(refs())) {
      std::ifstream in(file.path());
      for (std::string hex; std::getline(in, hex);) {
        if (const auto digest = Digest::parse("sha256:" + hex)) {
          keep(*digest, "reference");
        }
      }
    }
    return {};
  }

  // Makes environments of 5 out of 12 possible blobs, over and over: many are shared, and each is
  // dropped again when its builder makes the next.
  void build(int builder, int rounds) const {
    std::mt19937 random(static_cast<unsigned>(builder));
    const BlobStore store(directory_.path());
    for (int round = 0; round < rounds; ++round) {
      const auto lease = Lease::take(directory_.path());
      if (!lease) {
        ::_exit(2);
      }
      std::string reference;
      for (int i = 0; i < 5; ++i) {
        const auto digest = store.put("blob " + std::to_string(random() % 12));
        if (!digest) {
          ::_exit(3);
        }
        reference += digest->hex() + "\n";
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
      }
      if (!io::write_file_atomically(refs() + "/" + std::to_string(builder), reference)) {
        ::_exit(4);
      }
    }
  }

  void expect_whole() const {
    ASSERT_TRUE(visit([&](const Digest& digest, std::string_view) {
                  EXPECT_TRUE(store_.read(digest, 100).has_value()) << digest.hex();
                }).has_value());
  }

  void collect_for_ever() const {
    Progress quiet;
    while (true) {
      const auto report = collect_garbage(
          directory_.path(), [this](const Keep& keep) { return visit(keep); },
          {.leftover_age_s = 0}, {}, quiet);
      if (!report) {
        std::fputs(report.error().to_string().c_str(), stderr);
        ::_exit(5);
      }
    }
  }

  void run(int builders, int collectors) {
    std::vector<pid_t> sweepers;
    for (int i = 0; i < collectors; ++i) {
      sweepers.push_back(in_child([&] { collect_for_ever(); }));
    }
    std::vector<pid_t> children;
    for (int i = 0; i < builders; ++i) {
      children.push_back(in_child([&, i] { build(i, 40); }));
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
    for (const pid_t sweeper : sweepers) {
      EXPECT_EQ(::waitpid(sweeper, nullptr, WNOHANG), 0) << "it ended by itself";
      ::kill(sweeper, SIGKILL);
      ::waitpid(sweeper, nullptr, 0);
    }
    expect_whole();
  }
};

using GarbageProcesses = Concurrent;

TEST_F(GarbageProcesses, TwoLoseNothingThatIsReferredTo) { run(2, 1); }

TEST_F(GarbageProcesses, EightLoseNothingThatIsReferredTo) { run(6, 2); }

TEST_F(GarbageProcesses, KilledAtAnyPointLoseNothingThatIsReferredTo) {
  for (int i = 0; i < 30; ++i) {
    const pid_t sweeper = in_child([&] { collect_for_ever(); });
    const pid_t builder = in_child([&] { build(i % 3, 1'000'000); });
    std::this_thread::sleep_for(milliseconds(5 + i % 7 * 3));
    ::kill(i % 2 == 0 ? sweeper : builder, SIGKILL);
    std::this_thread::sleep_for(milliseconds(i % 5));
    ::kill(i % 2 == 0 ? builder : sweeper, SIGKILL);
    ::waitpid(sweeper, nullptr, 0);
    ::waitpid(builder, nullptr, 0);
    expect_whole();
  }
  // What all of them left goes, and nothing but the references' blobs stays.
  std::this_thread::sleep_for(milliseconds(20));
  std::set<Digest> wanted;
  ASSERT_TRUE(
      visit([&](const Digest& digest, std::string_view) { wanted.insert(digest); }).has_value());
  ASSERT_TRUE(collect(wanted, {.leftover_age_s = 0}).has_value());
  EXPECT_EQ(count_in("blobs/sha256"), static_cast<std::ptrdiff_t>(wanted.size()));
  EXPECT_EQ(count_in("tmp"), 0);
  EXPECT_EQ(count_in("leases"), 0);
  EXPECT_EQ(count_in("locks"), 0);
}

}  // namespace
}  // namespace cloche::blob
