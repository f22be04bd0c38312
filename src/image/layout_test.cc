#include "image/layout.h"

#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "image/media_type.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

using ::testing::HasSubstr;

class LayoutTest : public ::testing::Test {
 protected:
  // An image of one layer that holds `content`.
  Descriptor image(const std::string& content) const {
    Manifest manifest;
    manifest.layers.push_back({.media_type = std::string(kOciLayer),
                               .digest = *layout_.blobs().put(content),
                               .size_bytes = content.size()});
    ImageConfig config;
    config.diff_ids.push_back(manifest.layers[0].digest);
    return *put_image(layout_.blobs(), manifest, config);
  }

  std::string text(const std::string& name) const {
    return io::DiskFiles().read(layout_.root() + "/" + name, 1U << 20U).value_or("");
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  Layout layout_{directory_.path() + "/store"};
};

TEST_F(LayoutTest, HoldsImagesByName) {
  ASSERT_VALUE(nothing, layout_.list());
  EXPECT_TRUE(nothing.empty());
  const Descriptor a = image("a");
  const Descriptor b = image("b");
  ASSERT_TRUE(layout_.set("docker.io/library/a:1", a));
  ASSERT_TRUE(layout_.set("b", b));
  ASSERT_TRUE(layout_.set("b", a));  // moves the name
  ASSERT_VALUE(images, layout_.list());
  EXPECT_THAT(images,
              ::testing::ElementsAre(StoredImage{"docker.io/library/a:1", a}, StoredImage{"b", a}));
  EXPECT_EQ(text("oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  ASSERT_VALUE(found, layout_.find("b"));
  ASSERT_VALUE(manifest, read_manifest(layout_.blobs(), found.digest));
  ASSERT_VALUE(config, read_image_config(layout_.blobs(), manifest.config));
  EXPECT_EQ(config.platform.to_string(), "linux/amd64");
}

TEST_F(LayoutTest, RemovesANameAndNothingElse) {
  ASSERT_TRUE(layout_.set("environment", image("a")));
  ASSERT_TRUE(layout_.set("other", image("a")));
  ASSERT_TRUE(layout_.remove("other"));
  EXPECT_TRUE(layout_.find("environment").has_value());
  const auto gone = layout_.find("enviroment");
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(gone.error().hint, HasSubstr("environment"));
  EXPECT_FALSE(layout_.remove("other").has_value());
}

TEST_F(LayoutTest, KeepsWhatOthersLeftThere) {
  const Descriptor a = image("a");
  ASSERT_TRUE(layout_.create());
  ASSERT_TRUE(io::write_file_atomically(
      layout_.root() + "/index.json",
      fmt::format(
          R"({{"schemaVersion":2,"manifests":[{{"mediaType":"{}","size":{},"digest":"{}","annotations":{{"x":"y"}}}}]}})",
          kOciManifest, a.size_bytes, a.digest.to_string())));
  ASSERT_TRUE(layout_.set("mine", a));
  ASSERT_VALUE(images, layout_.list());
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].name, "");
  EXPECT_EQ(images[0].manifest.annotations.at("x"), "y");
}

TEST_F(LayoutTest, RefusesNamesAndManifestsThatAreNone) {
  const Descriptor a = image("a");
  for (const char* name : {"", "-a", "a b", "a/", "\n", "a\x1b[31mb"}) {
    EXPECT_FALSE(layout_.set(name, a).has_value()) << name;
  }
  Descriptor absent = a;
  absent.digest = Digest::of("absent");
  EXPECT_EQ(layout_.set("x", absent).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(text("index.json"), "");
}

TEST_F(LayoutTest, SaysWhenItIsDamagedOrOfAnotherVersion) {
  const Descriptor a = image("a");
  ASSERT_TRUE(layout_.set("a", a));
  ASSERT_TRUE(io::write_file_atomically(layout_.root() + "/index.json", "{"));
  EXPECT_EQ(layout_.list().error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(layout_.set("b", a).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(text("index.json"), "{");
  ASSERT_TRUE(io::write_file_atomically(layout_.root() + "/oci-layout",
                                        R"({"imageLayoutVersion":"2.0.0"})"));
  EXPECT_EQ(layout_.create().error().kind, ErrorKind::kUnsupported);
}

TEST_F(LayoutTest, LosesNoNameWhenManyChangeItAtOnce) {
  const Descriptor a = image("a");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i, &a] {
      for (int n = 0; n < 5; ++n) {
        EXPECT_TRUE(Layout(layout_.root()).set(fmt::format("i{}.{}", i, n), a).has_value());
        EXPECT_TRUE(Layout(layout_.root()).list().has_value());
      }
      EXPECT_TRUE(Layout(layout_.root()).remove(fmt::format("i{}.0", i)).has_value());
    });
  }
  threads.clear();
  ASSERT_VALUE(images, layout_.list());
  EXPECT_EQ(images.size(), 16U);
}

}  // namespace
}  // namespace cloche::image
