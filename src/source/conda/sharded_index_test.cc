#include "source/conda/sharded_index.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "io/http_testing.h"
#include "io/testing.h"
#include "source/conda/channel_url.h"
#include "source/conda/msgpack_testing.h"
#include "source/conda/repodata_testing.h"
#include "source/conda/sharded_source.h"

namespace cloche::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kSha = std::string(64, 'a');
const std::string kMd5 = std::string(32, 'b');

// A shard with one package in both formats, another only in the old one, and a v3 one.
MsgpackWriter shard_of(const std::string& name) {
  const auto record = [&name](MsgpackWriter& out, const std::string& version) {
    out.map(9).text("name").text(name).text("version").text(version).text("build").text("0");
    out.text("build_number").integer(7).text("depends").array(1).text("python >=3");
    out.text("sha256").binary(raw_hash(kSha)).text("md5").binary(raw_hash(kMd5));
    out.text("noarch").text("python").text("run_exports").map(1).text("weak").array(0);
  };
  MsgpackWriter out;
  out.map(5).text("packages").map(2).text(name + "-1-0.tar.bz2");
  record(out, "1");
  out.text(name + "-2-0.tar.bz2");
  record(out, "2");
  out.text("packages.conda").map(1).text(name + "-2-0.conda");
  record(out, "2");
  out.text("v3").map(2).text("conda").map(1).text(name + "-3-0");
  record(out, "3");
  out.text("whl").map(0);
  out.text("removed").array(1).text(name + "-0-0.conda");
  out.text("something new").nil();
  return out;
}

io::HttpOptions impatient() {
  io::HttpOptions options;
  options.retries = 0;
  return options;
}

class ShardedIndexTest : public ::testing::Test {
 protected:
  ShardedIndexTest() {
    const std::string url = server_.url("/forge");
    channel_ = {.name = "forge", .url = url, .mirrors = {url}, .subdirs = {}, .aliases = {}};
  }

  // Puts an index of shards with these names on the server, with relative URLs.
  void serve(const std::vector<std::string>& names, const std::string& subdir = "noarch") {
    MsgpackWriter index;
    index.map(3).text("version").integer(1).text("info").map(3);
    index.text("base_url").text("../packages").text("shards_base_url").text("./shards/");
    index.text("created_at").text("2026-01-01T00:00:00Z").text("shards").map(names.size());
    for (const std::string& name : names) {
      const std::string shard = shard_of(name).zstd();
      const Digest digest = Digest::of(shard);
      index.text(name).binary(raw_hash(digest.hex()));
      server_.set("/forge/" + subdir + "/shards/" + digest.hex() + ".msgpack.zst", {.body = shard});
    }
    server_.set("/forge/" + subdir + "/repodata_shards.msgpack.zst", {.body = index.zstd()});
  }

