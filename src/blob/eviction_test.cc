#include "blob/eviction.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "blob/blob_store.h"
#include "blob/cached_directory.h"
#include "blob/lease.h"
#include "core/testing.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class EvictionTest : public testing::Test {
 protected:
  // A blob of 100 bytes that was used so many seconds ago.
  Digest put(const std::string& folder, char letter, std::int64_t seconds_ago) {
    const BlobStore store(place_.path() + "/" + folder);
    const Digest digest = store.put(std::string(100, letter)).value();
    age(store.path(digest).value(), seconds_ago);
    return digest;
  }
  static void age(const std::string& path, std::int64_t seconds) {
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    const timespec when{info.st_mtim.tv_sec - seconds, 0};
    const timespec times[2] = {when, when};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  void file(const std::string& path, std::int64_t seconds_ago) {
    const std::string whole = place_.path() + "/" + path;
    fs::create_directories(fs::path(whole).parent_path());
    std::ofstream(whole) << std::string(100, 'f');
    age(whole, seconds_ago);
  }

  // The paths that went.
  std::vector<std::string> run(const EvictionOptions& options) {
    const auto report = evict(place_.path(), options, {}, quiet_);
    EXPECT_TRUE(report.has_value()) << report.error().to_string();
    std::vector<std::string> out;
    for (const auto& one : report->removed) {
      out.push_back(one.path);
    }
    return out;
  }

  io::TemporaryDirectory place_ = io::test_directory();
  Progress quiet_;
};

TEST_F(EvictionTest, TakesWhatWasUsedLongestAgoOfAllKinds) {
  const Digest newest = put("packages", 'a', 10);
  const Digest oldest = put("segments", 'b', 400);
  file("repodata/x.json.zst", 300);
  file("index/y", 200);
  EXPECT_TRUE(run({.quota_bytes = 400}).empty());
  EXPECT_THAT(run({.quota_bytes = 399, .dry_run = true}),
              ElementsAre("segments/blobs/sha256/" + oldest.hex()));
  EXPECT_THAT(run({.quota_bytes = 200}),
              ElementsAre("repodata/x.json.zst", "segments/blobs/sha256/" + oldest.hex()));
  EXPECT_THAT(run({.quota_bytes = 0}),
              ElementsAre("index/y", "packages/blobs/sha256/" + newest.hex()));
}

TEST_F(EvictionTest, WhatIsWantedGoesLast) {
  const Digest wanted = put("packages", 'a', 400);
  const Digest other = put("packages", 'b', 10);
  EvictionOptions options{.quota_bytes = 100};
  options.wanted = [&](const Digest& digest) { return digest == wanted ? "locked here" : ""; };
  EXPECT_THAT(run(options), ElementsAre("packages/blobs/sha256/" + other.hex()));
}

TEST_F(EvictionTest, UsingAgainCounts) {
  const Digest first = put("packages", 'a', 400);
  const Digest second = put("packages", 'b', 300);
  EXPECT_TRUE(BlobStore(place_.path() + "/packages").use(first));
  EXPECT_THAT(run({.quota_bytes = 100}), ElementsAre("packages/blobs/sha256/" + second.hex()));
}

TEST_F(EvictionTest, WhatRunningWorkUsesStays) {
  const Digest unused = put("segments", 'b', 300);
  ASSERT_VALUE(lease, Lease::take(place_.path() + "/segments"));
  const BlobStore store(place_.path() + "/segments");
  const Digest used = store.put("used").value();
  EXPECT_THAT(run({.quota_bytes = 0}), ElementsAre("segments/blobs/sha256/" + unused.hex()));
  EXPECT_TRUE(store.contains(used));
  (void)lease;
}

