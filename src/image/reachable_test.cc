#include "image/reachable.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "image/media_type.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

class ReachableTest : public testing::Test {
 protected:
  Descriptor image(const std::string& content) const {
    Manifest manifest;
    manifest.layers.push_back({.media_type = std::string(kOciLayer),
                               .digest = *layout_.blobs().put(content),
                               .size_bytes = content.size()});
    ImageConfig config;
    config.diff_ids.push_back(manifest.layers[0].digest);
    return *put_image(layout_.blobs(), manifest, config);
  }

  Descriptor document(const std::string& text, std::string_view type) const {
    return {.media_type = std::string(type),
            .digest = *layout_.blobs().put(text),
            .size_bytes = text.size()};
  }

  // Why each blob stays.
  Result<std::map<std::string, std::set<Digest>>> visit() const {
    std::map<std::string, std::set<Digest>> out;
    TRY(visit_images(layout_, [&](const Digest& digest, std::string_view why) {
      EXPECT_TRUE(out[std::string(why)].insert(digest).second) << "named twice";
    }));
    return out;
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  Layout layout_{directory_.path() + "/store"};
};

TEST_F(ReachableTest, NamesAllBlobsOfEachImage) {
  const Descriptor a = image("a");
  const Descriptor b = image("b");
  ASSERT_TRUE(layout_.set("a", a));
  ASSERT_TRUE(layout_.set("also-a", a));
  image("of nobody");
  ASSERT_VALUE(found, visit());
  ASSERT_VALUE(manifest, read_manifest(layout_.blobs(), a.digest));
  const std::set<Digest> all = {a.digest, manifest.config.digest, Digest::of("a")};
  EXPECT_THAT(found, testing::UnorderedElementsAre(testing::Pair("image a", all),
                                                   testing::Pair("image also-a", all)));
  EXPECT_FALSE(found["image a"].contains(b.digest));
}

TEST_F(ReachableTest, FollowsIndexesThoughSomeImagesAreNotThere) {
  const Descriptor a = image("a");
  const Digest absent = Digest::of("of another platform");
  ImageIndex index;
  index.manifests = {a, {.media_type = a.media_type, .digest = absent, .size_bytes = 10}};
  const Descriptor many = document(index.to_json(), kOciIndex);
  ASSERT_TRUE(layout_.set("many", many));
  ASSERT_VALUE(found, visit());
  for (const Digest& digest : {many.digest, a.digest, Digest::of("a"), absent}) {
    EXPECT_TRUE(found["image many"].contains(digest));
  }
  EXPECT_EQ(found["image many"].size(), 5U);
}

TEST_F(ReachableTest, KeepsWhatItDoesNotKnowByItsDigests) {
  const Digest odd = Digest::of("odd");
  const Descriptor artifact =
      document(R"({"mediaType": "application/vnd.odd+json", "things": [{"digest": ")" +
                   odd.to_string() + R"("}], "digest": "sha256:../../etc/passwd"})",
               kOciManifest);
  ASSERT_TRUE(layout_.set("artifact", artifact));
  ASSERT_VALUE(found, visit());
  EXPECT_THAT(found["image artifact"], testing::UnorderedElementsAre(artifact.digest, odd));
}

TEST_F(ReachableTest, DocumentsThatNameEachOtherEnd) {
  // Each index names the one before it twice: 2^64 ways, 64 documents.
  Descriptor last = image("a");
  for (int i = 0; i < 64; ++i) {
    ImageIndex index;
    index.manifests = {last, last};
    last = document(index.to_json(), kOciIndex);
  }
  ASSERT_TRUE(layout_.set("deep", last));
  ASSERT_VALUE(found, visit());
  EXPECT_EQ(found["image deep"].size(), 67U);
}

TEST_F(ReachableTest, WhatCannotBeReadIsAnError) {
  ASSERT_TRUE(layout_.set("none", document("no json", kOciManifest)));
  EXPECT_EQ(visit().error().kind, ErrorKind::kCorrupt);
  const Descriptor a = image("a");
  ASSERT_TRUE(layout_.set("none", a));
  ASSERT_TRUE(visit().has_value());
  const std::string path = layout_.blobs().path(a.digest).value();
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  std::ofstream(path) << "{}";
  EXPECT_EQ(visit().error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace cloche::image