  Result<ShardedIndex> open(bool offline = false) {
    RepodataCache cache(directory_.path(), client_, credentials_, clock_);
    const std::vector<ChannelSubdir> subdirs = {{channel_, "noarch"}};
    Diagnostics diagnostics;
    const auto files = TRY(
        cache.fetch(subdirs, {.offline = offline, .use_shards = true}, {}, progress_, diagnostics));
    if (!files.front().sharded) {
      return fail(ErrorKind::kNotFound, "no shards");
    }
    return ShardedIndex::open(files.front(), directory_.path(), client_, credentials_, offline);
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  io::TestServer server_;
  io::HttpClient client_{impatient()};
  Credentials credentials_;
  FakeClock clock_;
  Progress progress_;
  Channel channel_;
};

TEST_F(ShardedIndexTest, ReadsTheRecordsOfAName) {
  serve({"numpy", "python"});
  ASSERT_VALUE(index, open());
  EXPECT_THAT(index.names(), ElementsAre("numpy", "python"));
  ASSERT_VALUE(records, index.records("numpy"));
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(records[0].file_name, "numpy-1-0.tar.bz2");
  EXPECT_EQ(records[1].file_name, "numpy-2-0.conda");
  EXPECT_EQ(records[2].file_name, "numpy-3-0.conda");
  const conda::PackageRecord& record = records[1];
  EXPECT_EQ(record.version, "2");
  EXPECT_EQ(record.build_number, 7);
  EXPECT_EQ(record.subdir, "noarch");
  EXPECT_EQ(record.channel, channel_.url);
  EXPECT_EQ(record.url, server_.url("/forge/packages/numpy-2-0.conda"));
  EXPECT_EQ(record.sha256, kSha);
  EXPECT_EQ(record.md5, kMd5);
  EXPECT_EQ(record.noarch, conda::Noarch::kPython);
  EXPECT_THAT(record.depends, ElementsAre("python >=3"));
  ASSERT_VALUE(none, index.records("scipy"));
  EXPECT_THAT(none, IsEmpty());
}

TEST_F(ShardedIndexTest, FetchesOnlyWhatIsAskedForAndOnlyOnce) {
  serve({"a", "b", "c", "d"});
  ASSERT_VALUE(index, open());
  server_.forget_requests();
  const std::vector<std::string_view> names = {"a", "c", "unknown"};
  ASSERT_TRUE(index.prefetch(names, {}, progress_));
  EXPECT_THAT(server_.requests(), SizeIs(2));
  ASSERT_TRUE(index.prefetch(names, {}, progress_));
  ASSERT_TRUE(index.records("a"));
  EXPECT_THAT(server_.requests(), SizeIs(2));
  ASSERT_VALUE(again, open());
  server_.forget_requests();
  ASSERT_TRUE(again.records("c"));
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(ShardedIndexTest, SeveralSubdirsAreFetchedInOneGo) {
  serve({"a", "b"});
  ASSERT_VALUE(one, open());
  serve({"a", "z"});
  ASSERT_VALUE(other, open());
  const std::vector<ShardedIndex*> both = {&one, &other};
  const std::vector<std::string_view> names = {"a", "b", "z"};
  server_.forget_requests();
  ASSERT_TRUE(ShardedIndex::prefetch(both, names, {}, progress_));
  EXPECT_THAT(server_.requests(), SizeIs(3));  // both have the same shard of a
}

TEST_F(ShardedIndexTest, ADamagedShardIsRefused) {
  serve({"numpy"});
  ASSERT_VALUE(index, open());
  const std::string path =
      "/forge/noarch/shards/" + Digest::of(shard_of("numpy").zstd()).hex() + ".msgpack.zst";
  server_.set(path, {.body = "something else"});
  const auto records = index.records("numpy");
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(records.error().message, HasSubstr("numpy"));
  serve({"numpy"});
  EXPECT_TRUE(index.records("numpy"));
}

TEST_F(ShardedIndexTest, ADamagedCachedShardIsFetchedAnew) {
  serve({"numpy"});
  ASSERT_VALUE(index, open());
  ASSERT_TRUE(index.records("numpy"));
  const std::string hex = Digest::of(shard_of("numpy").zstd()).hex();
  std::ofstream(directory_.path() + "/shards/" + hex.substr(0, 2) + "/" + hex + ".msgpack.zst")
      << "damaged";
  EXPECT_TRUE(index.records("numpy"));
}

TEST_F(ShardedIndexTest, OfflineSaysWhatIsNotCached) {
  serve({"a", "b"});
  ASSERT_VALUE(index, open());
  ASSERT_TRUE(index.records("a"));
  server_.forget_requests();
  ASSERT_VALUE(offline, open(true));
  EXPECT_TRUE(offline.records("a"));
  const auto missing = offline.records("b");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(ShardedIndexTest, AChannelWithoutShardsIsReadWhole) {
  server_.set("/forge/noarch/repodata.json", {.body = "{}"});
  const auto index = open();
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().message, "no shards");
  server_.forget_requests();
  EXPECT_FALSE(open());  // remembered for a day
  EXPECT_EQ(server_.count("/forge/noarch/repodata_shards.msgpack.zst"), 0U);
  EXPECT_EQ(open(true).error().message, "no shards");
}

TEST_F(ShardedIndexTest, AnIndexThatIsNoneIsCorrupt) {
  MsgpackWriter version;
  version.map(1).text("version").integer(2);
  MsgpackWriter hash;
  hash.map(1).text("shards").map(1).text("a").binary("short");
  MsgpackWriter other;
  other.map(1).text("info").map(1).text("subdir").text("win-64");
  MsgpackWriter more;
  more.map(0).nil();
  for (const std::string& body : {zstd_compressed("not msgpack"), version.zstd(), hash.zstd(),
                                  other.zstd(), more.zstd(), shard_of("a").zstd().substr(0, 50)}) {
    server_.set("/forge/noarch/repodata_shards.msgpack.zst", {.body = body});
    const auto index = open();
    ASSERT_FALSE(index);
    EXPECT_TRUE(index.error().kind == ErrorKind::kCorrupt ||
                index.error().kind == ErrorKind::kUnsupported);
    EXPECT_THAT(index.error().message, HasSubstr("forge/noarch"));
  }
}

TEST_F(ShardedIndexTest, ARecordThatLeadsElsewhereIsRefused) {
  for (const std::string name : {"../x-1-0.conda", "/x-1-0.conda", ".x", "", "a b"}) {
    MsgpackWriter shard;
    shard.map(1).text("packages.conda").map(1).text(name);
    shard.map(2).text("name").text("x").text("version").text("1");
    EXPECT_FALSE(parse_shard(shard.bytes(), channel_, "noarch", "https://c/")) << name;
  }
  EXPECT_FALSE(parse_shard(MsgpackWriter().nil().bytes(), channel_, "noarch", "https://c/"));
}

TEST_F(ShardedIndexTest, GivesTheProviderItsRecords) {
  serve({"numpy"});
  ASSERT_VALUE(index, open());
  ShardedSource source(std::make_shared<ShardGroup>(std::stop_token(), progress_),
                       std::move(index));
  EXPECT_THAT(source.names(), ElementsAre("numpy"));
  ASSERT_VALUE(found, source.records_of("numpy"));
  ASSERT_EQ(found.records.size(), 3U);
  const conda::PackageRecord record =
      found.index->package_record(found.records.front(), channel_.url);
  EXPECT_EQ(record.name, "numpy");
  EXPECT_EQ(found.index->base_url(), server_.url("/forge/packages/"));
  ASSERT_VALUE(none, source.records_of("scipy"));
  EXPECT_EQ(none.index, nullptr);
}

TEST_F(ShardedIndexTest, AGroupFetchesForAllItsSources) {
  serve({"a", "b"});
  ASSERT_VALUE(one, open());
  serve({"c"});
  ASSERT_VALUE(other, open());
  const auto group = std::make_shared<ShardGroup>(std::stop_token(), progress_);
  ShardedSource first(group, std::move(one));
  ShardedSource second(group, std::move(other));
  server_.forget_requests();
  const std::vector<std::string_view> names = {"a", "c"};
  ASSERT_TRUE(first.prefetch(names));
  EXPECT_THAT(server_.requests(), SizeIs(2));
  ASSERT_TRUE(second.prefetch(names));
  ASSERT_TRUE(second.records_of("c"));
  EXPECT_THAT(server_.requests(), SizeIs(2));
}

// A value of a repodata.json as shards have it: hashes as bytes.
void write_value(MsgpackWriter& out, const Json& value, std::string_view key = "") {
  if (value.is_object()) {
    out.map(value.members().size());
    for (const auto& [name, member] : value.members()) {
      out.text(name);
      write_value(out, member, name);
    }
  } else if (value.is_array()) {
    out.array(value.items().size());
    for (const Json& item : value.items()) {
      write_value(out, item);
    }
  } else if (value.is_string()) {
    const bool hash = key == "md5" || key == "sha256";
    hash ? out.binary(raw_hash(value.as_string())) : out.text(value.as_string());
  } else if (value.is_integer()) {
    out.integer(value.as_integer());
  } else if (value.is_bool()) {
    out.boolean(value.as_bool());
  } else {
    out.nil();
  }
}

// Real records cut into shards are, name by name, what the parser of repodata.json makes of them.
TEST_F(ShardedIndexTest, AgreesWithTheWholeRepodata) {
  const std::string text = shared_repodata(CLOCHE_SOURCE_DIR, "cf-real/noarch");
  if (text.empty()) {
    GTEST_SKIP() << "no real repodata here";
  }
  ASSERT_VALUE(index,
               RepodataIndex::from_bytes(*shared_index_bytes(CLOCHE_SOURCE_DIR, "cf-real/noarch")));

  ASSERT_VALUE(json, parse_json(text));
  std::map<std::string, std::map<std::string, Json::Object>> by_name;
  for (const std::string key : {"packages", "packages.conda"}) {
    if (json[key].is_object()) {
      for (const Json::Member& record : json[key].members()) {
        by_name[record.second.string_or_empty("name")][key].push_back(record);
      }
    }
  }
  EXPECT_EQ(by_name.size(), index.name_count());
  for (const auto& [name, parts] : by_name) {
    MsgpackWriter shard;
    shard.map(parts.size());
    for (const auto& [key, records] : parts) {
      shard.text(key);
      write_value(shard, Json(records));
    }
    ASSERT_VALUE(records,
                 parse_shard(shard.bytes(), channel_, "noarch", channel_.url + "/noarch/"));
    std::map<std::string, conda::PackageRecord> expected;
    for (const RepodataIndex::Record& record : index.records_of(name)) {
      conda::PackageRecord one = index.package_record(record, channel_.url);
      expected[one.file_name] = one;
    }
    ASSERT_EQ(records.size(), expected.size()) << name;
    for (const conda::PackageRecord& record : records) {
      ASSERT_TRUE(record == expected[record.file_name]) << record.file_name;
    }
  }
}

TEST(ResolveUrl, FollowsTheRfc) {
  struct Case {
    std::string base, reference, expected;
  };
  for (const Case& one : {
           Case{"https://h/c/noarch/repodata.json", "", "https://h/c/noarch/"},
           Case{"https://h/c/noarch/x", "./shards/", "https://h/c/noarch/shards/"},
           Case{"https://h/c/noarch/x", "shards", "https://h/c/noarch/shards"},
           Case{"https://h/c/noarch/x", "../packages/", "https://h/c/packages/"},
           Case{"https://h/c/noarch/x", "../../../../y/", "https://h/y/"},
           Case{"https://h/c/noarch/x", "/y/", "https://h/y/"},
           Case{"https://h/c/noarch/x", "//other/y/", "https://other/y/"},
           Case{"https://h/c/noarch/x", "https://other/y/", "https://other/y/"},
           Case{"https://h/c/noarch/x", "https://u:p@other/y/", "https://other/y/"},
           Case{"file:///c/noarch/x", "../y/", "file:///c/y/"},
       }) {
    EXPECT_EQ(resolve_url(one.base, one.reference), one.expected) << one.reference;
  }
  EXPECT_EQ(package_url("https://h/c/noarch/repodata.json", "", "a.conda"),
            "https://h/c/noarch/a.conda");
  EXPECT_EQ(package_url("https://h/c/noarch/repodata.json", "https://o/x", "a.conda"),
            "https://o/x/a.conda");
}

}  // namespace
}  // namespace cloche::source
