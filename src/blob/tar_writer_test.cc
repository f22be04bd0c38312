#include "blob/tar_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/testing.h"
#include "core/text.h"
#include "io/process.h"
#include "io/reader.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

using testing::HasSubstr;

struct Entry {
  TarHeader header;
  std::string content = {};
};

Result<std::string> archive(const std::vector<Entry>& entries) {
  std::string out;
  TarWriter tar([&](std::string_view bytes) -> Status {
    out += bytes;
    return {};
  });
  for (const Entry& one : entries) {
    TarHeader header = one.header;
    header.size_bytes = one.content.size();
    TRY(tar.entry(header));
    TRY(tar.content(one.content));
  }
  EXPECT_EQ(tar.bytes(), out.size());
  return out;
}

std::string ended(const std::vector<Entry>& entries) {
  return *archive(entries) + std::string(kTarEndBytes, '\0');
}

constexpr auto kDirectory = io::TarKind::kDirectory;
constexpr auto kSymlink = io::TarKind::kSymlink;
constexpr auto kHardlink = io::TarKind::kHardlink;

std::string long_path(std::size_t bytes) {
  std::string path;
  while (path.size() < bytes) {
    path += "directory-" + std::to_string(path.size()) + "/";
  }
  path.resize(bytes, 'x');
  path.back() = 'y';
  return path;
}

