#include "io/tar_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::io {
namespace {

// One header block, in V7's form unless a magic is given.
struct Header {
  std::string name;
  char type = '0';
  std::string size = "00000000000";
  std::string link = {};
  std::string magic = {};
  std::string prefix = {};
  std::string mode = "0000644";

  std::string block() const {
    std::string out(512, '\0');
    out.replace(0, name.size(), name);
    out.replace(100, mode.size(), mode);
    out.replace(124, size.size(), size);
    out[156] = type;
    out.replace(157, link.size(), link);
    out.replace(257, magic.size(), magic);
    out.replace(345, prefix.size(), prefix);
    out.replace(148, 8, 8, ' ');
    unsigned sum = 0;
    for (const char c : out) {
      sum += static_cast<unsigned char>(c);
    }
    out.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
    return out;
  }
};

std::string padded(std::string data) {
  data.resize((data.size() + 511) / 512 * 512, '\0');
  return data;
}

std::string file(const std::string& name, const std::string& content) {
  return Header{.name = name, .size = fmt::format("{:011o}", content.size())}.block() +
         padded(content);
}

std::string pax(const std::string& key, const std::string& value, char type = 'x') {
  std::size_t size = key.size() + value.size() + 3;
  while (fmt::format("{}", size).size() + key.size() + value.size() + 3 != size) {
    ++size;
  }
  const std::string record = fmt::format("{} {}={}\n", size, key, value);
  return Header{.name = "pax", .type = type, .size = fmt::format("{:011o}", record.size())}
             .block() +
         padded(record);
}

// "path kind mode size link content", a line for each entry.
Result<std::string> listing(const std::string& archive) {
  MemoryReader source(archive);
  TarReader tar(source);
  TarEntry entry;
  std::string out;
  while (TRY(tar.next(entry))) {
    out += fmt::format("{} {} {:o} {} [{}] ", entry.path, "FDLHdf"[static_cast<int>(entry.kind)],
                       entry.mode, entry.size_bytes, entry.link_target);
    while (true) {
      const std::string_view piece = TRY(tar.content());
      if (piece.empty()) {
        break;
      }
      out += piece;
    }
    out += "\n";
  }
  return out;
}

std::string expect_listing(const std::string& archive) {
  const Result<std::string> result = listing(archive);
  return result ? *result : result.error().to_string();
}

const std::string kEnd(1024, '\0');

TEST(TarReader, ReadsFilesInTheirOrder) {
  EXPECT_EQ(expect_listing(file("a.txt", "hello") + file("empty", "") + kEnd),
            "a.txt F 644 5 [] hello\nempty F 644 0 [] \n");
  EXPECT_EQ(expect_listing(""), "");
  EXPECT_EQ(expect_listing(file("a", "x")), "a F 644 1 [] x\n");  // an end without zeros
}

TEST(TarReader, SkipsContentThatIsNotAskedFor) {
  const std::string archive = file("big", std::string(1'000'000, 'x')) + file("b", "2") + kEnd;
  MemoryReader source(archive);
  TarReader tar(source);
  TarEntry entry;
  ASSERT_TRUE(*tar.next(entry));
  ASSERT_TRUE(*tar.next(entry));
  EXPECT_EQ(entry.path, "b");
  EXPECT_EQ(*tar.content(), "2");
  EXPECT_FALSE(*tar.next(entry));
}

TEST(TarReader, KnowsTheKinds) {
  std::string archive;
  for (const char type : std::string("123456")) {
    archive += Header{.name = "n", .type = type, .link = "to"}.block();
  }
  EXPECT_EQ(expect_listing(archive),
            "n H 644 0 [to] \nn L 644 0 [to] \nn d 644 0 [to] \nn d 644 0 [to] \n"
            "n D 644 0 [to] \nn f 644 0 [to] \n");
  EXPECT_EQ(expect_listing(Header{.name = "old/", .type = '\0'}.block()), "old D 644 0 [] \n");
}

TEST(TarReader, JoinsThePrefixOfUstarButNotOfGnu) {
  const std::string ustar("ustar\00000", 8);
  EXPECT_EQ(expect_listing(Header{.name = "b", .magic = ustar, .prefix = "a"}.block()),
            "a/b F 644 0 [] \n");
  EXPECT_EQ(expect_listing(Header{.name = "b", .magic = "ustar  ", .prefix = "a"}.block()),
            "b F 644 0 [] \n");
}

TEST(TarReader, ReadsLongNames) {
  const std::string name(300, 'n');
  const std::string target(200, 't');
  const auto gnu = [](char type, const std::string& text) {
    return Header{.name = "././@LongLink",
                  .type = type,
                  .size = fmt::format("{:011o}", text.size() + 1)}
               .block() +
           padded(text + std::string(1, '\0'));
  };
  const std::string link = Header{.name = "short", .type = '2', .link = "short"}.block();
  const std::string expected = name + " L 644 0 [" + target + "] \n";
  EXPECT_EQ(expect_listing(gnu('L', name) + gnu('K', target) + link), expected);
  EXPECT_EQ(expect_listing(pax("path", name) + pax("linkpath", target) + link), expected);
  // They speak of one entry only.
  EXPECT_EQ(expect_listing(pax("path", "p") + file("a", "") + file("b", "")),
            "p F 644 0 [] \nb F 644 0 [] \n");
  EXPECT_EQ(expect_listing(pax("comment", "x", 'g') + file("a", "")), "a F 644 0 [] \n");
}

TEST(TarReader, ReadsSizesThatOctalDoesNotHold) {
  std::string base256(12, '\0');
  base256[0] = static_cast<char>(0x80);
  base256[11] = 3;
  EXPECT_EQ(expect_listing(Header{.name = "a", .size = base256}.block() + padded("abc")),
            "a F 644 3 [] abc\n");
  EXPECT_EQ(expect_listing(pax("size", "3") + Header{.name = "a"}.block() + padded("abc")),
            "a F 644 3 [] abc\n");
}

TEST(TarReader, ReadsTimes) {
  const auto time_of = [](const std::string& archive) {
    MemoryReader source(archive);
    TarReader tar(source);
    TarEntry entry;
    EXPECT_TRUE(*tar.next(entry));
    return entry.mtime_s;
  };
  EXPECT_EQ(time_of(file("a", "")), 0);
  EXPECT_EQ(time_of(pax("mtime", "1700000000.75") + file("a", "")), 1'700'000'000);
  EXPECT_EQ(time_of(pax("mtime", "-5") + file("a", "")), 0);
}

TEST(TarReader, RefusesWhatIsDamaged) {
  const std::string good = file("a", std::string(2000, 'x')) + file("b", "y");
  std::string wrong_sum = good;
  wrong_sum[0] = 'A';
  struct Case {
    std::string archive;
    ErrorKind kind;
    std::string part;
  };
  std::string huge(12, '\xff');
  for (const Case& one : {
           Case{wrong_sum, ErrorKind::kCorrupt, "wrong checksum"},
           Case{good.substr(0, 100), ErrorKind::kCorrupt, "ends too early"},
           Case{good.substr(0, 1000), ErrorKind::kCorrupt, "ends too early"},
           Case{Header{.name = "a", .size = huge}.block(), ErrorKind::kCorrupt, "number"},
           Case{Header{.name = "a", .size = "12x"}.block(), ErrorKind::kCorrupt, "number"},
           Case{Header{.name = "a", .type = 'S'}.block(), ErrorKind::kUnsupported, "kind"},
           Case{Header{.name = "a", .type = 'L', .size = "77777777777"}.block(),
                ErrorKind::kInvalid, "extension"},
           Case{pax("GNU.sparse.major", "1"), ErrorKind::kUnsupported, "sparse"},
           Case{pax("size", "-1"), ErrorKind::kCorrupt, "pax"},
       }) {
    const Result<std::string> result = listing(one.archive);
    ASSERT_FALSE(result) << one.part;
    EXPECT_EQ(result.error().kind, one.kind) << result.error().message;
    EXPECT_NE(result.error().message.find(one.part), std::string::npos) << result.error().message;
  }
}

// The system's own tar writers as judges.
TEST(TarReader, ReadsWhatPythonWritesInEachFormat) {
  const std::string script = R"(
import io, sys, tarfile
form, = sys.stdin.read().split()
out = io.BytesIO()
with tarfile.open(fileobj=out, mode='w', format=getattr(tarfile, form)) as tar:
    for name, size in (('d/' * 60 + 'deep.txt', 3), ('short', 70000), ('n' * 90 + '/' + 'm' * 90, 0)):
        one = tarfile.TarInfo(name); one.size = size; one.mode = 0o755
        tar.addfile(one, io.BytesIO(b'x' * size))
    one = tarfile.TarInfo('link'); one.type = tarfile.SYMTYPE; one.linkname = 'short'
    tar.addfile(one)
sys.stdout.write(out.getvalue().hex())
)";
  for (const std::string form : {"USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"}) {
    const std::optional<std::string> hex = python_output(script, form);
    if (!hex) {
      GTEST_SKIP() << "no system Python";
    }
    std::string archive;
    for (std::size_t i = 0; i + 1 < hex->size(); i += 2) {
      archive += static_cast<char>(std::stoi(hex->substr(i, 2), nullptr, 16));
    }
    std::string deep;
    for (int i = 0; i < 60; ++i) {
      deep += "d/";
    }
    const std::string both = std::string(90, 'n') + "/" + std::string(90, 'm');
    EXPECT_EQ(expect_listing(archive), deep + "deep.txt F 755 3 [] xxx\nshort F 755 70000 [] " +
                                           std::string(70000, 'x') + "\n" + both +
                                           " F 755 0 [] \nlink L 644 0 [short] \n")
        << form;
  }
}

}  // namespace
}  // namespace cloche::io
