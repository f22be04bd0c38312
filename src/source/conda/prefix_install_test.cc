#include "source/conda/prefix_install.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/json.h"
#include "core/testing.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"

namespace cloche::source {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kPlaceholder = "/opt/anaconda1anaconda2anaconda3";

class PrefixInstallTest : public testing::Test {
 protected:
  InstallPackage written(const TestPackage& package) {
    return {.record = package.record(), .archive = package.write(place_.path())};
  }

  Result<InstallReport> install(const std::vector<TestPackage>& packages) {
    std::vector<InstallPackage> all;
    for (const TestPackage& one : packages) {
      all.push_back(written(one));
    }
    return install_prefix(all, options_, pool_, clock_, progress_);
  }

  std::string prefix() const { return place_.path() + "/envs/e"; }

  std::string read(const std::string& path) const {
    std::ifstream file(prefix() + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Json record(const std::string& dist) const {
    return *parse_json(read("conda-meta/" + dist + ".json"));
  }

  // What stands beside the prefix and in it, conda-meta/ left out.
  std::string tree() const {
    std::vector<std::string> lines;
    for (const auto& one : fs::recursive_directory_iterator(place_.path() + "/envs")) {
      const std::string path = one.path().lexically_relative(place_.path() + "/envs").string();
      if (path.find("conda-meta") == std::string::npos) {
        lines.push_back(path + (one.is_symlink()     ? " -> " + fs::read_symlink(one).string()
                                : one.is_directory() ? "/"
                                                     : ""));
      }
    }
    std::ranges::sort(lines);
    std::string out;
    for (const std::string& line : lines) {
      out += line + "\n";
    }
    return out;
  }

  io::TemporaryDirectory place_ = io::test_directory();
  InstallOptions options_{.prefix = place_.path() + "/envs/e",
                          .prefix_in_files = "/opt/cloche/env",
                          .command = "cloche env install",
                          .tool_version = "1.2.3"};
  io::ThreadPool pool_{2};
  FakeClock clock_{1'700'000'000'000};
  Progress progress_;
};

TEST_F(PrefixInstallTest, MakesTheTree) {
  ASSERT_VALUE(report, install({TestPackage("a")
                                    .file("bin/tool", "tool", 0755)
                                    .symlink("bin/alias", "tool")
                                    .hardlink("bin/twin", "bin/tool", "tool")
                                    .directory("var/empty"),
                                TestPackage("b").placeholder("etc/b.conf", kPlaceholder + "/x",
                                                             kPlaceholder, "text")}));
  EXPECT_EQ(tree(),
            "e/\ne/bin/\ne/bin/alias -> tool\ne/bin/tool\ne/bin/twin\ne/etc/\ne/etc/b.conf\n"
            "e/var/\ne/var/empty/\n");
  EXPECT_EQ(read("etc/b.conf"), "/opt/cloche/env/x");
  EXPECT_TRUE(fs::equivalent(prefix() + "/bin/tool", prefix() + "/bin/twin"));
  EXPECT_EQ(fs::status(prefix() + "/bin/tool").permissions(), static_cast<fs::perms>(0755));
  EXPECT_EQ(fs::status(prefix()).permissions(), static_cast<fs::perms>(0755));
  EXPECT_EQ(report.packages, 2U);
  EXPECT_EQ(report.files, 4U);
  EXPECT_THAT(report.clobbers, IsEmpty());
}

TEST_F(PrefixInstallTest, WritesTheRecordsOfCep32) {
  TestPackage package =
      TestPackage("a").noarch_python({"tool = m:f"}).file("site-packages/m.py", "m");
  InstallPackage a = written(package);
  a.requested_specs = {"a >=1", "a"};
  a.record.depends = {"python"};
  a.record.constrains = {"b <2"};
  a.record.md5 = std::string(32, '1');
  a.record.sha256 = std::string(64, '2');
  a.record.size_bytes = 123;
  a.record.timestamp_ms = 1'600'000'000'000;
  a.record.license = "MIT";
  TestPackage python("python", "3.11.4", "h_0");
  ASSERT_VALUE(
      report,
      install_prefix(
          {written(python.placeholder("bin/python3.11", kPlaceholder, kPlaceholder, "text")), a},
          options_, pool_, clock_, progress_));
  EXPECT_EQ(report.packages, 2U);
  const Json json = record("a-1.0-0");
  const std::string script = Digest::of(read("bin/tool")).hex();
  const std::string cache = "/opt/cloche/env/pkgs/a-1.0-0";
  EXPECT_EQ(json.dump(2) + "\n",
            R"({
  "arch": null,
  "build": "0",
  "build_number": 0,
  "channel": "https://conda.anaconda.org/test",
  "constrains": [
    "b <2"
  ],
  "depends": [
    "python"
  ],
  "extracted_package_dir": ")" +
                cache + R"(",
  "files": [
    "lib/python3.11/site-packages/m.py",
    "bin/tool"
  ],
  "fn": "a-1.0-0.conda",
  "license": "MIT",
  "link": {
    "source": ")" +
                cache + R"(",
    "type": 3
  },
  "md5": ")" + std::string(32, '1') +
                R"(",
  "name": "a",
  "noarch": "python",
  "package_tarball_full_path": ")" +
                cache + R"(.conda",
  "paths_data": {
    "paths": [
      {
        "_path": "lib/python3.11/site-packages/m.py",
        "path_type": "hardlink",
        "sha256": ")" +
                Digest::of("m").hex() + R"(",
        "sha256_in_prefix": ")" +
                Digest::of("m").hex() + R"(",
        "size_in_bytes": 1
      },
      {
        "_path": "bin/tool",
        "path_type": "unix_python_entry_point",
        "sha256": ")" +
                script + R"(",
        "sha256_in_prefix": ")" +
                script + R"(",
        "size_in_bytes": )" +
                std::to_string(read("bin/tool").size()) + R"(
      }
    ],
    "paths_version": 1
  },
  "platform": null,
  "requested_spec": "a >=1",
  "requested_specs": [
    "a >=1",
    "a"
  ],
  "sha256": ")" +
                std::string(64, '2') + R"(",
  "size": 123,
  "subdir": "noarch",
  "timestamp": 1600000000000,
  "url": "https://conda.anaconda.org/test/linux-64/a-1.0-0.conda",
  "version": "1.0"
}
)");
  const Json of_python = record("python-3.11.4-h_0");
  const Json& path = of_python["paths_data"]["paths"].items()[0];
  EXPECT_EQ(path["file_mode"], Json("text"));
  EXPECT_EQ(path["prefix_placeholder"], Json(kPlaceholder));
  EXPECT_EQ(path["sha256"], Json(Digest::of(kPlaceholder).hex()));
  EXPECT_EQ(path["sha256_in_prefix"], Json(Digest::of("/opt/cloche/env").hex()));
  EXPECT_EQ(path["size_in_bytes"], Json(static_cast<int>(kPlaceholder.size())));
  EXPECT_EQ(read("conda-meta/history"),
            "==> 2023-11-14 22:13:20 <==\n# cmd: cloche env install\n# cloche version: 1.2.3\n"
            "+test/linux-64::python-3.11.4-h_0\n+test/noarch::a-1.0-0\n"
            "# update specs: ['a >=1', 'a']\n");
}

TEST_F(PrefixInstallTest, KeepsTimesSoThatShippedBytecodeStaysValid) {
  ASSERT_TRUE(
      install({TestPackage("a")
                   .line(Json::object().set("_path", "m.py"))
                   .unlisted({.path = "m.py", .content = "x", .mtime_s = 1'500'000'000})
                   .line(Json::object().set("_path", "p.py").set("prefix_placeholder", "/old"))
                   .unlisted({.path = "p.py", .content = "/old", .mtime_s = 1'500'000'000})}));
  struct stat info{};
  ASSERT_EQ(::stat((prefix() + "/m.py").c_str(), &info), 0);
  EXPECT_EQ(info.st_mtim.tv_sec, 1'500'000'000);
  ASSERT_EQ(::stat((prefix() + "/p.py").c_str(), &info), 0);
  EXPECT_EQ(info.st_mtim.tv_sec, 1'500'000'001);
}

TEST_F(PrefixInstallTest, TheLaterPackageWinsAPath) {
  ASSERT_VALUE(report, install({TestPackage("low").file("f", "low").file("g", "low"),
                                TestPackage("mid").file("f", "mid").file("h", "mid"),
                                TestPackage("top").file("f", "top").file("h", "top")}));
  EXPECT_EQ(read("f") + read("g") + read("h"), "toplowtop");
  EXPECT_THAT(report.clobbers,
              ElementsAre(Clobber{"f", "top", {"low", "mid"}}, Clobber{"h", "top", {"mid"}}));
  EXPECT_EQ(record("low-1.0-0")["files"].items().size(), 2U);
}

TEST_F(PrefixInstallTest, AFileAndADirectoryOfOneName) {
  ASSERT_VALUE(report, install({TestPackage("file").file("x", "file"),
                                TestPackage("dir").file("x/inside", "dir").file("y/inside", "dir"),
                                TestPackage("late").file("y", "late")}));
  EXPECT_EQ(tree(), "e/\ne/x/\ne/x/inside\ne/y\n");
  EXPECT_THAT(report.clobbers,
              ElementsAre(Clobber{"x", "dir", {"file"}}, Clobber{"y/inside", "late", {"dir"}}));
}

TEST_F(PrefixInstallTest, WritesThroughALinkOfAnEarlierPackage) {
  ASSERT_VALUE(report,
               install({TestPackage("base").file("lib/own", "base").symlink("lib64", "lib"),
                        TestPackage("user").file("lib64/more", "user").file("lib64/own", "user")}));
  EXPECT_EQ(tree(), "e/\ne/lib/\ne/lib/more\ne/lib/own\ne/lib64 -> lib\n");
  EXPECT_EQ(read("lib/own"), "user");
  EXPECT_THAT(report.clobbers, ElementsAre(Clobber{"lib/own", "user", {"base"}}));
}

TEST_F(PrefixInstallTest, TheLaterPackageWinsThroughLinksToo) {
  // early writes b/f by the link a, middle by its own name after another link, late by a again.
  const TestPackage base = TestPackage("base").file("b/x", "").symlink("a", "b").symlink("c", "b");
  const TestPackage early = TestPackage("early").file("a/f", "early");
  const TestPackage middle = TestPackage("middle").file("b/f", "middle").file("c/g", "middle");
  const TestPackage late = TestPackage("late").file("a/f", "late").file("a/g", "late");
  ASSERT_VALUE(two, install({base, early, middle}));
  EXPECT_EQ(read("b/f"), "middle");
  EXPECT_THAT(two.clobbers, ElementsAre(Clobber{"b/f", "middle", {"early"}}));
  fs::remove_all(prefix());
  ASSERT_VALUE(swapped, install({base, middle, early}));
  EXPECT_EQ(read("b/f"), "early");
  EXPECT_THAT(swapped.clobbers, ElementsAre(Clobber{"b/f", "early", {"middle"}}));
  fs::remove_all(prefix());
  ASSERT_VALUE(all, install({base, early, middle, late}));
  EXPECT_EQ(read("b/f") + read("b/g"), "latelate");
  EXPECT_EQ(all.clobbers.size(), 3U);
}

TEST_F(PrefixInstallTest, NeverWritesThroughALinkThatLeadsOut) {
  fs::create_directory(place_.path() + "/outside");
  for (const std::string& target : {place_.path() + "/outside", std::string("../../outside")}) {
    const auto report = install(
        {TestPackage("evil").symlink("out", target), TestPackage("prey").file("out/file", "x")});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, ErrorKind::kInvalid) << report.error().to_string();
    EXPECT_THAT(report.error().context, testing::Contains("in the package prey-1.0-0.conda"));
    EXPECT_TRUE(fs::is_empty(place_.path() + "/outside"));
    EXPECT_EQ(tree(), "");
  }
}

TEST_F(PrefixInstallTest, LeavesNothingBehindAfterARefusal) {
  const auto report = install({TestPackage("good").file("a", "1"),
                               TestPackage("bad")
                                   .line(Json::object().set("_path", "b").set("size_in_bytes", 5))
                                   .unlisted({.path = "b", .content = "1"})});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(report.error().context, ElementsAre("at b", "in the package bad-1.0-0.conda"));
  EXPECT_EQ(tree(), "");
}

TEST_F(PrefixInstallTest, RefusesAPlaceThatIsTaken) {
  fs::create_directories(prefix());
  ASSERT_TRUE(install({TestPackage("a").file("x", "1")}));  // an empty directory gives way
  const auto again = install({TestPackage("a").file("x", "2")});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(read("x"), "1");
  options_.replace = true;
  ASSERT_TRUE(install({TestPackage("a").file("y", "2")}));
  EXPECT_EQ(tree(), "e/\ne/y\n");
  fs::remove(prefix() + "/conda-meta/history");
  const auto not_ours = install({TestPackage("a").file("x", "3")});
  ASSERT_FALSE(not_ours);
  EXPECT_EQ(not_ours.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(read("y"), "2");
}

TEST_F(PrefixInstallTest, NotesTheScriptsAndRunsNone) {
  ASSERT_VALUE(report, install({TestPackage("a")
                                    .file("bin/.a-post-link.sh", "exit 1", 0755)
                                    .file("bin/.a-pre-unlink.sh", "exit 1", 0755)
                                    .file("bin/.other-post-link.sh", "exit 1", 0755)}));
  EXPECT_THAT(report.scripts, ElementsAre(LinkScript{"a", "post-link", "bin/.a-post-link.sh"},
                                          LinkScript{"a", "pre-unlink", "bin/.a-pre-unlink.sh"}));
}

// The system's own interpreter as the environment's.
TEST_F(PrefixInstallTest, CompilesBytecodeThatBelievesItself) {
  const std::optional<std::string> version =
      python_output("import sys; print('%d.%d' % sys.version_info[:2], end='')", "");
  if (!version) {
    GTEST_SKIP() << "no system Python";
  }
  options_.compile_bytecode = true;
  TestPackage python("python", *version + ".0", "0");
  python.file("bin/python" + *version, "#!/bin/sh\nexec /usr/bin/python3 \"$@\"\n", 0755);
  TestPackage noarch("a");
  noarch.noarch_python()
      .file("site-packages/a/very.good.py", "x = 1\n")
      .file("site-packages/a/bad.py", "x = = 1\n")
      .file("share/not.py", "x = 1\n");
  ASSERT_VALUE(report, install({python, noarch}));
  EXPECT_THAT(report.notes, IsEmpty());
  const std::string site = "lib/python" + *version + "/site-packages/a/";
  std::string tag = *version;
  std::erase(tag, '.');
  const std::string pyc = site + "__pycache__/very.good.cpython-" + tag + ".pyc";
  const std::string bytes = read(pyc);
  ASSERT_GT(bytes.size(), 16U);
  EXPECT_EQ(bytes.substr(4, 4), std::string("\1\0\0\0", 4));  // PEP 552: hash, unchecked
  EXPECT_NE(bytes.find("/opt/cloche/env/" + site + "very.good.py"), std::string::npos);
  EXPECT_EQ(bytes.find(place_.path()), std::string::npos);
  EXPECT_FALSE(fs::exists(prefix() + "/share/__pycache__"));
  const Json json = record("a-1.0-0");
  EXPECT_EQ(json["files"].items().back(), Json(pyc));
  EXPECT_EQ(json["paths_data"]["paths"].items().back(),
            Json::object().set("_path", pyc).set("path_type", "pyc_file"));
}

TEST_F(PrefixInstallTest, SaysWhenTheInterpreterDoesNotRunHere) {
  options_.compile_bytecode = true;
  ASSERT_VALUE(report,
               install({TestPackage("python", "3.11.0").file("bin/python3.11", "\177ELF?", 0755),
                        TestPackage("a").noarch_python().file("site-packages/a.py", "")}));
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_THAT(report.notes[0], testing::StartsWith("bytecode was not compiled: bin/python3.11"));
}

TEST_F(PrefixInstallTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const auto report = install_prefix({written(TestPackage("a").file("x", "1"))}, options_, pool_,
                                     clock_, progress_, source.get_token());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(tree(), "");
}

TEST_F(PrefixInstallTest, IsTheSameWhateverTheThreads) {
  const auto build = [&](unsigned threads) {
    fs::remove_all(place_.path() + "/envs");
    io::ThreadPool pool(threads);
    std::vector<InstallPackage> all;
    for (int i = 0; i < 20; ++i) {
      TestPackage package(fmt::format("p{}", i));
      for (int j = 0; j < 20; ++j) {
        package.file(fmt::format("d{}/f{}", j % 3, (i * 7 + j) % 60), fmt::format("{} {}", i, j));
      }
      all.push_back(written(package));
    }
    EXPECT_TRUE(install_prefix(all, options_, pool, clock_, progress_));
    std::string out;
    for (const auto& one : fs::recursive_directory_iterator(prefix())) {
      if (one.is_regular_file()) {
        out += Digest::of(one.path().string() + read(fs::relative(one.path(), prefix()))).hex()[0];
      }
    }
    std::ranges::sort(out);
    return out;
  };
  const std::string one = build(1);
  EXPECT_EQ(build(4), one);
  EXPECT_EQ(build(3), one);
}

}  // namespace
}  // namespace cloche::source
