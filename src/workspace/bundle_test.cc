#include "workspace/bundle.h"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/definition_json.h"
#include "definition/fingerprint.h"
#include "definition/testing.h"
#include "io/disk_files.h"
#include "io/testing.h"
#include "lock/testing.h"
#include "workspace/tar_header.h"
#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

using testing::HasSubstr;

TEST(TarHeader, GivesBackWhatWasEncoded) {
  for (const TarMember& member :
       {TarMember{"environment.json", 0}, TarMember{std::string(100, 'x'), 12345},
        TarMember{"a", kTarMaxSize}}) {
    EXPECT_EQ(decode_tar_header(encode_tar_header(member)).value(), member);
  }
  EXPECT_FALSE(decode_tar_header(std::string(kTarBlockBytes, '\0')).value().has_value());
  EXPECT_EQ(tar_padding(0), 0U);
  EXPECT_EQ(tar_padding(1), 511U);
  EXPECT_EQ(tar_padding(512), 0U);
}

RC_GTEST_PROP(TarHeader, NoticesEveryChangedByte, ()) {
  std::string block = encode_tar_header({"blobs/sha256/abc", 4711});
  const auto at = *rc::gen::inRange<std::size_t>(0, block.size());
  const auto change = *rc::gen::inRange(1, 256);
  block[at] = static_cast<char>(block[at] ^ change);
  const auto decoded = decode_tar_header(block);
  if (decoded.has_value()) {  // a blank for a NUL in the checksum's own field
    RC_ASSERT(at >= 148U && at < 156U);
    RC_ASSERT(*decoded == TarMember({"blobs/sha256/abc", 4711}));
  }
}

class BundleTest : public testing::Test {
 protected:
  BundleTest() : directory_(io::test_directory()), blobs_(directory_.path()) {}

  Result<definition::Environment> read(const std::string& bytes) {
    std::size_t at = 0;
    auto bundle = read_bundle(
        [&](char* buffer, std::size_t size) -> Result<std::size_t> {
          const std::size_t count = std::min(size, bytes.size() - at);
          std::memcpy(buffer, bytes.data() + at, count);
          at += count;
          return count;
        },
        blobs_);
    if (!bundle) {
      return bundle.error();
    }
    return bundle->environment;
  }
  static std::string member(const std::string& name, const std::string& content) {
    return encode_tar_header({name, content.size()}) + content +
           std::string(tar_padding(content.size()), '\0');
  }
  static std::string end() { return std::string(2 * kTarBlockBytes, '\0'); }
  static std::string main(const definition::Environment& environment) {
    const Json content = definition::to_json(environment);
    return member("environment.json",
                  Json::object()
                      .set("format", "cloche-environment")
                      .set("format_version", 1)
                      .set("digest", Digest::of(content.canonical()).to_string())
                      .set("environment", content)
                      .dump());
  }
  definition::Environment with_file(const std::string& content) {
    definition::Environment out;
    out.name = "a";
    definition::BuildContextBase context;
    definition::ContextFile file;
    file.path = "Dockerfile";
    file.mode = 0644;
    file.size_bytes = content.size();
    file.digest = Digest::of(content);
    context.files = {file};
    out.definition.base = context;
    return out;
  }
  static std::string blob_name(const std::string& content) {
    return "blobs/sha256/" + Digest::of(content).hex();
  }

  io::TemporaryDirectory directory_;
  blob::BlobStore blobs_;
};

TEST_F(BundleTest, AGoldenFileStaysReadable) {
  definition::Environment environment = conda_environment("train", {"python=3.11"});
  environment.version = "3";
  const std::string path = directory_.path() + "/a.cloche";
  ASSERT_TRUE(write_bundle({environment, {}}, blobs_, path).has_value());
  ASSERT_VALUE(bytes, io::DiskFiles().read(path, 1 << 20));
  expect_golden(CLOCHE_TESTDATA, "bundle/train.cloche", bytes);
  ASSERT_VALUE(found,
               read_bundle_file(std::string(CLOCHE_TESTDATA) + "/bundle/train.cloche", blobs_));
  EXPECT_EQ(found.environment, environment);
  EXPECT_TRUE(found.locks.empty());
}