// One of everything.
std::vector<Entry> everything() {
  const std::string one_long_name = "a/" + std::string(200, 'n');
  return {{{.path = "a", .kind = kDirectory, .mode = 0755}},
          {{.path = "a/empty"}},
          {{.path = "a/file", .mode = 0755, .mtime_s = 1'700'000'000}, "content\n"},
          {{.path = "a/hard", .kind = kHardlink, .link_target = "a/file"}},
          {{.path = "a/link", .kind = kSymlink, .link_target = "../somewhere else"}},
          {{.path = "a/long-link", .kind = kSymlink, .link_target = long_path(1000)}},
          {{.path = one_long_name}, std::string(513, 'x')},
          {{.path = "a/" + long_path(150), .kind = kDirectory, .mode = 0700}},
          {{.path = "a/" + long_path(2000)}, "deep"},
          {{.path = "a/zürich", .xattrs = {{"user.b", "2"}, {"user.a", std::string("\0=\n", 3)}}},
           "Z"}};
}

std::string run(std::vector<std::string> argv, std::string input) {
  io::Command command;
  command.argv = std::move(argv);
  command.input = std::move(input);
  command.environment = {"LC_ALL=C.UTF-8", "TZ=UTC", "PATH=/usr/bin:/bin"};
  const Result<io::ProcessResult> result = io::run_process(command);
  EXPECT_TRUE(result && result->ok()) << (result ? result->errors : result.error().message);
  EXPECT_EQ(result ? result->errors : "", "");
  return result ? result->output : "";
}

TEST(TarWriter, WritesEachFieldAsThePageSays) {
  ASSERT_VALUE(bytes, archive({{{.path = "bin/tool", .mode = 0755}, "hello\n"}}));
  ASSERT_EQ(bytes.size(), 1024U);
  EXPECT_EQ(bytes.substr(0, 9), std::string("bin/tool\0", 9));
  EXPECT_EQ(bytes.substr(100, 56), std::string("0000755\0"
                                               "0000000\0"
                                               "0000000\0"
                                               "00000000006\0"
                                               "02263773600\0"
                                               "010720\0 ",
                                               56));
  EXPECT_EQ(bytes.substr(156, 1), "0");
  EXPECT_EQ(bytes.substr(257, 88), std::string("ustar\0"
                                               "00",
                                               8) +
                                       std::string(64, '\0') + std::string("0000000\0", 8) +
                                       std::string("0000000\0", 8));
  EXPECT_EQ(bytes.substr(345, 167), std::string(167, '\0'));
  EXPECT_EQ(bytes.substr(512), "hello\n" + std::string(506, '\0'));
}

TEST(TarWriter, OwnersAreNumbersAndRecordsWhereTheyAreLarge) {
  ASSERT_VALUE(small, archive({{{.path = "etc/shadow", .mode = 0640, .uid = 1, .gid = 42}}}));
  EXPECT_EQ(small.substr(108, 8), std::string_view("0000001\0", 8));
  EXPECT_EQ(small.substr(116, 8), std::string_view("0000052\0", 8));
  ASSERT_VALUE(large, archive({{{.path = "a", .uid = 2'097'151, .gid = 2'097'152}}}));
  EXPECT_THAT(large, HasSubstr("15 gid=2097152\n"));
  EXPECT_THAT(large, testing::Not(HasSubstr("uid=")));
  io::MemoryReader reader(large);
  io::TarReader tar(reader);
  io::TarEntry entry;
  ASSERT_TRUE(tar.next(entry).value());
  EXPECT_EQ(entry.uid, 2'097'151U);
  EXPECT_EQ(entry.gid, 2'097'152U);
}

TEST(TarWriter, CutsALongPathAtASlashAndUsesARecordOnlyWhereThatFails) {
  const std::string fits = std::string(155, 'p') + "/" + std::string(100, 'n');
  ASSERT_VALUE(cut, archive({{{.path = fits}}}));
  EXPECT_EQ(cut.size(), 512U);
  EXPECT_EQ(cut.substr(345, 155), std::string(155, 'p'));
  ASSERT_VALUE(record, archive({{{.path = std::string(101, 'n')}}}));
  EXPECT_EQ(record.size(), 3U * 512);
  EXPECT_EQ(record.substr(0, 14), "././@PaxHeader");
  EXPECT_EQ(record.substr(512, 111), "111 path=" + std::string(101, 'n') + "\n");
}

TEST(TarWriter, ARecordsLengthCountsItsOwnDigits) {
  for (const std::size_t bytes : {101U, 990U, 991U, 992U, 993U, 994U, 9985U, 9986U, 9990U}) {
    const std::string path(bytes, 'n');
    const std::string all = ended({{{.path = path}, "x"}});
    io::MemoryReader source(all);
    io::TarReader tar(source);
    io::TarEntry entry;
    ASSERT_VALUE(more, tar.next(entry));
    EXPECT_TRUE(more);
    EXPECT_EQ(entry.path, path);
  }
}

TEST(TarWriter, SizesOf8GibAndMoreAreRecords) {
  std::string out;
  TarWriter tar([&](std::string_view bytes) -> Status {
    out += bytes;
    return {};
  });
  ASSERT_TRUE(tar.entry({.path = "big", .size_bytes = (std::uint64_t{8} << 30U) - 1}));
  EXPECT_EQ(out.size(), 512U);
  EXPECT_EQ(out.substr(124, 12), std::string("77777777777\0", 12));
  out.clear();
  TarWriter larger([&](std::string_view bytes) -> Status {
    out += bytes;
    return {};
  });
  ASSERT_TRUE(larger.entry({.path = "big", .size_bytes = std::uint64_t{8} << 30U}));
  EXPECT_EQ(out.size(), 3U * 512);
  EXPECT_EQ(out.substr(512, 19), "19 size=8589934592\n");
  const std::string listed = run({"/usr/bin/tar", "-tvf", "-", "--ignore-zeros"},
                                 out.substr(0, 1536).replace(512, 19, "19 size=0000000000\n") +
                                     std::string(kTarEndBytes, '\0'));
  EXPECT_THAT(listed, HasSubstr(" big\n"));
}

TEST(TarWriter, TimesThatUstarCannotHoldBecomeTheirNearest) {
  ASSERT_VALUE(early, archive({{{.path = "x", .mtime_s = -5}}}));
  EXPECT_EQ(early.substr(136, 11), "00000000000");
  ASSERT_VALUE(late, archive({{{.path = "x", .mtime_s = std::int64_t{1} << 40U}}}));
  EXPECT_EQ(late.substr(136, 11), "77777777777");
}

TEST(TarWriter, NamesThatAreNoUtf8AreMarkedWhereARecordHoldsThem) {
  const std::string name = "caf\xe9" + std::string(120, 'x');
  ASSERT_VALUE(bytes, archive({{{.path = name}}}));
  EXPECT_THAT(bytes, HasSubstr("21 hdrcharset=BINARY\n"));
  ASSERT_VALUE(plain, archive({{{.path = "caf\xe9"}}}));
  EXPECT_EQ(plain.size(), 512U);
}

TEST(TarWriter, RefusesDevicesAndAttributesItCannotWrite) {
  EXPECT_EQ(archive({{{.path = "x", .kind = io::TarKind::kFifo}}}).error().kind,
            ErrorKind::kUnsupported);
  EXPECT_EQ(archive({{{.path = "x", .xattrs = {{"user.a=b", "c"}}}}}).error().kind,
            ErrorKind::kUnsupported);
}

TEST(TarWriter, OurReaderReadsWhatItWrites) {
  const std::string all = ended(everything());
  io::MemoryReader source(all);
  io::TarReader tar(source);
  io::TarEntry entry;
  for (const Entry& one : everything()) {
    ASSERT_VALUE(more, tar.next(entry));
    ASSERT_TRUE(more);
    EXPECT_EQ(entry.path, one.header.path);
    EXPECT_EQ(entry.kind, one.header.kind);
    EXPECT_EQ(entry.link_target, one.header.link_target);
    EXPECT_EQ(entry.size_bytes, one.content.size());
    EXPECT_EQ(entry.mtime_s, one.header.mtime_s);
  }
  ASSERT_VALUE(more, tar.next(entry));
  EXPECT_FALSE(more);
}

// What a listing must say, for judges who print the same form: type, mode, size, time, path.
std::string expected_listing() {
  std::string out;
  for (const Entry& one : everything()) {
    const bool link = one.header.kind == kSymlink || one.header.kind == kHardlink;
    const char type = one.header.kind == kDirectory  ? '5'
                      : one.header.kind == kSymlink  ? '2'
                      : one.header.kind == kHardlink ? '1'
                                                     : '0';
    out += fmt::format("{} {:o} 0 0 [] [] {} {} {} {}\n", type, link ? 0777 : one.header.mode,
                       one.content.size(), one.header.mtime_s, one.header.path,
                       one.header.link_target);
  }
  return out;
}

TEST(TarWriterJudge, PythonReadsEveryField) {
  const std::string program = R"(
import sys, tarfile
with tarfile.open(fileobj=sys.stdin.buffer, mode='r|') as tar:
    for one in tar:
        print(one.type.decode(), '%o' % one.mode, one.uid, one.gid, '[%s] [%s]' % (one.uname, one.gname),
              one.size, int(one.mtime), one.name, one.linkname)
        attributes = {k: v for k, v in one.pax_headers.items() if k.startswith('SCHILY')}
        assert not attributes or attributes == {'SCHILY.xattr.user.a': '\0=\n', 'SCHILY.xattr.user.b': '2'}
)";
  EXPECT_EQ(run({"/usr/bin/python3", "-I", "-c", program}, ended(everything())),
            expected_listing());
}

std::string paths_only() {
  std::string out;
  for (const Entry& one : everything()) {
    out += one.header.path + (one.header.kind == kDirectory ? "/\n" : "\n");
  }
  return out;
}

TEST(TarWriterJudge, GnuTarListsAll) {
  EXPECT_EQ(run({"/usr/bin/tar", "--quoting-style=literal", "-tf", "-"}, ended(everything())),
            paths_only());
  const std::string details = run(
      {"/usr/bin/tar", "--quoting-style=literal", "--full-time", "-tvf", "-"}, ended(everything()));
  EXPECT_THAT(details, HasSubstr("-rwxr-xr-x 0/0               8 2023-11-14 22:13:20 a/file\n"));
  EXPECT_THAT(details, HasSubstr("hrwxrwxrwx 0/0               0 1980-01-02 00:00:00 a/hard link"
                                 " to a/file\n"));
}

TEST(TarWriterJudge, BsdtarListsAll) {
  if (::access("/usr/bin/bsdtar", X_OK) != 0) {
    GTEST_SKIP() << "no bsdtar";
  }
  EXPECT_EQ(run({"/usr/bin/bsdtar", "-tf", "-"}, ended(everything())), paths_only());
}

TEST(TarWriterJudge, GnuTarUnpacksExtendedAttributes) {
  const io::TemporaryDirectory place = io::test_directory();
  const std::string tar = ended({{{.path = "x", .xattrs = {{"user.cloche", "yes"}}}, "1"}});
  io::Command command;
  command.argv = {"/usr/bin/tar", "--xattrs", "-xf", "-", "-C", place.path()};
  command.input = tar;
  ASSERT_VALUE(result, io::run_process(command));
  std::array<char, 8> value{};
  const ssize_t size =
      ::getxattr((place.path() + "/x").c_str(), "user.cloche", value.data(), value.size());
  if (size < 0 && !result.errors.empty()) {
    GTEST_SKIP() << "no user attributes here: " << result.errors;
  }
  EXPECT_EQ(std::string(value.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))), "yes");
}

