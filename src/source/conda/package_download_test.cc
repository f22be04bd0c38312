#include "source/conda/package_download.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/disk_files.h"
#include "io/http_testing.h"
#include "io/testing.h"

namespace cloche::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string content_of(const std::string& name) {
  std::string out = name + " ";
  while (out.size() < 100'000) {
    out += out;
  }
  return out;
}

class PackageCacheTest : public ::testing::Test {
 protected:
  static io::HttpOptions fast() {
    io::HttpOptions options;
    options.backoff_base_ms = 1;
    options.retries = 1;
    return options;
  }

  conda::PackageRecord record(const std::string& name) {
    conda::PackageRecord out;
    out.name = name;
    out.version = "1";
    out.build = "0";
    out.channel = server_.url("/forge");
    out.subdir = "noarch";
    out.file_name = name + "-1-0.conda";
    out.url = out.channel + "/noarch/" + out.file_name;
    out.sha256 = Digest::of(content_of(name)).hex();
    out.size_bytes = content_of(name).size();
    return out;
  }

  static std::string path_of(const conda::PackageRecord& record) {
    return "/forge/noarch/" + record.file_name;
  }

  void serve(const conda::PackageRecord& record, io::TestResource resource = {}) {
    resource.body = content_of(record.name);
    server_.set(path_of(record), std::move(resource));
  }

  Result<std::vector<std::string>> fetch(const std::vector<conda::PackageRecord>& records,
                                         const std::vector<Channel>& channels = {},
                                         bool offline = false) {
    return cache_.fetch(records, channels, {.offline = offline}, {}, progress_);
  }

  static std::string read(const std::string& path) {
    return io::DiskFiles().read(path, 1U << 20U).value_or("?");
  }

  // What lies in the cache, but for empty folders and the store's own lock.
  std::vector<std::string> left() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
      if (entry.is_regular_file() && entry.path().filename() != "sweep.lock") {
        out.push_back(entry.path().filename());
      }
    }
    return out;
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  io::TestServer server_;
  io::HttpClient client_{fast()};
  Credentials credentials_;
  Progress progress_;
  PackageCache cache_{directory_.path(), client_, credentials_};
};

TEST_F(PackageCacheTest, DownloadsEachOnce) {
  std::vector<conda::PackageRecord> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(record("p" + std::to_string(i)));
    serve(records.back());
  }
  records.push_back(records[3]);  // twice in the request
  ASSERT_VALUE(paths, fetch(records));
  ASSERT_EQ(paths.size(), records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(read(paths[i]), content_of(records[i].name));
  }
  EXPECT_THAT(server_.requests(), SizeIs(40));
  ASSERT_VALUE(again, fetch(records));
  EXPECT_EQ(again, paths);
  EXPECT_THAT(server_.requests(), SizeIs(40));
  EXPECT_TRUE(fetch(records, {}, true));
  EXPECT_THAT(left(), SizeIs(40));
}

TEST_F(PackageCacheTest, AWrongHashNamesPackageAndUrlAndLeavesNothing) {
  conda::PackageRecord good = record("good");
  conda::PackageRecord bad = record("bad");
  serve(good);
  serve(bad);
  bad.sha256 = std::string(64, '0');
  const auto failed = fetch({good, bad});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(failed.error().message, HasSubstr("bad-1-0.conda from " + bad.url));
  EXPECT_FALSE(failed.error().hint.empty());
  EXPECT_THAT(left(), ElementsAre(good.sha256));
}

TEST_F(PackageCacheTest, AnotherSizeIsRefused) {
  for (const int difference : {-1, 1}) {
    conda::PackageRecord one = record("a");
    serve(one);
    one.size_bytes = static_cast<std::uint64_t>(static_cast<int>(one.size_bytes) + difference);
    const auto failed = fetch({one});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(left(), IsEmpty());
  }
}

TEST_F(PackageCacheTest, TakesAMirrorThatHasTheRightOne) {
  const conda::PackageRecord one = record("a");
  server_.set("/wrong/noarch/" + one.file_name, {.body = content_of("b")});
  server_.set("/right/noarch/" + one.file_name, {.body = content_of("a")});
  const Channel channel{
      .name = "forge",
      .url = one.channel,
      .mirrors = {server_.url("/none"), server_.url("/wrong"), server_.url("/right")},
      .subdirs = {},
      .aliases = {}};
  ASSERT_VALUE(paths, fetch({one}, {channel}));
  EXPECT_EQ(read(paths.front()), content_of("a"));
}

TEST_F(PackageCacheTest, ContinuesWhatAnEarlierProcessLeft) {
  const conda::PackageRecord one = record("a");
  io::TestResource cut;
  cut.cut_times = 2;
  cut.cut_after = 40'000;
  serve(one, cut);
  ASSERT_FALSE(fetch({one}));
  EXPECT_THAT(left(), ElementsAre("sha256-" + one.sha256));
  server_.forget_requests();
  ASSERT_VALUE(paths, fetch({one}));
  EXPECT_EQ(read(paths.front()), content_of("a"));
  EXPECT_EQ(server_.requests().front().headers.at("range"), "bytes=80000-");
}