TEST_F(EvictionTest, WithoutAQuotaOnlyLeftoversGo) {
  put("packages", 'a', 1'000'000);
  file("packages/partial/old", 100'000);
  file("packages/partial/new", 1000);
  file("segments/tmp/.cloche-old", 4000);
  file("segments/tmp/.cloche-new", 10);
  file("index/.cloche-old", 4000);
  file("index/.cloche-new", 10);
  file("index/old", 4000);
  file("repodata/.cloche-old", 4000);
  file("somebody/elses", 1'000'000);
  ASSERT_VALUE(use, cache_use(place_.path()));
  EXPECT_EQ(use.leftover_bytes, 400U);
  EXPECT_THAT(run({}), ElementsAre("index/.cloche-old", "packages/partial/old",
                                   "repodata/.cloche-old", "segments/tmp/.cloche-old"));
  EXPECT_TRUE(fs::exists(place_.path() + "/somebody/elses"));
}

TEST_F(EvictionTest, WhatAnImageHasTooIsNoGain) {
  const Digest shared = put("segments", 'a', 500);
  const Digest own = put("segments", 'b', 400);
  ASSERT_TRUE(BlobStore(place_.path() + "/image")
                  .link_from(BlobStore(place_.path() + "/segments"), shared));
  age(*BlobStore(place_.path() + "/segments").path(shared), 500);
  ASSERT_VALUE(use, cache_use(place_.path()));
  EXPECT_EQ(use.folders.at("segments").size_bytes, 100U);
  EXPECT_EQ(use.folders.at("segments").shared_bytes, 100U);
  EXPECT_TRUE(run({.quota_bytes = 100}).empty());
  EXPECT_THAT(run({.quota_bytes = 0}), ElementsAre("segments/blobs/sha256/" + own.hex()));
}

TEST_F(EvictionTest, UnpackedLayersGoAsAWhole) {
  const auto layer = [&](char letter, std::int64_t seconds_ago) {
    std::string path = "unpacked/" + std::string(64, letter);
    file(path + "/usr/lib/one", 10);
    file(path + "/usr/two", 10);
    fs::create_hard_link(place_.path() + "/" + path + "/usr/two",
                         place_.path() + "/" + path + "/usr/again");
    age(place_.path() + "/" + path, seconds_ago);
    return path;
  };
  const std::string oldest = layer('a', 40'000);
  const std::string runs = layer('b', 30'000);
  const std::string old = layer('c', 20'000);
  const std::string fresh = layer('d', 100);
  file("unpacked/" + std::string(64, 'a') + ".hides-all", 10);
  file("unpacked/" + std::string(64, 'e') + ".0123.part/usr/half", 10);
  age(place_.path() + "/unpacked/" + std::string(64, 'e') + ".0123.part", 100'000);
  ASSERT_VALUE(use, cache_use(place_.path()));
  EXPECT_EQ(use.folders.at("unpacked").count, 4U);
  EXPECT_EQ(use.folders.at("unpacked").size_bytes, 800U);
  EXPECT_EQ(use.leftover_bytes, 100U);
  EvictionOptions options{.quota_bytes = 600};
  options.in_use = [&](const std::string& path) { return path.ends_with(runs); };
  EXPECT_THAT(run(options), ElementsAre(oldest, "unpacked/" + std::string(64, 'e') + ".0123.part"));
  EXPECT_FALSE(fs::exists(place_.path() + "/" + oldest));
  options.quota_bytes = 0;
  options.dry_run = true;
  EXPECT_THAT(run(options), ElementsAre(old));
  EXPECT_TRUE(fs::exists(place_.path() + "/" + old));
  options.dry_run = false;
  EXPECT_TRUE(use_directory(place_.path() + "/unpacked", place_.path() + "/" + old));
  EXPECT_THAT(run(options), ElementsAre());
  EXPECT_TRUE(fs::exists(place_.path() + "/" + runs));
  EXPECT_TRUE(fs::exists(place_.path() + "/" + fresh));
  EXPECT_FALSE(use_directory(place_.path() + "/unpacked", place_.path() + "/" + oldest));
}

TEST_F(EvictionTest, ACacheThatIsNotThereIsEmpty) {
  const std::string nowhere = place_.path() + "/nowhere";
  EXPECT_TRUE(evict(nowhere, {.quota_bytes = 0}, {}, quiet_)->removed.empty());
  EXPECT_TRUE(cache_use(nowhere)->folders.empty());
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST_F(EvictionTest, SaysWhatACacheHolds) {
  put("packages", 'a', 1);
  put("packages", 'b', 1);
  file("index/y", 1);
  ASSERT_VALUE(use, cache_use(place_.path()));
  EXPECT_EQ(use.folders.at("packages").count, 2U);
  EXPECT_EQ(use.folders.at("packages").size_bytes, 200U);
  EXPECT_EQ(use.folders.at("index").size_bytes, 100U);
  EXPECT_FALSE(use.folders.contains("segments"));
}

}  // namespace
}  // namespace cloche::blob
