#include "source/debian/deb_archive.h"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/testing.h"
#include "core/text.h"
#include "io/process.h"
#include "io/testing.h"
#include "source/debian/deb_testing.h"

namespace cloche::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Seen {
  io::TarEntry entry;
  std::string content;
};

Result<std::map<std::string, Seen>> read_data(const std::string& path) {
  const DebArchive deb = TRY(DebArchive::open(path));
  DebStream data = TRY(deb.data());
  std::map<std::string, Seen> out;
  io::TarEntry entry;
  while (TRY(data.next(entry))) {
    Seen& seen = out[entry.path];
    seen.entry = entry;
    for (std::string_view piece = TRY(data.content()); !piece.empty();
         piece = TRY(data.content())) {
      seen.content += piece;
    }
  }
  return out;
}

class DebArchiveTest : public testing::Test {
 protected:
  std::string write(std::string_view bytes, const std::string& name = "a.deb") {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  Error data_error(const TestDeb& deb) {
    auto data = read_data(write(deb.bytes()));
    return data ? Error{} : data.error();
  }

  io::TemporaryDirectory directory_ = io::test_directory();
};

TestDeb sample() {
  TestDeb deb("hello", "2.10-3", "amd64");
  deb.directory("usr").directory("usr/bin").file("usr/bin/hello", "#!/bin/sh\n", 0755);
  deb.symlink("usr/bin/hi", "hello").hardlink("usr/bin/hello2", "usr/bin/hello");
  deb.entry({.name = "./etc/secret", .content = "x", .mode = 02640, .gid = 42});
  deb.control("postinst", "#!/bin/sh\nexit 0\n").control("conffiles", "/etc/secret\n");
  return deb;
}

TEST_F(DebArchiveTest, ReadsControlAndDataInEachCompression) {
  for (const char* ending : {"xz", "zst", "gz", ""}) {
    ASSERT_VALUE(deb, DebArchive::open(write(sample().compression(ending).bytes())));
    ASSERT_VALUE(control, deb.control());
    EXPECT_THAT(control.at("control").content, HasSubstr("Version: 2.10-3\n"));
    EXPECT_EQ(control.at("postinst").mode, 0755U);
    EXPECT_EQ(control.at("conffiles").mode, 0644U);
    ASSERT_VALUE(data, read_data(deb.path()));
    EXPECT_EQ(data.size(), 6U);
    EXPECT_EQ(data.at("usr/bin/hello").content, "#!/bin/sh\n");
    EXPECT_EQ(data.at("usr/bin/hello").entry.mode, 0755U);
    EXPECT_EQ(data.at("usr/bin/hi").entry.link_target, "hello");
    EXPECT_EQ(data.at("usr/bin/hello2").entry.link_target, "usr/bin/hello");
    EXPECT_EQ(data.at("etc/secret").entry.gid, 42U);
    EXPECT_EQ(data.at("etc/secret").entry.mode, 02640U);
  }
}

TEST_F(DebArchiveTest, KnowsItsHash) {
  const std::string bytes = sample().bytes();
  const std::string path = write(bytes);
  EXPECT_TRUE(DebArchive::open(path, Digest::of(bytes).hex()));
  const auto wrong = DebArchive::open(path, Digest::of("else").hex());
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(wrong.error().message, HasSubstr(Digest::of(bytes).hex()));
}

TEST_F(DebArchiveTest, NamesTruncationWhereverItIs) {
  const std::string bytes = sample().bytes();
  for (std::size_t cut = 0; cut < bytes.size() - 1; ++cut) {
    const std::string path = write(bytes.substr(0, cut));
    const auto data = read_data(path);
    ASSERT_FALSE(data) << cut;
    if (cut >= 8) {
      EXPECT_EQ(data.error().kind, ErrorKind::kCorrupt) << cut << data.error().message;
    }
  }
}

TEST_F(DebArchiveTest, SeesEveryFlippedBitOfAnXzMember) {
  const std::string bytes = sample().bytes();
  const std::size_t data = bytes.find("data.tar.xz") + 60;
  for (std::size_t i = data; i < bytes.size() - 1; ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(read_data(write(bad))) << i - data;
  }
}

TEST_F(DebArchiveTest, RefusesWhatIsNoPackage) {
  const std::string control = make_compressed(io::tar_archive({}), "xz");
  const std::vector<std::pair<std::string, std::string>> good = {{"debian-binary", "2.0\n"}};
  const auto kind = [&](const std::string& bytes) {
    const auto deb = DebArchive::open(write(bytes));
    return deb ? ErrorKind::kInternal : deb.error().kind;
  };
  EXPECT_EQ(kind("<html>not found</html>"), ErrorKind::kInvalid);
  EXPECT_EQ(kind(make_ar({{"control.tar.xz", control}})), ErrorKind::kInvalid);
  EXPECT_EQ(kind(make_ar({{"debian-binary", "3.0\n"}})), ErrorKind::kUnsupported);
  EXPECT_EQ(kind(make_ar({{"debian-binary", "2.0\n"}, {"data.tar.xz", control}})),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind(make_ar({{"debian-binary", "2.0\n"}, {"control.tar.lz4", control}})),
            ErrorKind::kUnsupported);
  EXPECT_EQ(kind(make_ar({{"debian-binary", "2.0\n"}})), ErrorKind::kCorrupt);
}

TEST_F(DebArchiveTest, MembersThatMeanNothingAreSkipped) {
  const std::string tar = make_compressed(io::tar_archive({{.name = "control"}}), "zst");
  ASSERT_VALUE(deb, DebArchive::open(write(make_ar({{"debian-binary", "2.1\nmore\n"},
                                                    {"_gpgorigin", "odd"},
                                                    {"control.tar.zst/", tar},
                                                    {"data.tar.zst", tar},
                                                    {"later", "x"}}))));
  EXPECT_TRUE(deb.control());
}

TEST_F(DebArchiveTest, RefusesWhatWouldLeaveTheRoot) {
  const auto refused = [&](io::TestTarEntry entry) {
    TestDeb deb("evil");
    deb.directory("usr").symlink("usr/link", "/etc").file("usr/file", "x").entry(std::move(entry));
    return data_error(deb);
  };
  for (const io::TestTarEntry& entry :
       std::vector<io::TestTarEntry>{{.name = "../outside"},
                                     {.name = "./usr/../../outside"},
                                     {.name = "./usr/link/passwd"},
                                     {.name = "./usr/file/x"},
                                     {.name = "./usr/file"},
                                     {.name = "./usr/link", .type = '5'},
                                     {.name = "./usr", .type = '2', .link = "/"},
                                     {.name = "./", .type = '2', .link = "/"},
                                     {.name = "./h", .type = '1', .link = "/etc/passwd"},
                                     {.name = "./h", .type = '1', .link = "../etc/passwd"},
                                     {.name = "./h", .type = '1', .link = "usr"},
                                     {.name = "./s", .type = '2', .link = ""},
                                     {.name = "./null", .type = '3'},
                                     {.name = "./sda", .type = '4'},
                                     {.name = "./fifo", .type = '6'}}) {
    const Error error = refused(entry);
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << entry.name << error.message;
    EXPECT_THAT(error.context, ElementsAre("in data.tar.xz"));
  }
  EXPECT_THAT(refused({.name = "./usr/\x1b[2Jx/../y"}).message, testing::Not(HasSubstr("\x1b")));
  EXPECT_EQ(refused({.name = "usr/ok"}).message, "");
}

TEST_F(DebArchiveTest, RefusesControlFilesThatAreNone) {
  for (const char* name : {"../x", "sub/postinst", "a b", ".hidden", "-x"}) {
    TestDeb deb("evil");
    deb.control(name, "x");
    ASSERT_VALUE(archive, DebArchive::open(write(deb.bytes())));
    EXPECT_EQ(archive.control().error().kind, ErrorKind::kInvalid) << name;
  }
  const std::string none = make_ar({{"debian-binary", "2.0\n"},
                                    {"control.tar", io::tar_archive({})},
                                    {"data.tar", io::tar_archive({})}});
  ASSERT_VALUE(archive, DebArchive::open(write(none)));
  EXPECT_THAT(archive.control().error().message, HasSubstr("no file 'control'"));
}

TEST_F(DebArchiveTest, RefusesABomb) {
  TestDeb deb("bomb");
  deb.file("zeros", std::string(std::size_t{80} << 20U, '\0'));
  EXPECT_THAT(data_error(deb).message, HasSubstr("larger than is believable"));
}

TEST(DebianPath, IsPlain) {
  EXPECT_EQ(debian_path("./usr//bin/./x/").value(), "usr/bin/x");
  EXPECT_EQ(debian_path("/etc/passwd").value(), "etc/passwd");
  EXPECT_EQ(debian_path("./").value(), "");
  EXPECT_FALSE(debian_path("a/../b"));
  EXPECT_FALSE(debian_path(std::string("a\0b", 3)));
  EXPECT_FALSE(debian_path(std::string(256, 'a')));
  std::string deep = "a";
  for (int i = 0; i < 200; ++i) {
    deep += "/a";
  }
  EXPECT_FALSE(debian_path(deep));
}

TEST_F(DebArchiveTest, DpkgDebReadsWhatTheTestsMake) {
  const std::string path = write(sample().bytes());
  const auto judged =
      io::run_process({.argv = {"dpkg-deb", "--field", path, "Package", "Version"}});
  if (!judged) {
    GTEST_SKIP() << "no dpkg-deb";
  }
  EXPECT_EQ(judged->output, "Package: hello\nVersion: 2.10-3\n") << judged->errors;
}

}  // namespace
}  // namespace cloche::source