TEST_F(BundleTest, TakesTheLocksAlong) {
  definition::Environment environment = conda_environment("train", {"python=3.11"});
  environment.version = "3";
  lock::Lock lock = lock::sample_lock();
  lock.fingerprint = definition::fingerprint(environment.definition);
  const std::string path = directory_.path() + "/a.cloche";
  ASSERT_TRUE(write_bundle({environment, {lock}}, blobs_, path).has_value());
  ASSERT_VALUE(found, read_bundle_file(path, blobs_));
  EXPECT_EQ(found.environment, environment);
  ASSERT_EQ(found.locks.size(), 1U);
  EXPECT_EQ(found.locks[0], lock);

  lock.fingerprint = std::string(32, '0');
  ASSERT_TRUE(write_bundle({environment, {lock}}, blobs_, path).has_value());
  const auto refused = read_bundle_file(path, blobs_);
  ASSERT_FALSE(refused.has_value()) << "the lock of another definition";
  EXPECT_EQ(refused.error().kind, ErrorKind::kCorrupt);
}

TEST_F(BundleTest, TheFuzzersCorpusHoldsGoodOnesAndBadOnes) {
  const std::string corpus = std::string(CLOCHE_TESTDATA) + "/fuzz/bundle/";
  for (const char* good : {"image", "context", "root_is_etc"}) {
    const auto result = read_bundle_file(corpus + good, blobs_);
    EXPECT_TRUE(result.has_value()) << good << ": " << result.error().to_string();
  }
  for (const char* bad : {"path_leaves", "wrong_size", "blob_missing", "blob_twice", "blob_other",
                          "no_end", "cut", "wrong_digest", "link_member", "stray_member"}) {
    EXPECT_EQ(read_bundle_file(corpus + bad, blobs_).error().kind, ErrorKind::kCorrupt) << bad;
  }
}

TEST_F(BundleTest, TakesFilesOutOfItself) {
  const auto environment = with_file("FROM a\n");
  const std::string good = main(environment) + member(blob_name("FROM a\n"), "FROM a\n") + end();
  ASSERT_VALUE(found, read(good));
  EXPECT_EQ(found, environment);
  EXPECT_EQ(blobs_.read(Digest::of("FROM a\n"), 100).value(), "FROM a\n");
}

TEST_F(BundleTest, NeverReadsThisMachinesFilesInItsName) {
  definition::Environment environment = with_file("secret");
  std::get<definition::BuildContextBase>(environment.definition.base).root = "/etc";
  ASSERT_VALUE(found, read(main(environment) + member(blob_name("secret"), "secret") + end()));
  EXPECT_EQ(std::get<definition::BuildContextBase>(found.definition.base).root, "");
}

TEST_F(BundleTest, RefusesWhatDoesNotBelong) {
  const auto environment = with_file("x");
  const std::string blob = member(blob_name("x"), "x");
  const std::pair<std::string, std::string> cases[] = {
      {main(environment) + end(), "1 files are missing"},
      {main(environment) + blob, "ends too early"},
      {main(environment) + blob + blob + end(), "is no file of its context"},
      {main(environment) + member(blob_name("y"), "y") + end(), "is no file of its context"},
      {main(environment) + member(blob_name("x"), "y") + end(), "the content is"},
      {main(environment) + member(blob_name("x"), "xx") + end(), "is no file of its context"},
      {main(environment) + member("../../etc/passwd", "x") + end(), "it holds '../../etc/passwd'"},
      {main(environment) + member("blobs/sha256/../../x", "x") + end(), "is no file"},
      {blob + main(environment) + end(), "environment.json does not come first"},
      {end(), "does not come first"},
      {"", "it is empty"},
      {std::string(1 << 20, 'x'), "no tar header"},
      {member("environment.json", "{}") + end(), "says something else"},
      {member("environment.json", "{") + end(), ""},
      {member("environment.json", R"({"format":"cloche-environment","format_version":1})") + end(),
       "digest"},
  };
  for (const auto& [bytes, message] : cases) {
    const auto result = read(bytes);
    ASSERT_FALSE(result.has_value()) << message;
    EXPECT_THAT(result.error().message, HasSubstr(message));
    EXPECT_TRUE(result.error().kind == ErrorKind::kInvalid ||
                result.error().kind == ErrorKind::kCorrupt);
  }
  EXPECT_FALSE(blobs_.contains(Digest::of("y")));
}

TEST_F(BundleTest, RefusesANewerFormatAndAHugeDocument) {
  EXPECT_EQ(
      read(member("environment.json", R"({"format":"cloche-environment","format_version":2})") +
           end())
          .error()
          .kind,
      ErrorKind::kUnsupported);
  EXPECT_EQ(read(encode_tar_header({"environment.json", kTarMaxSize})).error().kind,
            ErrorKind::kInvalid);
}

}  // namespace
}  // namespace cloche::workspace
