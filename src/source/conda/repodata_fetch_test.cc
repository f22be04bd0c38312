#include "source/conda/repodata_fetch.h"

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

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string kZst = std::string("\x28\xB5\x2F\xFD") + "not really, but it begins like it";
const std::string kJson = R"({"packages":{}})";

io::HttpOptions fast() {
  io::HttpOptions options;
  options.backoff_base_ms = 1;
  options.retries = 1;
  return options;
}

class RepodataCacheTest : public ::testing::Test {
 protected:
  Channel channel(const std::string& name = "forge") const {
    const std::string url = server_.url("/" + name);
    return {.name = name, .url = url, .mirrors = {url}, .subdirs = {}, .aliases = {}};
  }

  Result<std::vector<RepodataFile>> fetch(const std::vector<Channel>& channels,
                                          const RepodataOptions& options = {}) {
    diagnostics_ = {};
    const auto subdirs = channel_subdirs(channels, "linux-64");
    return cache_.fetch(subdirs, options, {}, progress_, diagnostics_);
  }

  std::string content(const RepodataFile& file) const {
    return io::DiskFiles().read(file.path, 1U << 20U).value_or("?");
  }

  std::size_t files_in_cache() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  io::TestServer server_;
  io::HttpClient client_{fast()};
  Credentials credentials_;
  FakeClock clock_;
  Progress progress_;
  Diagnostics diagnostics_;
  RepodataCache cache_{directory_.path(), client_, credentials_, clock_};
};

TEST_F(RepodataCacheTest, FetchesTheSmallestVariantOfEverySubdir) {
  server_.set("/forge/linux-64/repodata.json.zst", {.body = kZst});
  server_.set("/forge/noarch/repodata.json", {.body = kJson});
  ASSERT_VALUE(files, fetch({channel()}));
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].subdir, "linux-64");
  EXPECT_EQ(files[0].compression, io::Compression::kZstd);
  EXPECT_EQ(content(files[0]), kZst);
  EXPECT_EQ(files[0].content_key, Digest::of(kZst).hex());
  EXPECT_EQ(files[0].size_bytes, kZst.size());
  EXPECT_EQ(files[0].url, server_.url("/forge/linux-64/repodata.json.zst"));
  EXPECT_FALSE(files[0].stale);
  EXPECT_EQ(files[1].compression, io::Compression::kNone);
  EXPECT_EQ(content(files[1]), kJson);
}

TEST_F(RepodataCacheTest, DoesNotAskWhileTheCopyIsFresh) {
  for (const char* subdir : {"linux-64", "noarch"}) {
    server_.set(std::string("/forge/") + subdir + "/repodata.json.zst",
                {.body = kZst, .etag = "\"1\"", .cache_control = "public, max-age=100"});
  }
  ASSERT_TRUE(fetch({channel()}));
  server_.forget_requests();
  clock_.advance_ms(99'000);
  ASSERT_VALUE(fresh, fetch({channel()}));
  EXPECT_THAT(server_.requests(), IsEmpty());
  EXPECT_EQ(fresh[0].content_key, Digest::of(kZst).hex());

  ASSERT_TRUE(fetch({channel()}, {.refresh = true}));
  EXPECT_THAT(server_.requests(), SizeIs(2));  // 304, and fresh again from now on
  clock_.advance_ms(99'000);
  ASSERT_TRUE(fetch({channel()}));
  EXPECT_THAT(server_.requests(), SizeIs(2));
  clock_.advance_ms(2'000);
  ASSERT_VALUE(again, fetch({channel()}));
  EXPECT_THAT(server_.requests(), SizeIs(4));
  EXPECT_EQ(server_.requests().back().headers.at("if-none-match"), "\"1\"");
  EXPECT_EQ(content(again[0]), kZst);
}

TEST_F(RepodataCacheTest, TakesWhatIsNew) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson, .etag = "\"1\""});
  ASSERT_TRUE(fetch({channel()}));
  const std::string more = R"({"packages":{},"removed":[]})";
  server_.set("/forge/noarch/repodata.json", {.body = more, .etag = "\"2\""});
  ASSERT_VALUE(files, fetch({channel()}));
  EXPECT_EQ(content(files[1]), more);
  EXPECT_EQ(files[1].content_key, Digest::of(more).hex());
}

