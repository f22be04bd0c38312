#include "source/conda/package_files.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/testing.h"
#include "core/text.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"

namespace cloche::source {
namespace {

const std::string kPlaceholder = "/opt/anaconda1anaconda2anaconda3";

Placement placement() {
  return {.prefix = "/opt/cloche/env",
          .python_version = "3.11",
          .site_packages = "lib/python3.11/site-packages"};
}

class PackageFilesTest : public testing::Test {
 protected:
  // The listing of the package's files, the same from both formats, or its error.
  std::string listing(const TestPackage& package, const Placement& where = placement()) {
    std::string out;
    for (const bool tar_bz2 : {false, true}) {
      const std::string path = package.write(place_.path(), tar_bz2);
      const auto sink = unpack(path, package.record(), where);
      const std::string one = sink ? sink->listing() : error(sink.error());
      EXPECT_TRUE(!tar_bz2 || one == out) << one << out;
      out = one;
    }
    return out;
  }

  static std::string error(const Error& found) {
    std::string out = std::string(to_string(found.kind)) + ": " + found.message;
    for (const std::string& one : found.context) {
      out += "; " + one;
    }
    return out;
  }

  io::TemporaryDirectory place_ = io::test_directory();
};

TEST_F(PackageFilesTest, GivesFilesLinksAndDirectoriesWithPlainModes) {
  EXPECT_EQ(listing(TestPackage("a")
                        .file("bin/tool", "#!/bin/sh\n", 0775)
                        .file("lib/data", "data", 0666)
                        .file("lib/setuid", "x", 04711)
                        .symlink("lib/link", "data")
                        .hardlink("lib/twin", "lib/data", "data")
                        .directory("var/empty")),
            "d bin \nf 755 bin/tool #!/bin/sh\n\nd lib \nf 644 lib/data data\nl lib/link data\n"
            "f 755 lib/setuid x\nh lib/twin lib/data\nd var \nd var/empty \n");
}

TEST_F(PackageFilesTest, ReplacesThePrefix) {
  EXPECT_EQ(
      listing(TestPackage("a")
                  .placeholder("t", "#!" + kPlaceholder + "/bin/sh", kPlaceholder, "text")
                  .placeholder("b", kPlaceholder + std::string("\0x", 2), kPlaceholder, "binary")),
      "f 755 b /opt/cloche/env" + std::string(kPlaceholder.size() - 15 + 1, '\0') + "x\n" +
          "f 755 t #!/opt/cloche/env/bin/sh\n");
}

TEST_F(PackageFilesTest, PlacesNoarchPythonForTheInterpreter) {
  EXPECT_EQ(listing(TestPackage("a")
                        .noarch_python({"tool = pkg.cli:main.run", "twice=pkg:f"})
                        .file("site-packages/pkg/cli.py", "code")
                        .file("python-scripts/script", "s", 0755)
                        .file("python-scripts/twice", "left out", 0755)
                        .file("share/doc", "d")),
            "d bin \nf 755 bin/script s\n"
            "f 755 bin/tool #!/opt/cloche/env/bin/python3.11\n# -*- coding: utf-8 -*-\nimport re\n"
            "import sys\n\nfrom pkg.cli import main\n\nif __name__ == '__main__':\n"
            "    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n"
            "    sys.exit(main.run())\n\n"
            "f 755 bin/twice #!/opt/cloche/env/bin/python3.11\n# -*- coding: utf-8 -*-\nimport re\n"
            "import sys\n\nfrom pkg import f\n\nif __name__ == '__main__':\n"
            "    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n"
            "    sys.exit(f())\n\n"
            "d lib \nd lib/python3.11 \nd lib/python3.11/site-packages \n"
            "d lib/python3.11/site-packages/pkg \n"
            "f 644 lib/python3.11/site-packages/pkg/cli.py code\n"
            "d share \nf 644 share/doc d\n");
  EXPECT_EQ(listing(TestPackage("a").noarch_python(), Placement::of("/p", nullptr)),
            "invalid: it is a noarch python package, and there is no python");
}

TEST(Placement, AsksThePythonRecord) {
  conda::PackageRecord python;
  python.version = "3.13.2";
  const Placement usual = Placement::of("/p", &python);
  EXPECT_EQ(usual.python_version, "3.13");
  EXPECT_EQ(usual.site_packages, "lib/python3.13/site-packages");
  python.python_site_packages_path = "lib/python3.13t/site-packages";
  EXPECT_EQ(Placement::of("/p", &python).site_packages, "lib/python3.13t/site-packages");
}

TEST(EntryPointScript, AvoidsAShebangThatTheKernelWouldNotRead) {
  const EntryPoint point{.command = "t", .module = "m", .function = "f"};
  const auto first_lines = [&](const std::string& prefix) {
    const std::string script = entry_point_script(
        point, {.prefix = prefix, .python_version = "3.11", .site_packages = {}});
    return script.substr(0, script.find("# -*-"));
  };
  EXPECT_EQ(first_lines("/p"), "#!/p/bin/python3.11\n");
  EXPECT_EQ(first_lines("/my envs"),
            "#!/bin/sh\n'''exec' \"/my envs/bin/python3.11\" \"$0\" \"$@\" #'''\n");
  const std::string longest(127 - 2 - 1 - 15, 'd');  // "#!" ... "/bin/python3.11" newline
  EXPECT_EQ(first_lines("/" + longest.substr(1)), "#!/" + longest.substr(1) + "/bin/python3.11\n");
  EXPECT_TRUE(first_lines("/" + longest).starts_with("#!/bin/sh\n"));
}

TEST_F(PackageFilesTest, ReadsTheOlderLists) {
  EXPECT_EQ(
      listing(TestPackage("a")
                  .file("bin/a b", kPlaceholder + "/x")
                  .file("lib/b", "/old/place" + std::string(1, '\0'))
                  .symlink("lib/l", "b")
                  .file("not/listed", "x")
                  .info("info/paths.json", "")
                  .info("info/files", "bin/a b\n# comment\n\nlib/b\nlib/l\n")
                  .info("info/has_prefix",
                        "\"" + kPlaceholder + "\" text \"bin/a b\"\n/old/place binary lib/b\n"),
              {.prefix = "/new", .python_version = {}, .site_packages = {}}),
      "d bin \nf 644 bin/a b /new/x\nd lib \nf 644 lib/b /new" + std::string(7, '\0') +
          "\nl lib/l b\n");
}

TEST_F(PackageFilesTest, LeavesOutWhatIsNotListed) {
  EXPECT_EQ(listing(TestPackage("a").file("a", "1").unlisted({.path = "b", .content = "2"})),
            "f 644 a 1\n");
}

TEST_F(PackageFilesTest, FindsInfoWhereverItStands) {
  const TestPackage package = TestPackage("a").file("x", kPlaceholder);
  const std::string path = place_.path() + "/last.tar.bz2";
  std::ofstream(path, std::ios::binary) << package.tar_bz2(true);
  EXPECT_EQ(unpack(path, package.record(), placement())->listing(),
            "f 644 x " + kPlaceholder + "\n");
}

TEST_F(PackageFilesTest, RefusesByNameWhatBreaksItsPromises) {
  const std::string sum = Digest::of("other").hex();
  const auto one_line = [&](Json json) {
    return listing(TestPackage("a").unlisted({.path = "x", .content = "1"}).line(std::move(json)));
  };
  EXPECT_EQ(one_line(Json::object().set("_path", "x").set("sha256", sum)),
            "corrupt: its sha256 is " + Digest::of("1").hex() + ", the package promises " + sum +
                "; at x");
  EXPECT_EQ(one_line(Json::object().set("_path", "x").set("size_in_bytes", 7)),
            "corrupt: it has 1 bytes, the package promises 7; at x");
  EXPECT_EQ(one_line(Json::object().set("_path", "missing")),
            "corrupt: the package lists missing and does not hold it");
  EXPECT_EQ(one_line(Json::object().set("_path", "x").set("path_type", "directory")),
            "corrupt: the package lists a directory and holds a file; at x");
  EXPECT_EQ(listing(TestPackage("a").hardlink("y", "x", "1")),
            "unsupported: it is a hard link to x, which is no file of this package before it; at "
            "y");
}

TEST_F(PackageFilesTest, RefusesEntriesThatLeadOut) {
  const auto entry = [&](TestEntry one) {
    return listing(TestPackage("a").unlisted(std::move(one)));
  };
  EXPECT_EQ(entry({.path = "/etc/passwd", .content = "x"}),
            "invalid: the path '/etc/passwd' is absolute");
  EXPECT_EQ(entry({.path = "a/../../x", .content = "x"}),
            "invalid: the path 'a/../../x' leads out with '..'");
  EXPECT_EQ(entry({.path = "dev", .content = {}, .type = '3'}), "invalid: dev is a device");
  EXPECT_EQ(entry({.path = "pipe", .content = {}, .type = '6'}), "invalid: pipe is a FIFO");
  EXPECT_EQ(entry({.path = "link", .content = {}, .type = '2'}),
            "invalid: the link link has no target");
  EXPECT_EQ(listing(TestPackage("a").file("x", "1").unlisted({.path = "./x", .content = "2"})),
            "invalid: x is there twice");
  EXPECT_EQ(listing(TestPackage("a").symlink("out", "/etc").file("out/passwd", "x")),
            "invalid: out/passwd lies below out, which is no directory");
  EXPECT_EQ(listing(TestPackage("a").line(Json::object().set("_path", "../x"))),
            "invalid: the path '../x' leads out with '..'; in info/paths.json");
  EXPECT_EQ(listing(TestPackage("a").file("conda-meta/history", "x")),
            "invalid: it would write conda-meta/history, which is the installer's own");
  EXPECT_EQ(listing(TestPackage("a").noarch_python({"../../evil = a:b"})),
            "invalid: the entry point '../../evil = a:b' has a command that is no file name; in "
            "info/link.json");
}

TEST_F(PackageFilesTest, RefusesContentThatNoArchiveOfThisSizeHolds) {
  const TestPackage package = TestPackage("a").file("zeros", std::string(70'000'000, '\0'));
  const auto sink = unpack(package.write(place_.path()), package.record(), placement());
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().message, "zeros makes the content larger than is believable");
}

TEST_F(PackageFilesTest, RefusesAnotherPackage) {
  const TestPackage package = TestPackage("a", "1.0", "0").file("x", "1");
  conda::PackageRecord record = package.record();
  record.version = "2.0";
  const auto sink = unpack(package.write(place_.path()), record, placement());
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().message, "the archive holds a-1.0-0");
}

