#include "io/zip_directory.h"

#include <fstream>

#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::io {
namespace {

class ZipDirectoryTest : public testing::Test {
 protected:
  std::string path() const { return place_.path() + "/a.zip"; }

  void write(const std::string& bytes) { std::ofstream(path(), std::ios::binary) << bytes; }

  // What Python's zipfile makes of a script that fills `z`; "" without Python.
  static std::string made_by_python(const std::string& body) {
    const std::string script =
        "import io, sys, zipfile\n"
        "out = io.BytesIO()\n"
        "with zipfile.ZipFile(out, 'w') as z:\n" +
        body + "\nsys.stdout.write(out.getvalue().hex())\n";
    const std::optional<std::string> hex = python_output(script, "");
    std::string bytes;
    for (std::size_t i = 0; hex && i + 1 < hex->size(); i += 2) {
      bytes += static_cast<char>(std::stoi(hex->substr(i, 2), nullptr, 16));
    }
    return bytes;
  }

  TemporaryDirectory place_ = test_directory();
};

TEST_F(ZipDirectoryTest, ReadsStoredMembersInAnyOrder) {
  const std::string zip = made_by_python(
      "    z.comment = b'PK\\x05\\x06 is not the end'\n"
      "    z.writestr('one.txt', 'hello')\n"
      "    with z.open('two', 'w', force_zip64=True) as f: f.write(b'x' * 100000)\n");
  if (zip.empty()) {
    GTEST_SKIP() << "no system Python";
  }
  write(zip);
  ASSERT_VALUE(archive, ZipDirectory::open(path()));
  ASSERT_EQ(archive.members().size(), 2U);
  EXPECT_EQ(archive.members()[0].name, "one.txt");
  EXPECT_EQ(archive.members()[1].size_bytes, 100'000U);
  ASSERT_VALUE(second, archive.read(archive.members()[1]));
  ASSERT_VALUE(first, archive.read(archive.members()[0]));
  EXPECT_EQ(*read_all(*first, 1000), "hello");
  EXPECT_EQ(*read_all(*second, 1'000'000), std::string(100'000, 'x'));
}

TEST_F(ZipDirectoryTest, RefusesWhatIsCutShortAtAnyPlace) {
  const std::string zip = made_by_python("    z.writestr('one.txt', 'hello')\n");
  if (zip.empty()) {
    GTEST_SKIP() << "no system Python";
  }
  for (std::size_t size = 0; size < zip.size(); ++size) {
    write(zip.substr(0, size));
    const auto archive = ZipDirectory::open(path());
    ASSERT_FALSE(archive) << size;
    EXPECT_EQ(archive.error().kind, ErrorKind::kCorrupt);
  }
}

TEST_F(ZipDirectoryTest, RefusesToReadCompressedMembers) {
  const std::string zip =
      made_by_python("    z.writestr('one.txt', 'hello' * 99, zipfile.ZIP_DEFLATED)\n");
  if (zip.empty()) {
    GTEST_SKIP() << "no system Python";
  }
  write(zip);
  ASSERT_VALUE(archive, ZipDirectory::open(path()));
  const auto reader = archive.read(archive.members()[0]);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().kind, ErrorKind::kUnsupported);
}

TEST_F(ZipDirectoryTest, RefusesADirectoryThatLies) {
  std::string zip("PK\5\6\0\0\0\0\1\0\1\0", 12);
  zip += std::string("\x10\0\0\0\xff\xff\0\0\0\0", 10);  // beyond the end
  write(zip);
  EXPECT_EQ(ZipDirectory::open(path()).error().kind, ErrorKind::kCorrupt);
  zip.replace(10, 2, "\xff\xff");  // zip64 without its record
  write(zip);
  EXPECT_EQ(ZipDirectory::open(path()).error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace cloche::io