TEST_F(RepodataCacheTest, RemembersWhichVariantsAServerHas) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson});
  ASSERT_TRUE(fetch({channel()}));
  server_.forget_requests();
  ASSERT_TRUE(fetch({channel()}));
  EXPECT_EQ(server_.count("/forge/noarch/repodata.json.zst"), 0U);
  EXPECT_EQ(server_.count("/forge/noarch/repodata.json"), 1U);
  clock_.advance_ms(std::int64_t{15} * 24 * 3'600'000);
  ASSERT_TRUE(fetch({channel()}));
  EXPECT_EQ(server_.count("/forge/noarch/repodata.json.zst"), 1U);
  // A variant that went away is found to be missing, and the others are tried.
  server_.remove("/forge/noarch/repodata.json");
  server_.set("/forge/noarch/repodata.json.zst", {.body = kZst});
  ASSERT_VALUE(files, fetch({channel()}));
  EXPECT_EQ(content(files[1]), kZst);
}

TEST_F(RepodataCacheTest, AMissingPlatformIsEmpty) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson});
  ASSERT_VALUE(files, fetch({channel()}));
  EXPECT_TRUE(files[0].missing);
  EXPECT_EQ(files[0].path, "");
  EXPECT_FALSE(files[1].missing);
  server_.forget_requests();
  ASSERT_VALUE(again, fetch({channel()}));
  EXPECT_TRUE(again[0].missing);
  EXPECT_EQ(server_.count("/forge/linux-64/repodata.json.zst"), 0U);
}

TEST_F(RepodataCacheTest, AChannelThatIsNowhereIsAnErrorWithTheNearestName) {
  const auto files = fetch({channel("conda-forgee")});
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(files.error().message, HasSubstr("conda-forgee"));
  EXPECT_EQ(files.error().hint, "did you mean conda-forge?");
}

TEST_F(RepodataCacheTest, AChannelWithoutNoarchIsReadWithAWarning) {
  server_.set("/forge/linux-64/repodata.json", {.body = kJson});
  ASSERT_VALUE(files, fetch({channel()}));
  EXPECT_TRUE(files[1].missing);
  ASSERT_THAT(diagnostics_.list(), SizeIs(1));
  EXPECT_EQ(diagnostics_.list().front().rule, "conda-no-noarch");
}

TEST_F(RepodataCacheTest, AChannelThatIsDownIsAnErrorThatOffersTheCachedCopy) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson});
  ASSERT_TRUE(fetch({channel()}));
  clock_.advance_ms(std::int64_t{3} * 3'600'000);
  server_.set("/forge/noarch/repodata.json", {.fail_times = 100});
  const auto failed = fetch({channel()});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(failed.error().message, HasSubstr("the channel forge"));
  EXPECT_THAT(failed.error().hint, HasSubstr("3 hours old"));

  ASSERT_VALUE(stale, fetch({channel()}, {.allow_stale = true}));
  EXPECT_TRUE(stale[1].stale);
  EXPECT_EQ(content(stale[1]), kJson);
  ASSERT_THAT(diagnostics_.list(), SizeIs(1));
  EXPECT_THAT(diagnostics_.list().front().message, HasSubstr("3 hours old"));
}

TEST_F(RepodataCacheTest, OfflineAsksNobody) {
  const auto nothing = fetch({channel()}, {.offline = true});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::kUnavailable);
  server_.set("/forge/noarch/repodata.json", {.body = kJson});
  ASSERT_TRUE(fetch({channel()}));
  server_.forget_requests();
  clock_.advance_ms(std::int64_t{100} * 3'600'000);
  ASSERT_VALUE(files, fetch({channel()}, {.offline = true}));
  EXPECT_THAT(server_.requests(), IsEmpty());
  EXPECT_TRUE(files[1].stale);
  EXPECT_THAT(diagnostics_.list().back().message, HasSubstr("4 days old"));
}