RC_GTEST_PROP(TarWriterProperty, OurReaderGetsBackAnything, ()) {
  const auto path = rc::gen::map(
      rc::gen::pair(rc::gen::nonEmpty(rc::gen::string<std::string>()), rc::gen::inRange(1, 8)),
      [](const std::pair<std::string, int>& drawn) {
        std::string text;
        for (int i = 0; i < drawn.second * drawn.second; ++i) {
          text += drawn.first;
        }
        std::erase(text, '\0');
        std::erase(text, '/');
        for (std::size_t i = 40; i + 2 < text.size(); i += 57) {
          text[i] = '/';
        }
        return text.empty() ? std::string("x") : text;
      });
  const std::string name = *path;
  const std::string target = *path;
  const auto content = *rc::gen::string<std::string>();
  const std::string all =
      ended({{{.path = name}, content}, {{.path = "z", .kind = kSymlink, .link_target = target}}});
  RC_ASSERT(all.size() % 512 == 0);
  io::MemoryReader source(all);
  io::TarReader tar(source);
  io::TarEntry entry;
  RC_ASSERT(*tar.next(entry));
  RC_ASSERT(entry.path == name);
  std::string read;
  for (std::string_view piece = *tar.content(); !piece.empty(); piece = *tar.content()) {
    read += piece;
  }
  RC_ASSERT(read == content);
  RC_ASSERT(*tar.next(entry));
  RC_ASSERT(entry.link_target == target);
  RC_ASSERT(!*tar.next(entry));
}

}  // namespace
}  // namespace cloche::blob
