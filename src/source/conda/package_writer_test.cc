#include "source/conda/package_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/disk_files.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"

namespace cloche::source {
namespace {

// A payload with a text, a program, a text with a placeholder and a link.
std::pair<std::string, std::vector<PathEntry>> payload() {
  std::string bytes;
  PayloadWriter out([&](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  });
  EXPECT_TRUE(out.file({.path = "share/b"}, "hello\n"));
  EXPECT_TRUE(out.file({.path = "bin/a", .executable = true, .placeholder = "/placeholder"},
                       "#!/placeholder/bin/python\n"));
  EXPECT_TRUE(out.file({.path = "share/empty"}, ""));
  EXPECT_TRUE(out.symlink("bin/link", "a"));
  const auto paths = out.finish();
  EXPECT_TRUE(paths);
  return {bytes, *paths};
}

class PackageWriterTest : public testing::Test {
 protected:
  std::string write(const std::string& name) {
    const auto [bytes, paths] = payload();
    std::map<std::string, std::string> info = {{"index.json", index_.dump()},
                                               {"paths.json", paths_json_text(paths)}};
    add_path_lists(paths, info);
    EXPECT_TRUE(write_package(join_path(place_.path(), name), bytes, info));
    return join_path(place_.path(), name);
  }

  std::string bytes_of(const std::string& path) {
    io::DiskFiles disk;
    return disk.read(path, 1U << 20U).value_or("");
  }

  io::TemporaryDirectory place_ = io::test_directory();
  Json index_ =
      Json::object().set("name", "a").set("version", "1").set("build", "0").set("build_number", 0);
};

TEST_F(PackageWriterTest, WritesWhatTheReaderReads) {
  for (const std::string name : {"a-1-0.conda", "a-1-0.tar.bz2"}) {
    conda::PackageRecord record;
    record.name = "a";
    record.version = "1";
    record.build = "0";
    const auto sink =
        unpack(write(name), record, {.prefix = "/p", .python_version = "", .site_packages = ""});
    ASSERT_TRUE(sink) << sink.error().to_string();
    EXPECT_EQ(sink->listing(),
              "d bin \n"
              "f 755 bin/a #!/p/bin/python\n\n"
              "l bin/link a\n"
              "d share \n"
              "f 644 share/b hello\n\n"
              "f 644 share/empty \n");
  }
}

TEST_F(PackageWriterTest, WritesTheSameBytesEachTime) {
  EXPECT_EQ(bytes_of(write("a-1-0.conda")), bytes_of(write("a-1-0.conda")));
  EXPECT_EQ(bytes_of(write("a-1-0.tar.bz2")), bytes_of(write("a-1-0.tar.bz2")));
}

TEST_F(PackageWriterTest, ListsPathsAsOlderToolsReadThem) {
  std::map<std::string, std::string> info;
  add_path_lists(payload().second, info);
  EXPECT_EQ(info["files"], "bin/a\nbin/link\nshare/b\nshare/empty\n");
  EXPECT_EQ(info["has_prefix"], "/placeholder text \"bin/a\"\n");
}

TEST_F(PackageWriterTest, ZipFilesAreReadByOthers) {
  const std::string path = write("a-1-0.conda");
  const auto names = python_output(
      "import sys, zipfile\n"
      "z = zipfile.ZipFile(sys.stdin.read())\n"
      "print(z.testzip(), [(i.filename, i.compress_type) for i in z.infolist()])\n",
      path);
  if (!names) {
    GTEST_SKIP() << "no system Python";
  }
  EXPECT_EQ(*names,
            "None [('metadata.json', 0), ('pkg-a-1-0.tar.zst', 0), ('info-a-1-0.tar.zst', 0)]\n");
}

TEST_F(PackageWriterTest, RepodataHasBothFormatsAndTheirHashes) {
  std::map<std::string, Json> records;
  for (const std::string name : {"a-1-0.conda", "a-1-0.tar.bz2"}) {
    ASSERT_VALUE(record, repodata_record(index_, write(name)));
    EXPECT_EQ(record["sha256"].as_string(),
              Digest::of(bytes_of(join_path(place_.path(), name))).hex());
    records.emplace(name, record);
  }
  ASSERT_TRUE(write_repodata(place_.path(), "linux-64", records));
  ASSERT_VALUE(document, parse_json(bytes_of(place_.path() + "/linux-64/repodata.json")));
  EXPECT_EQ(document["packages"].members().size(), 1U);
  EXPECT_EQ(document["packages.conda"]["a-1-0.conda"]["name"].as_string(), "a");
  EXPECT_FALSE(bytes_of(place_.path() + "/linux-64/repodata.json.zst").empty());
}

}  // namespace
}  // namespace cloche::source
