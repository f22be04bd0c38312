#include "runtime/unpacked_layers.h"

#include <chrono>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "image/layout.h"
#include "io/tar_testing.h"
#include "io/testing.h"

namespace cloche::runtime {
namespace {

namespace fs = std::filesystem;

class UnpackedLayersTest : public testing::Test {
 protected:
  void add(const std::vector<io::TestTarEntry>& entries) {
    const std::string tar = io::tar_archive(entries);
    const auto digest = blobs_.put(tar);
    ASSERT_TRUE(digest.has_value());
    manifest_.layers.push_back({.media_type = "application/vnd.oci.image.layer.v1.tar",
                                .digest = *digest,
                                .size_bytes = tar.size()});
    config_.diff_ids.push_back(Digest::of(tar));
  }
  Result<std::vector<std::string>> get() {
    return UnpackedLayers(cache_).get(manifest_, config_, blobs_, pool_, {}, progress_);
  }

  io::TemporaryDirectory place_ = io::test_directory();
  std::string cache_ = place_.path() + "/cache";
  blob::BlobStore blobs_{place_.path() + "/workspace"};
  io::ThreadPool pool_{2};
  Progress progress_;
  image::Manifest manifest_;
  image::ImageConfig config_;
};

TEST_F(UnpackedLayersTest, UnpacksEachOnce) {
  add({{.name = "a", .content = "1"}});
  add({{.name = "b", .content = "2"}});
  ASSERT_VALUE(first, get());
  ASSERT_EQ(first.size(), 2U);
  EXPECT_TRUE(fs::exists(first[0] + "/a"));
  EXPECT_TRUE(fs::exists(first[1] + "/b"));
  const auto long_ago = fs::last_write_time(first[0]) - std::chrono::hours(5);
  fs::last_write_time(first[0], long_ago);
  fs::remove_all(place_.path() + "/workspace");  // nothing is looked at a second time
  ASSERT_VALUE(second, get());
  EXPECT_EQ(first, second);
  EXPECT_GT(fs::last_write_time(second[0]), long_ago);  // it counts as used
}

TEST_F(UnpackedLayersTest, StartsAtTheLayerThatHidesAll) {
  add({{.name = "a"}});
  add({{.name = ".wh..wh..opq"}, {.name = "b"}});
  add({{.name = "c"}});
  ASSERT_VALUE(layers, get());
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_TRUE(fs::exists(layers[0] + "/b"));
}

TEST_F(UnpackedLayersTest, RefusesALayerThatIsAnother) {
  add({{.name = "a"}});
  config_.diff_ids[0] = Digest::of("something else");
  const auto layers = get();
  ASSERT_FALSE(layers.has_value());
  EXPECT_EQ(layers.error().kind, ErrorKind::kCorrupt);
  EXPECT_TRUE(fs::is_empty(cache_ + "/unpacked"));
}

TEST_F(UnpackedLayersTest, RemovesWhatADeadOneLeft) {
  add({{.name = "a"}});
  const std::string left = cache_ + "/unpacked/" + config_.diff_ids[0].hex() + ".0.part";
  fs::create_directories(left + "/x");
  ASSERT_VALUE(layers, get());
  EXPECT_EQ(layers.size(), 1U);
  EXPECT_FALSE(fs::exists(left));
}

}  // namespace
}  // namespace cloche::runtime
