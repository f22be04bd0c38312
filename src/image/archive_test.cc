#include "image/archive.h"

#include <array>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "blob/tar_writer.h"
#include "core/testing.h"
#include "image/layout.h"
#include "image/media_type.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Entry {
  std::string path;
  std::string content = {};
  io::TarKind kind = io::TarKind::kFile;
  std::string link = {};
};

std::string tar_of(const std::vector<Entry>& entries) {
  std::string bytes;
  blob::TarWriter tar([&bytes](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  });
  for (const Entry& entry : entries) {
    EXPECT_TRUE(tar.entry({.path = entry.path,
                           .kind = entry.kind,
                           .size_bytes = entry.content.size(),
                           .link_target = entry.link}));
    EXPECT_TRUE(tar.content(entry.content));
  }
  return bytes + std::string(blob::kTarEndBytes, '\0');
}

class ArchiveTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

  std::string write(const std::string& name, const std::string& content) const {
    EXPECT_TRUE(io::write_file_atomically(path(name), content));
    return path(name);
  }

  // An image of one layer, plain or compressed as import does it.
  Descriptor image(const std::string& layer) const {
    Manifest manifest;
    manifest.layers.push_back({.media_type = std::string(kOciLayer),
                               .digest = *here_.blobs().put(layer),
                               .size_bytes = layer.size()});
    ImageConfig config;
    config.cmd = {"/bin/sh"};
    config.diff_ids.push_back(Digest::of(layer));
    return *put_image(here_.blobs(), manifest, config);
  }

  Result<ImportedArchive> import(const std::string& file, const ImportOptions& options = {}) {
    return import_archive(file, there_.blobs(), options);
  }

  Error refusal(const std::vector<Entry>& entries) {
    const auto imported = import(write("hostile.tar", tar_of(entries)));
    EXPECT_FALSE(imported.has_value());
    return imported.has_value() ? Error{} : imported.error();
  }

  std::string exported(ArchiveKind kind, const std::vector<ExportedImage>& images,
                       const Layout& layout) const {
    std::string bytes;
    const Status status =
        export_archive(kind, images, layout.blobs(), [&bytes](std::string_view piece) -> Status {
          bytes += piece;
          return {};
        });
    EXPECT_TRUE(status.has_value()) << status.error().to_string();
    return bytes;
  }

  static std::string document(const std::vector<std::string>& layers, const std::string& config) {
    Json paths = Json::array();
    for (const std::string& layer : layers) {
      paths.push(layer);
    }
    return Json::array()
        .push(Json::object()
                  .set("Config", config)
                  .set("RepoTags", Json::array().push("x:1"))
                  .set("Layers", paths))
        .dump();
  }

  static std::string config_text(const std::vector<std::string>& layers) {
    ImageConfig config;
    for (const std::string& layer : layers) {
      config.diff_ids.push_back(Digest::of(layer));
    }
    return config.to_json();
  }

  // What a program prints; skips where it is not installed.
  std::string run(const std::string& command) const {
    const std::string out = path("out");
    const int code = std::system((command + " >" + out + " 2>&1").c_str());
    const std::string text = io::DiskFiles().read(out, 1U << 20U).value_or("");
    EXPECT_EQ(code, 0) << command << "\n" << text;
    return text;
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  Layout here_{directory_.path() + "/here"};
  Layout there_{directory_.path() + "/there"};
  std::string layer_ = tar_of({{"etc", "", io::TarKind::kDirectory}, {"etc/motd", "hello\n"}});
};

TEST_F(ArchiveTest, OfOciGivesBackTheSameImage) {
  const Descriptor one = image(layer_);
  const std::string bytes = exported(ArchiveKind::kOci, {{"docker.io/library/x:1", one}}, here_);
  EXPECT_EQ(bytes, exported(ArchiveKind::kOci, {{"docker.io/library/x:1", one}}, here_));
  ASSERT_VALUE(imported, import(write("image.tar", bytes)));
  EXPECT_EQ(imported.kind, ArchiveKind::kOci);
  ASSERT_EQ(imported.images.size(), 1U);
  EXPECT_THAT(imported.images[0].names, ElementsAre("docker.io/library/x:1"));
  EXPECT_EQ(imported.images[0].manifest, one);
  EXPECT_EQ(*there_.blobs().read(Digest::of(layer_), 1U << 20U), layer_);
}

TEST_F(ArchiveTest, OfDockersKeepsConfigAndContent) {
  const Descriptor one = image(layer_);
  ASSERT_VALUE(before, read_manifest(here_.blobs(), one.digest));
  const std::string bytes = exported(ArchiveKind::kDocker, {{"x:1", one}, {"y:1", one}}, here_);
  ASSERT_VALUE(imported, import(write("image.tar", bytes)));
  EXPECT_EQ(imported.kind, ArchiveKind::kDocker);
  ASSERT_EQ(imported.images.size(), 2U);
  EXPECT_THAT(imported.images[1].names, ElementsAre("y:1"));
  ASSERT_VALUE(manifest, read_manifest(there_.blobs(), imported.images[0].manifest.digest));
  EXPECT_EQ(manifest.config.digest, before.config.digest);
  EXPECT_EQ(manifest.layers[0].media_type, kOciLayerZstd);
  // And out again: the zstd layer becomes the tar that it was.
  EXPECT_EQ(exported(ArchiveKind::kDocker,
                     {{"x:1", imported.images[0].manifest}, {"y:1", imported.images[1].manifest}},
                     there_),
            bytes);
}

