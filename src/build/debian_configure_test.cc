#include "build/debian_configure.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/testing.h"

namespace cloche::build {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(in)), {}};
}

void write(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << content;
}

TEST(ConfigureScript, RunsInDpkgsOrder) {
  source::DebContents with_preinst;
  with_preinst.scripts = {"preinst"};
  const LowerRoot base({});
  ConfigureRequest request{.base = base};
  for (const char* name : {"a", "base-passwd", "quiet"}) {
    source::UnpackedPackage package;
    package.record.name = name;
    package.record.architecture = "amd64";
    static const source::DebContents kNone;
    package.contents = std::string_view(name) == "quiet" ? &kNone : &with_preinst;
    request.packages.push_back(package);
  }
  request.packages[0].record.multi_arch = debian::MultiArch::kSame;
  request.archives = {"/cache/new.deb"};
  request.removes = {"old"};
  request.directories = {{.path = "var/mail it's", .mode = 02775, .gid = 8}};
  const std::string script = configure_script(request);
  const auto at = [&](const std::string& text) {
    EXPECT_THAT(script, HasSubstr(text));
    return script.find(text);
  };
  EXPECT_LT(at("chown 0:8 '/var/mail it'\\''s'\nchmod 2775"), at("--remove 'old'"));
  EXPECT_LT(at("--remove"), at("--unpack /.cloche-archives/0.deb"));
  EXPECT_LT(at("--unpack"), at("preinst base-passwd amd64 base-passwd\n"));
  EXPECT_LT(at("preinst base-passwd amd64"), at("preinst a amd64 a:amd64\n"));
  EXPECT_LT(at("preinst a amd64"), at("--configure -a"));
  EXPECT_EQ(script.find("quiet"), std::string::npos);
}

TEST(MakeReproducible, RemovesWhatDiffersAndKeepsTheRest) {
  const io::TemporaryDirectory place = io::test_directory();
  const std::string root = place.path();
  write(root + "/var/log/dpkg.log", "2026-11-28 ...");
  write(root + "/var/log/apt/history.log", "x");
  write(root + "/var/log/own.log", "x");
  write(root + "/var/cache/fontconfig/abc.cache-7", "x");
  write(root + "/var/cache/ldconfig/aux-cache", "x");
  write(root + "/etc/ssh/ssh_host_ed25519_key", "secret");
  write(root + "/etc/ssh/sshd_config", "x");
  write(root + "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  write(root + "/etc/shadow", "root:*:20785:0:99999:7:::\nnew:!::::::\n");
  ASSERT_TRUE(make_reproducible(root, 86400 * 100 + 5));
  EXPECT_FALSE(fs::exists(root + "/var/log/dpkg.log"));
  EXPECT_FALSE(fs::exists(root + "/var/log/apt/history.log"));
  EXPECT_TRUE(fs::exists(root + "/var/log/own.log"));
  EXPECT_TRUE(fs::is_empty(root + "/var/cache/fontconfig"));
  EXPECT_FALSE(fs::exists(root + "/var/cache/ldconfig/aux-cache"));
  EXPECT_FALSE(fs::exists(root + "/etc/ssh/ssh_host_ed25519_key"));
  EXPECT_TRUE(fs::exists(root + "/etc/ssh/sshd_config"));
  EXPECT_EQ(read(root + "/etc/machine-id"), "");
  EXPECT_EQ(read(root + "/etc/shadow"), "root:*:100:0:99999:7:::\nnew:!::::::\n");
}

}  // namespace
}  // namespace cloche::build