TEST_F(PackageFilesTest, RefusesWhatIsCutShortAtAnyPlace) {
  const TestPackage package = TestPackage("a").file("lib/x", std::string(3000, 'x'));
  for (const std::string& whole : {package.conda(), package.tar_bz2()}) {
    for (std::size_t size = 0; size < whole.size(); size += 7) {
      const std::string path = place_.path() + "/cut";
      std::ofstream(path, std::ios::binary) << whole.substr(0, size);
      EXPECT_FALSE(unpack(path, package.record(), placement())) << size;
    }
  }
}

// --- the real packages ---

struct Refusal {
  std::string_view file;
  std::string_view why;
};

// Which of them are refused, and why; each of the others gives what its paths.json promises.
constexpr Refusal kRefused[] = {
    {"conda/zlib-1.2.11-h7b6447c_3.conda", "the link lib/libz.so.1 has no target"},
    // Packed on Windows: its links became empty files, as conda would install them.
    {"conda/zlib-1.2.11-h7b6447c_3.tar.bz2", "its sha256 is"},
    // Zipped again by a browser: members in a folder, and compressed.
    {"rattler/ca-certificates-2024.7.4-hbcca054_0.conda", "it holds no info-*.tar.zst"},
    {"rattler/dotslash-test-1.0.0-0.conda", "it has neither info/paths.json nor info/files"},
    {"rattler/info-only-1.0.0-0.conda", "it holds no pkg-*.tar.zst"},
    {"rattler/symlink-test-1.0.0-0.conda", "it has neither info/paths.json nor info/files"},
    {"rattler/zip64-test-1.0.0-0.conda", "it has neither info/paths.json nor info/files"},
};