TEST_F(ArchiveTest, OfDockersMayHaveLinksAndAnyOrder) {
  const std::string config = config_text({layer_, layer_});
  ASSERT_VALUE(
      imported,
      import(write("image.tar",
                   tar_of({{"manifest.json", document({"a/layer.tar", "b/layer.tar"}, "c.json")},
                           {"b/layer.tar", "", io::TarKind::kSymlink, "../a/layer.tar"},
                           {"a/VERSION", "1.0"},
                           {"a/layer.tar", layer_},
                           {"c.json", config}}))));
  ASSERT_VALUE(manifest, read_manifest(there_.blobs(), imported.images[0].manifest.digest));
  EXPECT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(manifest.layers[0].digest, manifest.layers[1].digest);
}

TEST_F(ArchiveTest, OfARootFileSystemBecomesABase) {
  std::string program(64, '\0');
  program.replace(0, 6,
                  "\x7f"
                  "ELF\x02\x01");
  program[18] = static_cast<char>(183);
  const std::string rootfs =
      tar_of({{"bin", "", io::TarKind::kDirectory}, {"bin/readme", "text"}, {"bin/sh", program}});
  ASSERT_VALUE(imported, import(write("rootfs.tar", rootfs)));
  EXPECT_EQ(imported.kind, ArchiveKind::kRootfs);
  ASSERT_VALUE(manifest, read_manifest(there_.blobs(), imported.images[0].manifest.digest));
  ASSERT_VALUE(config, read_image_config(there_.blobs(), manifest.config));
  EXPECT_EQ(config.platform.to_string(), "linux/arm64");
  EXPECT_THAT(config.diff_ids, ElementsAre(Digest::of(rootfs)));
  EXPECT_EQ(manifest.layers[0].media_type, kOciLayerZstd);
  EXPECT_TRUE(config.variable("PATH").has_value());
  ASSERT_VALUE(again, import(path("rootfs.tar")));
  EXPECT_EQ(again.images[0].manifest, imported.images[0].manifest);
  const auto unknown = import(write("text.tar", tar_of({{"etc/motd", "hello"}})));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_THAT(unknown.error().hint, HasSubstr("--platform"));
  EXPECT_TRUE(import(path("text.tar"), {.rootfs_platform = {}}).has_value());
}

TEST_F(ArchiveTest, MayBeCompressed) {
  const std::string file =
      write("image.tar", exported(ArchiveKind::kOci, {{"x", image(layer_)}}, here_));
  if (std::system(("gzip -k " + file).c_str()) != 0) {
    GTEST_SKIP() << "gzip is not installed";
  }
  EXPECT_TRUE(import(file + ".gz").has_value());
}

