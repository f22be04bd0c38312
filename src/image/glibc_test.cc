#include "image/glibc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blob/tar_writer.h"
#include "core/testing.h"
#include "image/media_type.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kBanner =
    "GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.\nCopyright (C)";

class GlibcTest : public ::testing::Test {
 protected:
  struct Entry {
    std::string path;
    std::string content = {};
    std::string link = {};
  };

  void add_layer(const std::vector<Entry>& entries) {
    std::string tar;
    blob::TarWriter writer([&](std::string_view bytes) -> Status {
      tar += bytes;
      return {};
    });
    for (const Entry& one : entries) {
      const bool link = !one.link.empty();
      ASSERT_TRUE(writer.entry({.path = one.path,
                                .kind = link ? io::TarKind::kSymlink : io::TarKind::kFile,
                                .size_bytes = one.content.size(),
                                .link_target = one.link}));
      ASSERT_TRUE(link || writer.content(one.content));
    }
    add_blob(tar + std::string(blob::kTarEndBytes, '\0'));
  }

  void add_blob(const std::string& bytes) {
    manifest_.layers.push_back({.media_type = std::string(kOciLayer),
                                .digest = *blobs_.put(bytes),
                                .size_bytes = bytes.size()});
  }

  std::string found() {
    const auto library = find_c_library(blobs_, manifest_);
    manifest_.layers.clear();
    return library ? library->to_string() : "error: " + library.error().message;
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  blob::BlobStore blobs_{directory_.path() + "/store"};
  Manifest manifest_;
};

TEST_F(GlibcTest, SaysItsVersionItself) {
  add_layer({{"etc/motd", "hello"}});
  add_layer({{"usr/lib/x86_64-linux-gnu/libc.so.6",
              std::string(300'000, '\0') + std::string(kBanner) + std::string(100'000, 'x')}});
  EXPECT_EQ(found(), "glibc 2.36");
}

// Wherever the pieces that are read happen to end.
TEST_F(GlibcTest, IsFoundAtAnyPlace) {
  for (std::size_t before = 65'400; before < 65'600; before += 7) {
    add_layer({{"lib64/libc.so.6", std::string(before, 'a') + std::string(kBanner)}});
    EXPECT_EQ(found(), "glibc 2.36") << before;
  }
}

TEST_F(GlibcTest, IsKnownByItsName) {
  add_layer({{"lib/x86_64-linux-gnu/libc-2.31.so", "no banner"}});
  EXPECT_EQ(found(), "glibc 2.31");
  add_layer({{"./lib/aarch64-linux-gnu/libc.so.6", "", "libc-2.27.so"}});
  EXPECT_EQ(found(), "glibc 2.27");
}

TEST_F(GlibcTest, IsKnownToDpkg) {
  const std::string status =
      "Package: libc-bin\nVersion: 2.1-1\n\nPackage: libc6\nStatus: install ok installed\n"
      "Version: 2.35-0ubuntu3.8\n\nPackage: zlib1g\nVersion: 1:1.2.13\n";
  add_layer({{"var/lib/dpkg/status", status}});
  EXPECT_EQ(found(), "glibc 2.35");
  add_layer({{"var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 2.41-12\n"}});
  EXPECT_EQ(found(), "glibc 2.41");
}

TEST_F(GlibcTest, LowestLayerTells) {
  add_layer({{"lib/libc-2.28.so", ""}});
  add_layer({{"lib/libc-2.36.so", ""}});
  EXPECT_EQ(found(), "glibc 2.28");
}

TEST_F(GlibcTest, MuslIsNone) {
  add_layer({{"lib/ld-musl-x86_64.so.1", "ELF"}, {"etc/alpine-release", "3.20"}});
  EXPECT_EQ(found(), "musl");
  add_layer({{"lib/ld-musl-x86_64.so.1", "ELF"}, {"usr/lib/libc-2.36.so", ""}});  // Debian's musl
  EXPECT_EQ(found(), "glibc 2.36");
}

TEST_F(GlibcTest, IsNotWhatAnotherSystemHas) {
  add_layer({{"opt/conda/x86_64-conda-linux-gnu/sysroot/lib64/libc.so.6", std::string(kBanner)},
             {"usr/lib32/libc-2.36.so", ""},
             {"usr/aarch64-linux-gnu/lib/libc.so.6", std::string(kBanner)},
             {"usr/lib/libc++.so.1", std::string(kBanner)}});
  EXPECT_EQ(found(), "no C library that is known");
  EXPECT_EQ(found(), "no C library that is known") << "no layers";
}

TEST_F(GlibcTest, OddThingsAreErrorsOrNothing) {
  add_blob(std::string(5000, 'x'));
  EXPECT_TRUE(found().starts_with("error: "));
  manifest_.layers.push_back({.media_type = std::string(kOciLayer), .digest = Digest::of("gone")});
  EXPECT_TRUE(found().starts_with("error: "));
  add_layer({{"lib/libc-.so", ""},
             {"lib/libc-2.so", ""},
             {"lib/libc-2..so", ""},
             {"lib/libc-99999999.1.so", ""},
             {"lib/libc.so.6", "release version \x1b[31m"}});
  EXPECT_EQ(found(), "no C library that is known");
}

TEST_F(GlibcTest, IsRememberedByTheManifest) {
  const std::string memory = directory_.path() + "/cache/glibc";
  add_layer({{"lib/libc-2.28.so", ""}});
  const Digest digest = Digest::of("manifest");
  ASSERT_VALUE(first, c_library_of(blobs_, digest, manifest_, memory));
  manifest_.layers[0].digest = Digest::of("gone");
  ASSERT_VALUE(again, c_library_of(blobs_, digest, manifest_, memory));
  EXPECT_EQ(again, first);
  ASSERT_TRUE(io::write_file_atomically(memory + "/" + digest.hex() + ".json",
                                        R"({"format":1,"library":"glibc","version":"x"})"));
  EXPECT_FALSE(c_library_of(blobs_, digest, manifest_, memory).has_value()) << "damaged is as none";
}

TEST(UnmetNeeds, AreThoseOfTheLibrary) {
  const std::vector<std::string> needs = {"__cuda >=12", "__glibc >=2.17,<3.0.a0", "__glibc >=2.28",
                                          "__unix"};
  const auto unmet = [&](const CLibrary& library) { return unmet_needs(needs, library).value(); };
  EXPECT_THAT(unmet({CLibrary::Kind::kGlibc, "2.36"}), IsEmpty());
  EXPECT_THAT(unmet({CLibrary::Kind::kGlibc, "2.17"}), ElementsAre("__glibc >=2.28"));
  EXPECT_THAT(unmet({CLibrary::Kind::kMusl, ""}),
              ElementsAre("__glibc >=2.17,<3.0.a0", "__glibc >=2.28"));
  EXPECT_THAT(unmet({}), IsEmpty());
  EXPECT_FALSE(
      unmet_needs(std::vector<std::string>{"__glibc >="}, {}).has_value() &&
      unmet_needs(std::vector<std::string>{"__glibc >="}, {CLibrary::Kind::kMusl, ""}).has_value());
}

}  // namespace
}  // namespace cloche::image