TEST_F(PackageCacheTest, APartialFileThatIsOfSomethingElseIsNotKept) {
  const conda::PackageRecord one = record("a");
  std::filesystem::create_directories(directory_.path() + "/partial");
  for (const std::string& before : {std::string("something else"), std::string(one.size_bytes, 'x'),
                                    std::string(one.size_bytes + 5, 'x'), content_of("a")}) {
    std::filesystem::remove_all(directory_.path() + "/blobs");
    std::ofstream(directory_.path() + "/partial/sha256-" + one.sha256) << before;
    serve(one);
    ASSERT_VALUE(paths, fetch({one}));
    EXPECT_EQ(read(paths.front()), content_of("a"));
    EXPECT_THAT(left(), ElementsAre(one.sha256));
  }
}

TEST_F(PackageCacheTest, ChecksTheMd5WhereThereIsNoSha256) {
  conda::PackageRecord one = record("a");
  serve(one);
  one.sha256.clear();
  Hasher hasher(Hasher::Algorithm::kMd5);
  hasher.update(content_of("a"));
  one.md5 = hasher.finish_hex();
  ASSERT_VALUE(paths, fetch({one}));
  EXPECT_EQ(read(paths.front()), content_of("a"));
  server_.forget_requests();
  ASSERT_VALUE(again, fetch({one}));
  EXPECT_EQ(again, paths);
  EXPECT_THAT(server_.requests(), IsEmpty());

  one.md5 = std::string(32, '0');
  EXPECT_EQ(fetch({one}).error().kind, ErrorKind::kCorrupt);
  one.md5.clear();
  EXPECT_EQ(fetch({one}).error().kind, ErrorKind::kUnsupported);
  one.md5 = "../../etc/passwd";
  EXPECT_EQ(fetch({one}).error().kind, ErrorKind::kInvalid);
}

TEST_F(PackageCacheTest, UsesLocalChannelsInPlace) {
  const io::TemporaryDirectory place = io::test_directory();
  conda::PackageRecord one = record("a");
  one.url = "file://" + place.path() + "/a-1-0.conda";
  EXPECT_EQ(fetch({one}).error().kind, ErrorKind::kNotFound);
  std::ofstream(place.path() + "/a-1-0.conda") << content_of("a");
  ASSERT_VALUE(paths, fetch({one}, {}, true));
  EXPECT_THAT(paths, ElementsAre(place.path() + "/a-1-0.conda"));
  std::ofstream(place.path() + "/a-1-0.conda") << content_of("b");
  EXPECT_EQ(fetch({one}).error().kind, ErrorKind::kCorrupt);
}

TEST_F(PackageCacheTest, OfflineSaysWhatIsMissing) {
  const auto failed = fetch({record("a")}, {}, true);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(failed.error().message, HasSubstr("a-1-0.conda"));
}

TEST_F(PackageCacheTest, AServersRefusalIsPassedOn) {
  const auto missing = fetch({record("a")});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("a-1-0.conda cannot be downloaded"));
  EXPECT_THAT(left(), IsEmpty());
  io::TestResource secret;
  secret.authorization = "Basic x";
  serve(record("b"), secret);
  EXPECT_EQ(fetch({record("b")}).error().kind, ErrorKind::kPermission);
}

TEST_F(PackageCacheTest, AFullDiskIsToldAndWhatCameIsContinued) {
  const conda::PackageRecord one = record("a");
  serve(one);
  {
    const io::LowerLimit limit(RLIMIT_FSIZE, 50'000);
    const auto failed = fetch({one});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  }
  ASSERT_VALUE(paths, fetch({one}));
  EXPECT_EQ(read(paths.front()), content_of("a"));
  EXPECT_THAT(left(), ElementsAre(one.sha256));
}

TEST_F(PackageCacheTest, StopsWhenAsked) {
  io::TestResource slow;
  slow.delay_ms = 30'000;
  serve(record("a"), slow);
  serve(record("b"));
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    source.request_stop();
  });
  const std::vector<conda::PackageRecord> records = {record("a"), record("b")};
  const auto paths = cache_.fetch(records, {}, {}, source.get_token(), progress_);
  ASSERT_FALSE(paths);
  EXPECT_EQ(paths.error().kind, ErrorKind::kCancelled);
  EXPECT_THAT(left(), ElementsAre(record("b").sha256));  // what had come is kept
}

TEST_F(PackageCacheTest, ManyAtOnceDoNotDisturbEachOther) {
  std::vector<conda::PackageRecord> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back(record("p" + std::to_string(i)));
    io::TestResource slow;
    slow.delay_ms = 10;
    serve(records.back(), slow);
  }
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        io::HttpClient client(fast());
        Progress silent;
        PackageCache cache(directory_.path(), client, credentials_);
        const auto paths = cache.fetch(records, {}, {}, {}, silent);
        for (std::size_t i = 0; paths && i < records.size(); ++i) {
          good += read((*paths)[i]) == content_of(records[i].name) ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(good, 40);
  EXPECT_THAT(left(), SizeIs(10));
}

}  // namespace
}  // namespace cloche::source