TEST_F(ArchiveTest, ThatIsHostileIsRefused) {
  const std::string config = config_text({layer_});
  const std::string good = document({"l.tar"}, "c.json");
  const std::string hex(64, 'a');
  const Entry manifest{"manifest.json", good};
  EXPECT_THAT(refusal({{"blobs/sha256/" + hex, "not that"}}).message, HasSubstr("not sha256:aaa"));
  EXPECT_EQ(refusal({manifest, {"blobs/sha256/../../x", "y"}}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refusal({manifest, {"blobs/sha256/ABC", "y"}}).kind, ErrorKind::kInvalid);
  EXPECT_THAT(refusal({manifest, {"../evil", "y"}}).message, HasSubstr("leads out"));
  EXPECT_THAT(
      refusal({manifest, {"a/l.tar", "", io::TarKind::kSymlink, "../../etc/passwd"}}).message,
      HasSubstr("leads out"));
  EXPECT_THAT(refusal({manifest, {"c.json", config}}).message, HasSubstr("lacks l.tar"));
  EXPECT_THAT(refusal({manifest, {"l.tar", layer_}}).message, HasSubstr("lacks c.json"));
  EXPECT_EQ(refusal({manifest, {"c.json", config}, {"l.tar", layer_ + "x"}}).kind,
            ErrorKind::kCorrupt);
  EXPECT_EQ(refusal({{"manifest.json", document({"l.tar", "l.tar"}, "c.json")},
                     {"c.json", config},
                     {"l.tar", layer_}})
                .kind,
            ErrorKind::kInvalid);
  EXPECT_THAT(refusal({manifest,
                       {"c.json", config},
                       {"l.tar", "", io::TarKind::kSymlink, "m.tar"},
                       {"m.tar", "", io::TarKind::kSymlink, "l.tar"}})
                  .message,
              HasSubstr("lacks l.tar"));
  EXPECT_EQ(refusal({{"manifest.json", "[]"}}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refusal({{"manifest.json", "{"}}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refusal({{"manifest.json", std::string(9'000'000, ' ')}}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refusal({{"oci-layout", "{}"}}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(
      refusal({{"index.json", fmt::format(R"({{"schemaVersion":2,"manifests":[{{"mediaType":"{}",)"
                                          R"("size":1,"digest":"sha256:{}"}}]}})",
                                          kOciManifest, hex)}})
          .kind,
      ErrorKind::kNotFound);
  EXPECT_FALSE(import(write("garbage.tar", std::string(1U << 20U, 'g'))).has_value());
  EXPECT_FALSE(import(write("empty.tar", "")).has_value());
  ASSERT_VALUE(names, there_.list());
  EXPECT_TRUE(names.empty());
}

TEST_F(ArchiveTest, ThatWouldFillTheDiskIsRefused) {
  const std::string bomb = path("bomb.gz");  // a thousand to one
  if (std::system(("head -c 100000000 /dev/zero | gzip -9 >" + bomb).c_str()) != 0) {
    GTEST_SKIP() << "gzip is not installed";
  }
  ASSERT_VALUE(layer, io::DiskFiles().read(bomb, 10U << 20U));
  const Error error = refusal({{"manifest.json", document({"l.tar"}, "c.json")}, {"l.tar", layer}});
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(error.message, HasSubstr("far more data"));
  const auto whole = import(bomb);
  ASSERT_FALSE(whole.has_value());
  const auto large = import(write("large.tar", layer_), {.limit_bytes = 1000});
  ASSERT_FALSE(large.has_value());
  EXPECT_THAT(large.error().message, HasSubstr("far more data"));
}

TEST_F(ArchiveTest, IsUnderstoodBySkopeoBothWays) {
  if (::access("/usr/bin/skopeo", X_OK) != 0) {
    GTEST_SKIP() << "skopeo is not installed";
  }
  const Descriptor one = image(layer_);
  ASSERT_TRUE(here_.set("docker.io/library/x:1", one));
  const std::string skopeo = "skopeo --insecure-policy --tmpdir " + directory_.path();
  // Our layout, in place.
  const std::string raw =
      run(fmt::format("{} inspect --raw oci:{}:docker.io/library/x:1", skopeo, here_.root()));
  EXPECT_EQ(raw, *here_.blobs().read(one.digest, 1U << 20U));
  // Our archives.
  write("ours.tar", exported(ArchiveKind::kOci, {{"x:1", one}}, here_));
  write("ours-docker.tar", exported(ArchiveKind::kDocker, {{"docker.io/library/x:1", one}}, here_));
  EXPECT_EQ(run(fmt::format("{} inspect --raw oci-archive:{}:x:1", skopeo, path("ours.tar"))), raw);
  EXPECT_THAT(run(fmt::format("{} inspect docker-archive:{}", skopeo, path("ours-docker.tar"))),
              HasSubstr(Digest::of(layer_).to_string()));
  // Its archives, and what it adds to our layout.
  run(fmt::format("{} copy oci:{}:docker.io/library/x:1 docker-archive:{}:x:1", skopeo,
                  here_.root(), path("theirs-docker.tar")));
  run(fmt::format("{} copy oci:{}:docker.io/library/x:1 oci-archive:{}:x:1", skopeo, here_.root(),
                  path("theirs.tar")));
  run(fmt::format("{} copy oci:{}:docker.io/library/x:1 oci:{}:copied", skopeo, here_.root(),
                  here_.root()));
  for (const char* name : {"theirs-docker.tar", "theirs.tar"}) {
    ASSERT_VALUE(imported, import(path(name)));
    ASSERT_VALUE(manifest, read_manifest(there_.blobs(), imported.images[0].manifest.digest));
    ASSERT_VALUE(config, read_image_config(there_.blobs(), manifest.config));
    EXPECT_THAT(config.diff_ids, ElementsAre(Digest::of(layer_)));
  }
  EXPECT_TRUE(here_.find("copied").has_value());
  EXPECT_TRUE(here_.find("docker.io/library/x:1").has_value());
}

TEST_F(ArchiveTest, LayoutsAreUnderstoodByUmociBothWays) {
  if (::access("/usr/bin/umoci", X_OK) != 0) {
    GTEST_SKIP() << "umoci is not installed";
  }
  ASSERT_TRUE(here_.set("x", image(layer_)));
  EXPECT_THAT(run("umoci list --layout " + here_.root()), HasSubstr("x"));
  run(fmt::format("umoci unpack --rootless --image {}:x {}", here_.root(), path("bundle")));
  EXPECT_EQ(io::DiskFiles().read(path("bundle/rootfs/etc/motd"), 100).value_or(""), "hello\n");
  run(fmt::format("umoci config --image {}:x --tag y --config.env A=1", here_.root()));
  ASSERT_VALUE(changed, here_.find("y"));
  ASSERT_VALUE(manifest, read_manifest(here_.blobs(), changed.digest));
  ASSERT_VALUE(config, read_image_config(here_.blobs(), manifest.config));
  EXPECT_EQ(config.variable("A"), "1");
  ASSERT_TRUE(here_.remove("x"));
  EXPECT_THAT(run("umoci list --layout " + here_.root()), HasSubstr("y"));
}

}  // namespace
}  // namespace cloche::image
