#include "blob/unpack.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/json.h"
#include "core/testing.h"
#include "io/process.h"
#include "io/tar_testing.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;
using io::TestTarEntry;
using testing::HasSubstr;

struct stat stat_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info;
}

class UnpackTest : public testing::Test {
 protected:
  UnpackTest() { fs::create_directory(root_); }

  Result<Unpacked> unpack_bytes(std::string_view bytes, const UnpackOptions& options = {}) {
    io::MemoryReader source(bytes);
    return unpack(source, root_, options, {});
  }
  Result<Unpacked> layer(const std::vector<TestTarEntry>& entries,
                         const UnpackOptions& options = {}) {
    return unpack_bytes(io::tar_archive(entries), options);
  }

  std::string read(const std::string& path) const {
    std::ifstream in(root_ + "/" + path);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
  bool there(const std::string& path) const {
    return fs::exists(fs::symlink_status(root_ + "/" + path));
  }

  io::TemporaryDirectory place_ = io::test_directory();
  std::string root_ = place_.path() + "/root";
};

TEST_F(UnpackTest, MakesWhatTheArchiveSays) {
  const std::string archive =
      io::tar_archive({{.name = "./", .type = '5', .mode = 0755, .mtime_s = 5},
                       {.name = "./bin/", .type = '5', .mode = 0555, .mtime_s = 7},
                       {.name = "./bin/tool", .content = "x", .mode = 0755, .mtime_s = 1000},
                       {.name = "bin/same", .type = '1', .link = "bin/tool"},
                       {.name = "/bin/link", .type = '2', .link = "/bin/tool", .mtime_s = 11},
                       {.name = "deep/er/file", .content = std::string(100'000, 'y')},
                       {.name = "pipe", .type = '6', .mode = 0600}});
  ASSERT_VALUE(done, unpack_bytes(archive));
  EXPECT_EQ(done.entries, 7U);
  EXPECT_EQ(done.size_bytes, 100'001U);
  EXPECT_EQ(done.diff_id, Digest::of(archive));
  EXPECT_EQ(read("bin/tool"), "x");
  EXPECT_EQ(stat_of(root_ + "/bin/tool").st_mode, S_IFREG | 0755U);
  EXPECT_EQ(stat_of(root_ + "/bin/tool").st_mtime, 1000);
  EXPECT_EQ(stat_of(root_ + "/bin/tool").st_nlink, 2U);
  EXPECT_EQ(fs::read_symlink(root_ + "/bin/link"), "/bin/tool");
  EXPECT_EQ(stat_of(root_ + "/bin/link").st_mtime, 11);
  EXPECT_EQ(stat_of(root_ + "/bin").st_mode, S_IFDIR | 0555U);
  EXPECT_EQ(stat_of(root_ + "/bin").st_mtime, 7);
  EXPECT_EQ(stat_of(root_).st_mtime, 5);
  EXPECT_EQ(read("deep/er/file").size(), 100'000U);
  EXPECT_TRUE(S_ISFIFO(stat_of(root_ + "/pipe").st_mode));
}

TEST_F(UnpackTest, TheUmaskDoesNotMatter) {
  const mode_t before = ::umask(0077);
  ASSERT_TRUE(layer({{.name = "d", .type = '5', .mode = 0775}, {.name = "d/f", .mode = 0666}}));
  ::umask(before);
  EXPECT_EQ(stat_of(root_ + "/d/f").st_mode, S_IFREG | 0666U);
  EXPECT_EQ(stat_of(root_ + "/d").st_mode, S_IFDIR | 0775U);
}

TEST_F(UnpackTest, ALaterLayerReplaces) {
  ASSERT_TRUE(layer({{.name = "a", .content = "old"},
                     {.name = "b", .type = '1', .link = "a"},
                     {.name = "dir/f", .content = "f"},
                     {.name = "link", .type = '2', .link = "dir"},
                     {.name = "tree/x/y", .content = "y"}}));
  ASSERT_TRUE(layer({{.name = "a", .content = "new"},
                     {.name = "dir", .type = '5', .mode = 0700},
                     {.name = "link", .type = '5'},
                     {.name = "link/g", .content = "g"},
                     {.name = "tree", .content = "a file now"}}));
  EXPECT_EQ(read("a"), "new");
  EXPECT_EQ(read("b"), "old");  // another name of the old file
  EXPECT_EQ(read("dir/f"), "f");
  EXPECT_EQ(stat_of(root_ + "/dir").st_mode, S_IFDIR | 0700U);
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(root_ + "/link")));
  EXPECT_FALSE(there("dir/g"));
  EXPECT_EQ(read("tree"), "a file now");
}

TEST_F(UnpackTest, GoesThroughLinksAsIfItWereTheRoot) {
  ASSERT_TRUE(layer({{.name = "run", .type = '5'},
                     {.name = "var/run", .type = '2', .link = "/run"},
                     {.name = "up", .type = '2', .link = "../../../../run"},
                     {.name = "var/run/a", .content = "a"},
                     {.name = "up/b", .content = "b"}}));
  EXPECT_EQ(read("run/a"), "a");
  EXPECT_EQ(read("run/b"), "b");
}

TEST_F(UnpackTest, WhiteoutsHideWhatLowerLayersBrought) {
  ASSERT_TRUE(layer({{.name = "d/a"}, {.name = "d/b"}, {.name = "d/sub/c"}, {.name = "e/f"}}));
  ASSERT_TRUE(layer({{.name = "d/.wh.a"},
                     {.name = "d/.wh.sub"},
                     {.name = "d/.wh.never-was"},
                     {.name = ".wh.e"},
                     {.name = ".wh..wh.plnk", .type = '5'}}));
  EXPECT_FALSE(there("d/a"));
  EXPECT_TRUE(there("d/b"));
  EXPECT_FALSE(there("d/sub"));
  EXPECT_FALSE(there("e"));
  EXPECT_FALSE(there(".wh..wh.plnk"));
}

TEST_F(UnpackTest, AnOpaqueFolderKeepsItsOwnLayersFilesInAnyOrder) {
  for (const bool first : {true, false}) {
    ASSERT_TRUE(layer({{.name = "d/old"},
                       {.name = "d/sub/old"},
                       {.name = "d/gone/x"},
                       {.name = "outside"},
                       {.name = "way", .type = '2', .link = "d"}}));
    std::vector<TestTarEntry> entries = {
        {.name = "d/new"}, {.name = "d/sub/deep/new"}, {.name = "way/through", .content = "t"}};
    entries.insert(first ? entries.begin() : entries.end(), {.name = "d/.wh..wh..opq"});
    ASSERT_TRUE(layer(entries));
    EXPECT_TRUE(there("d/new"));
    EXPECT_TRUE(there("d/sub/deep/new"));
    EXPECT_TRUE(there("d/through"));
    EXPECT_TRUE(there("outside"));
    EXPECT_FALSE(there("d/old"));
    EXPECT_FALSE(there("d/sub/old"));
    EXPECT_FALSE(there("d/gone"));
    EXPECT_FALSE(there("d/.wh..wh..opq"));
    fs::remove_all(root_ + "/d");
  }
}

TEST_F(UnpackTest, AWhiteoutHidesNothingOfItsOwnLayer) {
  ASSERT_TRUE(layer({{.name = "d/old"}, {.name = "f", .content = "old"}}));
  ASSERT_TRUE(layer(
      {{.name = "d/new"}, {.name = ".wh.d"}, {.name = "f", .content = "new"}, {.name = ".wh.f"}}));
  EXPECT_TRUE(there("d/new"));
  EXPECT_FALSE(there("d/old"));
  EXPECT_EQ(read("f"), "new");
}

TEST_F(UnpackTest, ARootFileSystemHasNoWhiteouts) {
  const auto refused = layer({{.name = "etc/.wh.passwd"}}, {.layer = false});
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("etc/.wh.passwd"));
}

TEST_F(UnpackTest, OwnersOnlyWhenAsked) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "not root";
  }
  const std::vector<TestTarEntry> entries = {
      {.name = "d", .type = '5', .mode = 01777, .uid = 1000, .gid = 1001},
      {.name = "tool", .content = "x", .mode = 04755, .uid = 1000, .gid = 1001},
      {.name = "link", .type = '2', .link = "x", .uid = 1000, .gid = 1001},
      {.name = "big", .pax = {{"uid", "4000000000"}, {"gid", "3"}}}};
  ASSERT_TRUE(layer(entries));
  EXPECT_EQ(stat_of(root_ + "/tool").st_uid, 0U);
  EXPECT_EQ(stat_of(root_ + "/tool").st_mode, S_IFREG | 0755U);
  ASSERT_TRUE(layer(entries, {.owners = true}));
  EXPECT_EQ(stat_of(root_ + "/tool").st_uid, 1000U);
  EXPECT_EQ(stat_of(root_ + "/tool").st_gid, 1001U);
  EXPECT_EQ(stat_of(root_ + "/tool").st_mode, S_IFREG | 04755U);
  EXPECT_EQ(stat_of(root_ + "/link").st_uid, 1000U);
  EXPECT_EQ(stat_of(root_ + "/d").st_mode, S_IFDIR | 01777U);
  EXPECT_EQ(stat_of(root_ + "/d").st_gid, 1001U);
  EXPECT_EQ(stat_of(root_ + "/big").st_uid, 4'000'000'000U);
}

TEST_F(UnpackTest, KeepsAttributesThatMeanNothingToThisMachine) {
  const io::TemporaryDirectory disk = std::move(*io::TemporaryDirectory::create("/var/tmp"));
  if (::setxattr(disk.path().c_str(), "user.test", "x", 1, 0) != 0) {
    GTEST_SKIP() << "no extended attributes here";
  }
  root_ = disk.path();
  const std::string capability(
      "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00",
      20);
  const std::vector<TestTarEntry> entries = {
      {.name = "ping",
       .content = "x",
       .pax = {{"SCHILY.xattr.user.note", "hello"},
               {"SCHILY.xattr.security.capability", capability},
               {"SCHILY.xattr.trusted.overlay.opaque", "y"}}},
      {.name = "d", .type = '5', .pax = {{"SCHILY.xattr.user.note", "of d"}}}};
  const auto value = [&](const char* path, const char* name) {
    std::string out(100, '\0');
    const ssize_t size = ::lgetxattr((root_ + "/" + path).c_str(), name, out.data(), out.size());
    out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return size < 0 ? "none" : out;
  };
  ASSERT_TRUE(layer(entries));
  EXPECT_EQ(value("ping", "user.note"), "hello");
  EXPECT_EQ(value("d", "user.note"), "of d");
  EXPECT_EQ(value("ping", "security.capability"), "none");
  EXPECT_EQ(value("ping", "trusted.overlay.opaque"), "none");
  if (::geteuid() == 0) {
    ASSERT_TRUE(layer(entries, {.owners = true}));
    EXPECT_EQ(value("ping", "security.capability"), capability);
    EXPECT_EQ(value("ping", "trusted.overlay.opaque"), "none");
  }
}

TEST_F(UnpackTest, DevicesOnlyWhenAsked) {
  const std::vector<TestTarEntry> entries = {
      {.name = "dev/null", .type = '3', .mode = 0666, .major = 1, .minor = 3}, {.name = "after"}};
  EXPECT_EQ(layer(entries).error().kind, ErrorKind::kUnsupported);
  ASSERT_TRUE(layer(entries, {.devices = UnpackOptions::Devices::kSkip}));
  EXPECT_FALSE(there("dev/null"));
  EXPECT_TRUE(there("after"));
  const auto made = layer(entries, {.devices = UnpackOptions::Devices::kCreate});
  if (!made) {
    GTEST_SKIP() << "devices may not be made here: " << made.error().to_string();
  }
  EXPECT_TRUE(S_ISCHR(stat_of(root_ + "/dev/null").st_mode));
  EXPECT_EQ(stat_of(root_ + "/dev/null").st_rdev, stat_of("/dev/null").st_rdev);
}

TEST_F(UnpackTest, AFullDiskIsSaidWithTheEntry) {
  auto disk = io::SmallDisk::create(1 << 20);
  if (!disk) {
    GTEST_SKIP() << "mounting is not allowed";
  }
  root_ = disk->path();
  const auto full = layer({{.name = "big", .content = std::string(2 << 20, 'x')}});
  EXPECT_EQ(full.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(full.error().message, HasSubstr("big"));
}

TEST_F(UnpackTest, WhatMayNotBeWrittenIsSaidWithTheEntry) {
  fs::permissions(place_.path(), fs::perms(0755));
  fs::permissions(root_, fs::perms(0555));
  const io::Unprivileged person;
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  const auto refused = layer({{.name = "file"}});
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(refused.error().message, HasSubstr("file"));
}

TEST_F(UnpackTest, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const std::string archive = io::tar_archive({{.name = "a"}});
  io::MemoryReader source(archive);
  EXPECT_EQ(unpack(source, root_, {}, stop.get_token()).error().kind, ErrorKind::kCancelled);
}

TEST_F(UnpackTest, AnAnswerThoughTheArchiveIsNone) {
  EXPECT_EQ(unpack_bytes("").value().entries, 0U);
  EXPECT_EQ(unpack_bytes(std::string(1'000'000, 'g')).error().kind, ErrorKind::kCorrupt);
  io::MemoryReader source("");
  EXPECT_EQ(unpack(source, root_ + "/none", {}, {}).error().kind, ErrorKind::kNotFound);
}

// --- judges: the same tree as others make of the same layers ---

// Every path with kind, mode, times and content.
std::string listing(const std::string& root) {
  io::Command find{
      .argv = {
          "sh", "-c",
          "find . -mindepth 1 -printf '%p %y %m %U:%G %T@ %s %l\\n' | sed 's/ d \\(.*\\) [0-9]* "
          "$/ d \\1/' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum"}};
  find.directory = root;
  return io::run_process(find).value().output;
}

std::vector<std::vector<TestTarEntry>> sample_layers() {
  return {{{.name = "./", .type = '5', .mode = 0755, .mtime_s = 1},
           {.name = "bin/", .type = '5', .mode = 0755, .mtime_s = 100},
           {.name = "bin/tool", .content = "tool", .mode = 0755, .mtime_s = 200},
           {.name = "bin/other", .type = '1', .link = "bin/tool", .mode = 0755, .mtime_s = 200},
           {.name = "sbin", .type = '2', .link = "bin", .mode = 0777, .mtime_s = 300},
           {.name = "etc/", .type = '5', .mode = 0755, .mtime_s = 1},
           {.name = "etc/conf", .content = "one", .mode = 0640, .mtime_s = 5},
           {.name = "var/", .type = '5', .mode = 0755, .mtime_s = 1},
           {.name = "var/cache/", .type = '5', .mode = 0755, .mtime_s = 1},
           {.name = "var/cache/a", .content = "a", .mtime_s = 1},
           {.name = "name with blank\n", .content = "b", .mtime_s = 9}},
          {{.name = "etc/", .type = '5', .mode = 0755, .mtime_s = 50},
           {.name = "etc/.wh.conf", .mtime_s = 1},
           {.name = "etc/new", .content = "new", .mode = 0600, .mtime_s = 6},
           {.name = "var/", .type = '5', .mode = 0755, .mtime_s = 60},
           {.name = "var/cache/", .type = '5', .mode = 0755, .mtime_s = 61},
           {.name = "var/cache/.wh..wh..opq", .mtime_s = 1},
           {.name = "var/cache/b", .content = "b", .mtime_s = 2},
           {.name = "bin/", .type = '5', .mode = 0755, .mtime_s = 101},
           {.name = "bin/tool", .content = "tool 2", .mode = 0700, .mtime_s = 201}}};
}

TEST_F(UnpackTest, MakesTheTreeThatTarAndBsdtarMake) {
  const std::string archive = io::tar_archive(sample_layers()[0]);
  std::ofstream(place_.path() + "/layer.tar") << archive;
  ASSERT_TRUE(unpack_bytes(archive, {.owners = ::geteuid() == 0}));
  for (const std::string judge : {"tar", "bsdtar"}) {
    const std::string other = place_.path() + "/" + judge;
    fs::create_directory(other);
    const auto run = io::run_process(
        {.argv = {judge, "-x", "-p", "-f", place_.path() + "/layer.tar", "-C", other}});
    if (!run) {
      continue;  // not installed
    }
    ASSERT_TRUE(run->ok()) << run->errors;
    EXPECT_EQ(listing(root_), listing(other)) << judge;
  }
}

// An OCI layout with an image "test" of these layers.
void write_layout(const std::string& directory, const std::vector<std::string>& layers) {
  fs::create_directories(directory + "/blobs/sha256");
  const auto put = [&](const std::string& content) {
    std::ofstream(directory + "/blobs/sha256/" + Digest::of(content).hex()) << content;
    return Digest::of(content).to_string();
  };
  const auto descriptor = [&](const char* type, const std::string& content) {
    return Json::object()
        .set("mediaType", std::string("application/vnd.oci.image.") + type)
        .set("digest", put(content))
        .set("size", static_cast<std::int64_t>(content.size()));
  };
  Json diff_ids = Json::array();
  Json list = Json::array();
  for (const std::string& layer : layers) {
    diff_ids.push(Digest::of(layer).to_string());
    list.push(descriptor("layer.v1.tar", layer));
  }
  const std::string config =
      Json::object()
          .set("architecture", "amd64")
          .set("os", "linux")
          .set("config", Json::object())
          .set("rootfs", Json::object().set("type", "layers").set("diff_ids", diff_ids))
          .dump();
  const std::string manifest = Json::object()
                                   .set("schemaVersion", 2)
                                   .set("mediaType", "application/vnd.oci.image.manifest.v1+json")
                                   .set("config", descriptor("config.v1+json", config))
                                   .set("layers", list)
                                   .dump();
  Json entry = descriptor("manifest.v1+json", manifest);
  entry.set("annotations", Json::object().set("org.opencontainers.image.ref.name", "test"));
  std::ofstream(directory + "/index.json")
      << Json::object().set("schemaVersion", 2).set("manifests", Json::array().push(entry)).dump();
  std::ofstream(directory + "/oci-layout") << R"({"imageLayoutVersion": "1.0.0"})";
}

TEST_F(UnpackTest, MakesTheTreeThatUmociMakesOfTheSameLayers) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "umoci maps owners when it is not root";
  }
  std::vector<std::string> layers;
  for (const std::vector<TestTarEntry>& entries : sample_layers()) {
    layers.push_back(io::tar_archive(entries));
    ASSERT_TRUE(unpack_bytes(layers.back(), {.owners = true}));
  }
  write_layout(place_.path() + "/image", layers);
  const std::string other = place_.path() + "/umoci";
  const auto run = io::run_process(
      {.argv = {"umoci", "raw", "unpack", "--image", place_.path() + "/image:test", other}});
  if (!run) {
    GTEST_SKIP() << "umoci is not installed";
  }
  ASSERT_TRUE(run->ok()) << run->errors;
  EXPECT_EQ(listing(root_), listing(other));
}