TEST_F(RepodataCacheTest, AnErrorPageIsNeverKept) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson});
  ASSERT_TRUE(fetch({channel()}));
  server_.set("/forge/noarch/repodata.json", {.body = "<html>please log in</html>"});
  const auto failed = fetch({channel()});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kCorrupt);
  ASSERT_VALUE(stale, fetch({channel()}, {.allow_stale = true}));
  EXPECT_EQ(content(stale[1]), kJson);
}

TEST_F(RepodataCacheTest, ATruncatedBodyIsNeverKept) {
  server_.set("/forge/noarch/repodata.json",
              {.body = kJson, .cut_times = 100, .cut_after = kJson.size() - 1});
  const auto failed = fetch({channel()});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  // Only the state of the platform, which the server has not.
  EXPECT_LE(files_in_cache(), 1U);
}

TEST_F(RepodataCacheTest, ADamagedCopyIsNotBelieved) {
  server_.set("/forge/noarch/repodata.json",
              {.body = kJson, .etag = "\"1\"", .cache_control = "max-age=1000"});
  ASSERT_VALUE(before, fetch({channel()}));
  std::ofstream(before[1].path) << "{}";
  ASSERT_VALUE(after, fetch({channel()}));
  EXPECT_EQ(content(after[1]), kJson);
}

TEST_F(RepodataCacheTest, ADiscardedCopyIsFetchedAnew) {
  server_.set("/forge/noarch/repodata.json",
              {.body = kJson, .etag = "\"1\"", .cache_control = "max-age=1000"});
  ASSERT_VALUE(before, fetch({channel()}));
  ASSERT_TRUE(cache_.discard(before[1]));
  server_.forget_requests();
  ASSERT_VALUE(after, fetch({channel()}));
  EXPECT_FALSE(server_.requests().back().headers.contains("if-none-match"));
  EXPECT_EQ(content(after[1]), kJson);
}

TEST_F(RepodataCacheTest, TheCopyBeforeADiscardedOneIsThereOffline) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson, .cache_control = "max-age=1000"});
  ASSERT_TRUE(fetch({channel()}));
  server_.set("/forge/noarch/repodata.json", {.body = "{ damaged"});
  ASSERT_VALUE(bad, fetch({channel()}, {.refresh = true}));
  EXPECT_EQ(content(bad[1]), "{ damaged");
  ASSERT_VALUE(age, cache_.discard(bad[1]));
  EXPECT_NE(age, "");
  ASSERT_VALUE(offline, fetch({channel()}, {.offline = true}));
  EXPECT_EQ(content(offline[1]), kJson);
  EXPECT_TRUE(offline[1].stale);
  ASSERT_VALUE(nothing, cache_.discard(offline[1]));
  EXPECT_EQ(nothing, "");
}

TEST_F(RepodataCacheTest, SaysThatAnAnswerWasEmpty) {
  server_.set("/forge/noarch/repodata.json", {.body = ""});
  ASSERT_VALUE(files, fetch({channel()}));
  EXPECT_EQ(files[1].size_bytes, 0U);
  ASSERT_EQ(diagnostics_.list().size(), 1U);
  EXPECT_EQ(diagnostics_.list().front().rule, "conda-empty-repodata");
}

TEST_F(RepodataCacheTest, AStateThatCannotBeReadIsMadeAnew) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson, .cache_control = "max-age=1000"});
  ASSERT_TRUE(fetch({channel()}));
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    if (entry.path().string().ends_with(".state.json")) {
      std::ofstream(entry.path()) << R"({"version": 1, "file": "../../etc/passwd")";
    }
  }
  ASSERT_VALUE(files, fetch({channel()}));
  EXPECT_EQ(content(files[1]), kJson);
}