std::string refusal_of(std::string_view file) {
  for (const Refusal& one : kRefused) {
    if (one.file == file) {
      return std::string(one.why);
    }
  }
  return "";
}

conda::PackageRecord record_of(const PackageMetadata& metadata) {
  conda::PackageRecord record;
  record.name = metadata.name;
  record.version = metadata.version;
  record.build = metadata.build;
  record.noarch = metadata.noarch;
  return record;
}

// Each file that paths.json lists is there with the size and sha256 that it promises.
Result<std::size_t> check_real_package(const std::string& path) {
  PackageArchive archive = TRY(PackageArchive::open(path));
  const PackageMetadata metadata = TRY(read_package_metadata(archive));
  MemorySink sink;
  PackageFiles files =
      TRY(PackageFiles::open(std::move(archive), record_of(metadata), placement()));
  TRY(files.deliver(sink));
  std::size_t checked = 0;
  for (const PlacedPath& placed : files.paths()) {
    const auto node = sink.nodes().find(placed.path);
    EXPECT_NE(node, sink.nodes().end()) << placed.path;
    if (node == sink.nodes().end() || placed.kind == PlacedPath::Kind::kEntryPoint) {
      continue;
    }
    if (node->second.kind == 'f' && placed.entry.placeholder.empty()) {
      EXPECT_TRUE(placed.entry.sha256.empty() || node->second.sha256 == placed.entry.sha256);
      ++checked;
    }
  }
  return checked;
}

TEST(RealPackages, GiveWhatTheyPromiseOrAreRefused) {
  const std::string root = CLOCHE_SOURCE_DIR + "/../shared/data/conda/packages";
  if (!std::filesystem::exists(root)) {
    GTEST_SKIP() << "no shared packages";
  }
  std::size_t packages = 0;
  std::size_t files = 0;
  for (const auto& one : std::filesystem::recursive_directory_iterator(root)) {
    if (!one.is_regular_file()) {
      continue;
    }
    const std::string name = std::filesystem::relative(one.path(), root).string();
    const Result<std::size_t> checked = check_real_package(one.path().string());
    const std::string refusal = refusal_of(name);
    if (refusal.empty()) {
      EXPECT_TRUE(checked) << name << ": " << checked.error().to_string();
      files += checked ? *checked : 0;
      ++packages;
    } else {
      EXPECT_FALSE(checked) << name;
      EXPECT_TRUE(checked || checked.error().message.starts_with(refusal))
          << name << ": " << checked.error().to_string();
    }
  }
  EXPECT_GE(packages, 69U);
  EXPECT_GE(files, 400U);
}

}  // namespace
}  // namespace cloche::source