// --- layers of an overlay ---

UnpackOptions for_overlay() {
  return {.whiteouts = UnpackOptions::Whiteouts::kKeep, .owners = ::geteuid() == 0};
}

bool is_whiteout(const std::string& path) {
  const struct stat info = stat_of(path);
  return S_ISCHR(info.st_mode) && info.st_rdev == 0;
}

bool is_opaque(const std::string& path) {
  char value = 0;
  return ::lgetxattr(path.c_str(), "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

TEST_F(UnpackTest, KeepsWhiteoutsForAnOverlay) {
  ASSERT_VALUE(done, layer({{.name = "etc/.wh.passwd"},
                            {.name = "a/.wh..wh..opq"},
                            {.name = "a/new", .content = "x"},
                            {.name = "b/.wh.gone"},
                            {.name = "b/gone/", .type = '5'},
                            {.name = "b/gone/kept", .content = "y"},
                            {.name = "c/.wh.own"},
                            {.name = "c/own", .content = "z"}},
                           for_overlay()));
  EXPECT_FALSE(done.hides_all);
  EXPECT_TRUE(is_whiteout(root_ + "/etc/passwd"));
  EXPECT_TRUE(is_opaque(root_ + "/a"));
  EXPECT_EQ(read("a/new"), "x");
  EXPECT_TRUE(is_opaque(root_ + "/b/gone"));  // gone below, and made anew here
  EXPECT_EQ(read("b/gone/kept"), "y");
  EXPECT_FALSE(is_opaque(root_ + "/b"));
  EXPECT_EQ(read("c/own"), "z");
  EXPECT_FALSE(there("etc/.wh.passwd"));
}

TEST_F(UnpackTest, SaysThatALayerHidesAllBelowIt) {
  ASSERT_VALUE(done, layer({{.name = ".wh..wh..opq"}, {.name = "a"}}, for_overlay()));
  EXPECT_TRUE(done.hides_all);
}

// An image that could set them would choose which directories of this machine are seen in it.
TEST_F(UnpackTest, LeavesOutTheOverlaysOwnAttributes) {
  ASSERT_VALUE(done, layer({{.name = "d/",
                             .type = '5',
                             .pax = {{"SCHILY.xattr.user.overlay.redirect", "/etc"},
                                     {"SCHILY.xattr.trusted.overlay.redirect", "/etc"},
                                     {"SCHILY.xattr.user.mine", "1"}}}},
                           for_overlay()));
  EXPECT_EQ(done.entries, 1U);
  char value[16] = {};
  EXPECT_LT(::lgetxattr((root_ + "/d").c_str(), "user.overlay.redirect", value, 16), 0);
  EXPECT_LT(::lgetxattr((root_ + "/d").c_str(), "trusted.overlay.redirect", value, 16), 0);
}

}  // namespace
}  // namespace cloche::blob
