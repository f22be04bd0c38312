#include "image/manifest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "image/media_type.h"

namespace cloche::image {
namespace {

using ::testing::HasSubstr;

std::string digest_of(std::string_view text) { return Digest::of(text).to_string(); }

Json descriptor(std::string_view type, std::string_view content) {
  return Json::object()
      .set("mediaType", type)
      .set("size", static_cast<std::int64_t>(content.size()))
      .set("digest", digest_of(content));
}

Json oci_manifest() {
  return Json::object()
      .set("schemaVersion", 2)
      .set("mediaType", kOciManifest)
      .set("config", descriptor(kOciConfig, "{}"))
      .set("layers", Json::array()
                         .push(descriptor(kOciLayerGzip, "base"))
                         .push(descriptor(kOciLayerZstd, "more")));
}

Error refusal(const Json& json, std::string_view media_type = "") {
  const auto parsed = parse_manifest(json.dump(), media_type);
  EXPECT_FALSE(parsed.has_value());
  return parsed.has_value() ? Error{} : parsed.error();
}

TEST(Manifest, IsReadAndWrittenInOneForm) {
  ASSERT_VALUE(
      manifest,
      parse_manifest(
          oci_manifest().set("annotations", Json::object().set("b", "2").set("a", "1")).dump(3)));
  ASSERT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(manifest.layers[1].media_type, kOciLayerZstd);
  EXPECT_EQ(manifest.layers[1].size_bytes, 4U);
  EXPECT_EQ(
      manifest.to_json(),
      fmt::format(
          R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":2}},)"
          R"("layers":[{{"mediaType":"{}","digest":"{}","size":4}},{{"mediaType":"{}","digest":"{}","size":4}}],)"
          R"("annotations":{{"a":"1","b":"2"}}}})",
          kOciManifest, kOciConfig, digest_of("{}"), kOciLayerGzip, digest_of("base"),
          kOciLayerZstd, digest_of("more")));
}

TEST(Manifest, OfDockersIsReadAndWrittenAsOcis) {
  const Json docker = Json::object()
                          .set("schemaVersion", 2)
                          .set("mediaType", kDockerManifest)
                          .set("config", descriptor(kDockerConfig, "{}"))
                          .set("layers", Json::array().push(descriptor(kDockerLayerGzip, "base")));
  ASSERT_VALUE(manifest, parse_manifest(docker.dump(), kDockerManifest));
  EXPECT_EQ(manifest.config.media_type, kDockerConfig);
  ASSERT_VALUE(written, parse_manifest(manifest.to_json()));
  EXPECT_EQ(written.config.media_type, kOciConfig);
  EXPECT_EQ(written.layers[0].media_type, kOciLayerGzip);
  EXPECT_EQ(written.layers[0].digest, manifest.layers[0].digest);
}

// CVE-2021-41190.
TEST(Manifest, ThatIsAnIndexAsWellIsRefused) {
  EXPECT_THAT(refusal(oci_manifest().set("manifests", Json::array())).message,
              HasSubstr("both an index and an image's manifest"));
  EXPECT_THAT(refusal(oci_manifest().set("mediaType", kOciIndex)).message,
              HasSubstr("calls itself"));
  EXPECT_THAT(refusal(oci_manifest(), kOciIndex).message, HasSubstr("calls itself"));
}

// CVE-2020-15157.
TEST(Manifest, WhoseLayersLieElsewhereIsRefused) {
  Json layer = descriptor(kOciLayerGzip, "base");
  layer.set("urls", Json::array().push("http://evil.example/layer"));
  const Error error = refusal(oci_manifest().set("layers", Json::array().push(layer)));
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("layer 1 is to be fetched from another place"));
  EXPECT_EQ(refusal(oci_manifest().set(
                        "layers",
                        Json::array().push(descriptor(
                            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "base"))))
                .kind,
            ErrorKind::kUnsupported);
}

TEST(Manifest, TakesDigestsOnlyInTheirExactForm) {
  for (const char* digest :
       {"sha256:../../etc/passwd", "", "sha256:", "md5:abc", "sha256:/../../../x"}) {
    Json layer = descriptor(kOciLayerGzip, "base");
    const Error error =
        refusal(oci_manifest().set("layers", Json::array().push(layer.set("digest", digest))));
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << digest;
  }
  Json layer = descriptor(kOciLayerGzip, "base");
  layer.set("digest", "sha512:" + std::string(128, 'a'));
  EXPECT_EQ(refusal(oci_manifest().set("layers", Json::array().push(layer))).kind,
            ErrorKind::kUnsupported);
}

TEST(Manifest, RefusesSizesThatAreNone) {
  for (const Json& size : {Json(-1), Json(1.5), Json("7"), Json(), Json(std::int64_t{1} << 50U)}) {
    Json layer = descriptor(kOciLayerGzip, "base");
    EXPECT_EQ(
        refusal(oci_manifest().set("layers", Json::array().push(layer.set("size", size)))).kind,
        ErrorKind::kInvalid);
  }
}

TEST(Manifest, IsBounded) {
  Json layers = Json::array();
  for (std::size_t i = 0; i <= kMaxLayers; ++i) {
    layers.push(descriptor(kOciLayerGzip, "x"));
  }
  EXPECT_EQ(refusal(oci_manifest().set("layers", layers)).kind, ErrorKind::kInvalid);
  const auto giant = parse_manifest(std::string(kMaxManifestBytes + 1, ' '));
  ASSERT_FALSE(giant.has_value());
  EXPECT_THAT(giant.error().message, HasSubstr("at most"));
  const auto many = parse_manifest("{\"x\":[" + std::string(1'000'000, ',') + "]}");
  ASSERT_FALSE(many.has_value());
  EXPECT_THAT(many.error().message, HasSubstr("values"));
}

TEST(Manifest, OfAnythingButAnImageIsUnsupported) {
  EXPECT_EQ(refusal(oci_manifest().set(
                        "config", descriptor("application/vnd.cncf.helm.config.v1+json", "{}")))
                .kind,
            ErrorKind::kUnsupported);
  EXPECT_EQ(refusal(oci_manifest().set("schemaVersion", 1)).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refusal(Json::object().set("schemaVersion", 2)).kind, ErrorKind::kInvalid);
}

TEST(DocumentMediaType, FollowsFromTheMembersWhenNoneIsNamed) {
  Json json = oci_manifest();
  ASSERT_VALUE(named, document_media_type(json.dump()));
  EXPECT_EQ(named, kOciManifest);
  ASSERT_VALUE(index, document_media_type(R"({"schemaVersion":2,"manifests":[]})"));
  EXPECT_EQ(index, kOciIndex);
}

RC_GTEST_PROP(Manifest, ReadsWhatItWrote, ()) {
  Manifest manifest;
  manifest.config = {.media_type = std::string(kOciConfig),
                     .digest = Digest::of(*rc::gen::arbitrary<std::string>()),
                     .size_bytes = *rc::gen::inRange<std::uint64_t>(0, 1U << 30U)};
  for (const auto& [content, size] :
       *rc::gen::arbitrary<std::vector<std::pair<std::string, std::uint32_t>>>()) {
    manifest.layers.push_back({.media_type = std::string(kOciLayerZstd),
                               .digest = Digest::of(content),
                               .size_bytes = size,
                               .annotations = {{"n", std::to_string(size)}}});
  }
  ASSERT_VALUE(read, parse_manifest(manifest.to_json()));
  RC_ASSERT(read == manifest);
  RC_ASSERT(read.to_json() == manifest.to_json());
}

}  // namespace
}  // namespace cloche::image
