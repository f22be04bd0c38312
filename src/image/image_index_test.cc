#include "image/image_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "image/media_type.h"

namespace cloche::image {
namespace {

using ::testing::HasSubstr;

Descriptor manifest_for(const std::string& platform) {
  Descriptor one{
      .media_type = std::string(kOciManifest), .digest = Digest::of(platform), .size_bytes = 7};
  if (!platform.empty()) {
    one.platform = *parse_platform(platform);
  }
  return one;
}

ImageIndex index_of(const std::vector<std::string>& platforms) {
  ImageIndex index;
  for (const std::string& platform : platforms) {
    index.manifests.push_back(manifest_for(platform));
  }
  return index;
}

std::string picked(const std::vector<std::string>& platforms, const std::string& wanted) {
  const auto one = index_of(platforms).pick(*parse_platform(wanted));
  if (!one) {
    return one.error().hint;
  }
  return one->platform ? one->platform->to_string() : "unnamed";
}

TEST(ImageIndex, PicksThePlatform) {
  const std::vector<std::string> usual{"unknown/unknown", "linux/amd64",    "linux/arm/v5",
                                       "linux/arm/v7",    "linux/arm64/v8", "windows/amd64"};
  EXPECT_EQ(picked(usual, "linux/amd64"), "linux/amd64");
  EXPECT_EQ(picked(usual, "linux-64"), "linux/amd64");
  EXPECT_EQ(picked(usual, "linux/arm64"), "linux/arm64/v8");
  EXPECT_EQ(picked(usual, "linux-aarch64"), "linux/arm64/v8");
  EXPECT_EQ(picked(usual, "linux/arm"), "linux/arm/v7");
  EXPECT_EQ(picked(usual, "linux/arm/v6"), "linux/arm/v5");
  EXPECT_THAT(picked(usual, "linux/s390x"),
              ::testing::AllOf(HasSubstr("there are images for"), HasSubstr("windows/amd64"),
                               ::testing::Not(HasSubstr("unknown"))));
}

TEST(ImageIndex, PrefersTheExactVariantAndNeverAHigherOne) {
  EXPECT_EQ(picked({"linux/amd64/v3", "linux/amd64", "linux/amd64/v2"}, "linux/amd64"),
            "linux/amd64");
  EXPECT_EQ(picked({"linux/amd64/v4", "linux/amd64", "linux/amd64/v2"}, "linux/amd64/v3"),
            "linux/amd64/v2");
  EXPECT_EQ(picked({"linux/arm64"}, "linux/arm64/v8"), "linux/arm64");
}

TEST(ImageIndex, TakesOneWithoutAPlatformOnlyWhenItIsTheOnlyOne) {
  EXPECT_EQ(picked({""}, "linux/amd64"), "unnamed");
  EXPECT_NE(picked({"", "linux/arm64"}, "linux/amd64"), "unnamed");
}

TEST(ImageIndex, IsReadAndWrittenInOneForm) {
  ImageIndex index = index_of({"linux/amd64", "linux/arm64/v8"});
  index.manifests[0].annotations["x"] = "y";
  index.manifests[1].media_type = kDockerManifest;  // what a digest stands for keeps its type
  index.annotations["a"] = "b";
  ASSERT_VALUE(read, parse_image_index(index.to_json(), kOciIndex));
  EXPECT_EQ(read, index);
  EXPECT_EQ(read.to_json(), index.to_json());
  EXPECT_THAT(index.to_json(),
              HasSubstr(R"("platform":{"architecture":"arm64","os":"linux","variant":"v8"})"));
}

TEST(ImageIndex, ThatIsAManifestIsRefused) {
  EXPECT_FALSE(parse_image_index(R"({"schemaVersion":2,"manifests":[],"layers":[]})"));
  EXPECT_FALSE(parse_image_index(R"({"schemaVersion":2,"config":{},"layers":[]})"));
  EXPECT_FALSE(parse_image_index(R"({"schemaVersion":2,"manifests":[]})", kOciManifest));
  EXPECT_FALSE(parse_image_index(R"({"schemaVersion":2,"manifests":{}})"));
  EXPECT_FALSE(parse_image_index("[]"));
  EXPECT_TRUE(parse_image_index(R"({"schemaVersion":2,"manifests":[]})",
                                "application/json; charset=utf-8"));
}

TEST(ParsePlatform, RefusesWhatIsNone) {
  for (const char* text :
       {"", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "Linux/AMD64", "linux/../../x y"}) {
    EXPECT_FALSE(parse_platform(text)) << text;
  }
}

}  // namespace
}  // namespace cloche::image
