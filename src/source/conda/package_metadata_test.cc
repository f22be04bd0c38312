#include "source/conda/package_metadata.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"

namespace cloche::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PackageMetadataTest : public testing::Test {
 protected:
  Result<PackageMetadata> read(const TestPackage& package) {
    return read_package_metadata(*PackageArchive::open(package.write(place_.path())));
  }

  std::string refusal(const TestPackage& package) {
    const auto metadata = read(package);
    return metadata ? "read" : metadata.error().to_string();
  }

  io::TemporaryDirectory place_ = io::test_directory();
};

TEST_F(PackageMetadataTest, ReadsWhatThePackageSays) {
  const TestPackage package = TestPackage("a", "1.0", "0")
                                  .file("x", "1")
                                  .info("info/about.json", R"({"license": "MIT"})")
                                  .info("info/run_exports.json", R"({"weak": ["a >=1"]})")
                                  .info("info/licenses/LICENSE", "text")
                                  .info("info/LICENSE.txt", "text")
                                  .info("info/prelink_messages/hello.txt", "hello");
  ASSERT_VALUE(metadata, read(package));
  EXPECT_EQ(metadata.name + metadata.version + metadata.build, "a1.00");
  EXPECT_EQ(metadata.about.string_or_empty("license"), "MIT");
  EXPECT_EQ(metadata.run_exports["weak"].items().size(), 1U);
  EXPECT_THAT(metadata.license_files, ElementsAre("info/LICENSE.txt", "info/licenses/LICENSE"));
  EXPECT_THAT(metadata.prelink_messages, ElementsAre("info/prelink_messages/hello.txt"));
  const PackageArchive archive = *PackageArchive::open(package.write(place_.path()));
  EXPECT_EQ(*read_info_file(archive, "info/licenses/LICENSE", 100), "text");
  EXPECT_EQ(read_info_file(archive, "info/none", 100).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(read_info_file(archive, "info/licenses/LICENSE", 3).error().kind, ErrorKind::kInvalid);
}

TEST_F(PackageMetadataTest, IsTolerantWhereCondaIs) {
  ASSERT_VALUE(metadata,
               read(TestPackage("a")
                        .info("info/about.json", "{broken")
                        .info("info/index.json", R"({"name": "a", "version": "1", "noarch": true})")
                        .info("info/package_metadata.json",
                              R"({"package_metadata_version": 1,
                                  "noarch": {"type": "python", "entry_points": ["x = y:z"]}})")));
  EXPECT_TRUE(metadata.about.is_null());
  EXPECT_EQ(metadata.noarch, conda::Noarch::kGeneric);
  ASSERT_EQ(metadata.entry_points.size(), 1U);
  EXPECT_EQ(metadata.entry_points[0].command, "x");
}

TEST_F(PackageMetadataTest, RefusesWhatCondaWouldNotUnderstand) {
  EXPECT_THAT(refusal(TestPackage("a").info("info/index.json", "")),
              HasSubstr("no info/index.json"));
  EXPECT_THAT(refusal(TestPackage("a").info("info/index.json", "{")),
              HasSubstr("info/index.json:1:"));
  EXPECT_THAT(refusal(TestPackage("a").info("info/index.json", R"({"name": "a"})")),
              HasSubstr("no name or no version"));
  EXPECT_THAT(refusal(TestPackage("a").info("info/index.json",
                                            R"({"name": "a", "version": "1", "noarch": "ruby"})")),
              HasSubstr("noarch is not known"));
  EXPECT_THAT(
      refusal(TestPackage("a").info("info/link.json", R"({"package_metadata_version": 2})")),
      HasSubstr("package_metadata_version is not 1"));
  EXPECT_THAT(
      refusal(TestPackage("a").info("info/paths.json", R"({"paths_version": 2, "paths": []})")),
      HasSubstr("paths_version is 2"));
  EXPECT_THAT(refusal(TestPackage("a").info("info/paths.json", R"({"paths_version": 1})")),
              HasSubstr("there are no paths"));
  const auto line = [](const std::string& members) {
    return TestPackage("a").info("info/paths.json",
                                 R"({"paths_version": 1, "paths": [{)" + members + "}]}");
  };
  EXPECT_THAT(refusal(line("")), HasSubstr("no _path"));
  EXPECT_THAT(refusal(line(R"("_path": 1)")), HasSubstr("_path is no text"));
  EXPECT_THAT(refusal(line(R"("_path": "a", "path_type": "fifo")")), HasSubstr("'fifo'"));
  EXPECT_THAT(refusal(line(R"("_path": "a", "file_mode": "hex")")), HasSubstr("'hex'"));
  EXPECT_THAT(refusal(line(R"("_path": "a", "sha256": "12")")), HasSubstr("64 hex digits"));
  EXPECT_THAT(refusal(line(R"("_path": "a", "size_in_bytes": -1)")), HasSubstr("no size"));
  EXPECT_EQ(refusal(line(R"("_path": "a", "sha256": null, "later": [1, {"x": 2}])")), "read");
}

TEST(ParsePathLists, SaysWhichLineIsWrong) {
  const auto error = [](std::string_view has_prefix) {
    return parse_path_lists("a\n", has_prefix, "").error().message;
  };
  EXPECT_EQ(error("one two\n"),
            "info/has_prefix: the line 'one two' is neither a path nor 'placeholder mode path'");
  EXPECT_EQ(error("/p hex a\n"), "info/has_prefix: the file mode 'hex' is neither text nor binary");
  const auto paths = parse_path_lists("a\nb\n", "a\n", "b\n");
  ASSERT_TRUE(paths);
  EXPECT_EQ((*paths)[0].placeholder, "/opt/anaconda1anaconda2anaconda3");
  EXPECT_FALSE((*paths)[0].no_link);
  EXPECT_TRUE((*paths)[1].no_link);
}

// Python's shlex is what conda cuts the lines with.
TEST(ParsePathLists, CutsLinesAsShlexDoes) {
  const std::vector<std::string> lines = {"/p text lib/a",         "\"/p q\" text \"lib/a b\"",
                                          "'/p' binary 'lib/a'",   "lib/a",
                                          "\"lib/a b\"",           "/p\ttext   lib/a",
                                          "a'b text lib/a",        "\"/p\"x text a",
                                          "/p text \"lib/a\"tail", "one two",
                                          "\"open text a",         "/p text a b",
                                          "/p text 'it\"s'",       "a\"b c\" text d"};
  std::string input;
  for (const std::string& line : lines) {
    input += line + "\n";
  }
  const auto judged = python_output(
      "import shlex, sys\n"
      "for line in sys.stdin.read().splitlines():\n"
      "    try:\n"
      "        parts = [x.strip('\"\\'') for x in shlex.split(line, posix=False)]\n"
      "    except ValueError:\n"
      "        parts = []\n"
      "    ok = len(parts) == 1 or (len(parts) == 3 and parts[1] in ('text', 'binary'))\n"
      "    print(parts[0] + '|' + parts[-1] if ok else 'refused')\n",
      input);
  if (!judged) {
    GTEST_SKIP() << "no system Python";
  }
  std::string ours;
  for (const std::string& line : lines) {
    // The path that the line speaks of is not known before: list what the judge found last.
    const auto alone = parse_path_lists("", line, "");
    std::string found = "refused";
    if (alone) {
      const std::string judged_line =
          judged->substr(std::count(ours.begin(), ours.end(), '\n') == 0 ? 0 : ours.size());
      const std::string path = judged_line.substr(
          judged_line.find('|') + 1, judged_line.find('\n') - judged_line.find('|') - 1);
      const auto paths = parse_path_lists(path, line, "");
      if (paths && !paths->empty() && !paths->front().placeholder.empty()) {
        const bool plain = paths->front().placeholder == "/opt/anaconda1anaconda2anaconda3";
        found = (plain ? path : paths->front().placeholder) + "|" + path;
      }
    }
    ours += found + "\n";
  }
  EXPECT_EQ(ours, *judged);
}

TEST(ParseEntryPoint, CutsAtTheLastColonAndTheLastEquals) {
  const auto parts = [](std::string_view text) {
    const auto point = parse_entry_point(text);
    return point ? point->command + "|" + point->module + "|" + point->function : "refused";
  };
  EXPECT_EQ(parts("tool = pkg.cli:main"), "tool|pkg.cli|main");
  EXPECT_EQ(parts("tool=pkg:Class.method"), "tool|pkg|Class.method");
  EXPECT_EQ(parts(" a=b = c:d:e "), "a=b|c:d|e");  // conda installs such a script too
  EXPECT_EQ(parts("x=y = m:f"), "x=y|m|f");
  for (const std::string_view bad :
       {"", "tool", "tool = pkg", "tool: = pkg", "../tool = a:b", "a/b = c:d", "/abs = c:d",
        ".. = c:d", " = c:d", "tool = :f", "tool = m:", "tool = m:f\nimport os", "t\x1b = m:f"}) {
    EXPECT_EQ(parts(bad), "refused") << bad;
  }
}

}  // namespace
}  // namespace cloche::source