TEST_F(RepodataCacheTest, SendsCredentials) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson, .authorization = "Bearer secret"});
  const auto refused = fetch({channel()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
  credentials_.add(server_.url("/forge"),
                   {.user = "", .password = "", .bearer = "secret", .token = ""});
  ASSERT_TRUE(fetch({channel()}));
}

TEST_F(RepodataCacheTest, AsksTheNextMirror) {
  Channel mirrored = channel();
  mirrored.mirrors = {server_.url("/down"), server_.url("/up")};
  server_.set("/up/noarch/repodata.json", {.body = kJson});
  ASSERT_VALUE(files, fetch({mirrored}));
  EXPECT_EQ(content(files[1]), kJson);
  EXPECT_EQ(files[1].url, server_.url("/forge/noarch/repodata.json"));
}

TEST_F(RepodataCacheTest, ReadsLocalChannelsInPlace) {
  const io::TemporaryDirectory place = io::test_directory();
  std::filesystem::create_directories(place.path() + "/noarch");
  std::ofstream(place.path() + "/noarch/repodata.json") << kJson;
  const Channel local{
      .name = "here", .url = "file://" + place.path(), .mirrors = {}, .subdirs = {}, .aliases = {}};
  ASSERT_VALUE(files, fetch({local}, {.offline = true}));
  EXPECT_TRUE(files[0].missing);
  EXPECT_EQ(files[1].path, place.path() + "/noarch/repodata.json");
  EXPECT_FALSE(files[1].stale);
  std::ofstream(place.path() + "/noarch/repodata.json") << "{}";
  ASSERT_VALUE(changed, fetch({local}));
  EXPECT_NE(changed[1].content_key, files[1].content_key);
  EXPECT_EQ(files_in_cache(), 0U);

  std::filesystem::remove(place.path() + "/noarch/repodata.json");
  const auto nothing = fetch({local});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(nothing.error().hint, HasSubstr("conda index"));
}

TEST_F(RepodataCacheTest, AFullDiskLeavesTheOldCopy) {
  server_.set("/forge/noarch/repodata.json", {.body = kJson});
  ASSERT_TRUE(fetch({channel()}));
  const std::size_t before = files_in_cache();
  server_.set("/forge/noarch/repodata.json", {.body = kJson + std::string(100'000, ' ')});
  {
    const io::LowerLimit limit(RLIMIT_FSIZE, 10'000);
    const auto failed = fetch({channel()});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  }
  EXPECT_EQ(files_in_cache(), before);
  ASSERT_VALUE(old, fetch({channel()}, {.offline = true}));
  EXPECT_EQ(content(old[1]), kJson);
  ASSERT_VALUE(files, fetch({channel()}));
  EXPECT_GT(files[1].size_bytes, 100'000U);
}

TEST_F(RepodataCacheTest, StopsWhenAsked) {
  io::TestResource slow;
  slow.body = kJson;
  slow.delay_ms = 30'000;
  server_.set("/forge/noarch/repodata.json.zst", slow);
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    source.request_stop();
  });
  const std::vector<Channel> channels = {channel()};
  const auto subdirs = channel_subdirs(channels, "linux-64");
  const auto files =
      cache_.fetch(subdirs, {.allow_stale = true}, source.get_token(), progress_, diagnostics_);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().kind, ErrorKind::kCancelled);
}

TEST_F(RepodataCacheTest, ManyAtOnceDoNotDisturbEachOther) {
  for (int version = 0; version < 5; ++version) {
    const std::string body = R"({"packages":{},"version":)" + std::to_string(version) + "}";
    server_.set("/forge/noarch/repodata.json", {.body = body});
    std::vector<std::jthread> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        io::HttpClient client(fast());
        RepodataCache cache(directory_.path(), client, credentials_, clock_);
        Diagnostics diagnostics;
        const std::vector<Channel> channels = {channel()};
        const auto subdirs = channel_subdirs(channels, "linux-64");
        const auto files = cache.fetch(subdirs, {}, {}, progress_, diagnostics);
        good += files && content((*files)[1]) == body ? 1 : 0;
      });
    }
    threads.clear();
    EXPECT_EQ(good, 4);
  }
}

}  // namespace
}  // namespace cloche::source
