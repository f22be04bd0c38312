// Paths, names, versions and texts on their way from Debian to conda.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "debian_channel/alternatives.h"
#include "debian_channel/conda_naming.h"
#include "debian_channel/copyright.h"
#include "debian_channel/layout.h"
#include "debian_channel/python_files.h"
#include "debian_channel/rules.h"

namespace cloche::debian_channel {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(Layout, MovesWhatIsNeededAndLeavesOutTheRest) {
  const Layout native{.python = "3.11"};
  EXPECT_THAT(prefix_path("usr/lib/x86_64-linux-gnu/libz.so.1", native),
              Optional(std::string("lib/libz.so.1")));
  EXPECT_THAT(prefix_path(merged_path("/lib/x86_64-linux-gnu/libz.so.1"), native),
              Optional(std::string("lib/libz.so.1")));
  EXPECT_THAT(prefix_path("usr/lib/python3/dist-packages/six.py", native),
              Optional(std::string("lib/python3.11/site-packages/six.py")));
  EXPECT_THAT(prefix_path("usr/lib/python3.11/os.py", native),
              Optional(std::string("lib/python3.11/os.py")));
  for (const char* path :
       {"usr/share/doc/a/copyright", "etc/a", "var/lib/a", "usr/lib/python3.12/os.py",
        "usr/lib/python3/dist-packages/a/tests/b.py", "usr/lib/x86_64-linux-gnu/liba.a",
        "usr/lib/python3.11/EXTERNALLY-MANAGED", "usr/include/a.h"}) {
    EXPECT_EQ(prefix_path(path, native), std::nullopt) << path;
  }
}

TEST(Layout, NoarchPackagesNameTheirPlacesFreely) {
  const Layout noarch{.python = "3.11", .noarch = true};
  EXPECT_THAT(prefix_path("usr/lib/python3/dist-packages/six.py", noarch),
              Optional(std::string("site-packages/six.py")));
  EXPECT_THAT(prefix_path("usr/bin/pip3", noarch), Optional(std::string("python-scripts/pip3")));
  EXPECT_EQ(installed_path("site-packages/six.py", noarch), "lib/python3.11/site-packages/six.py");
  EXPECT_EQ(installed_path("python-scripts/pip3", noarch), "bin/pip3");
}

TEST(Layout, RelativePaths) {
  EXPECT_EQ(relative_path("lib/python3.11/site-packages/a", "lib"), "../../..");
  EXPECT_EQ(relative_path("bin", "lib"), "../lib");
  EXPECT_EQ(relative_path("lib", "lib"), ".");
  EXPECT_EQ(relative_path("", "share/a"), "share/a");
}

TEST(Alternatives, AreReadOutOfScripts) {
  EXPECT_THAT(
      alternative_links("set -e\n"
                        "if [ \"$1\" = configure ]; then\n"
                        "  update-alternatives --install /usr/lib/libblas.so.3 libblas.so.3 \\\n"
                        "    /usr/lib/openblas/libblas.so.3 100 \\\n"
                        "    --slave /usr/a a /usr/lib/openblas/a\n"
                        "  update-alternatives --install /usr/b b $WHERE/b 10\n"
                        "fi\n"),
      ElementsAre(AlternativeLink{"/usr/lib/libblas.so.3", "/usr/lib/openblas/libblas.so.3"},
                  AlternativeLink{"/usr/a", "/usr/lib/openblas/a"}));
}

TEST(CondaNaming, Versions) {
  EXPECT_EQ(conda_version("1:1.13.1+dfsg-4"), "1.13.1");
  EXPECT_EQ(conda_version("0.0~git20200918.3dc0328-4"), "0.0git20200918.3dc0328");
  EXPECT_EQ(conda_version("6.2+20201114-2+deb11u2"), "6.2.20201114");
  EXPECT_EQ(conda_version("3.20.0-1~deb12u2"), "3.20.0");
  EXPECT_EQ(conda_version("2024b"), "2024b");
  EXPECT_EQ(build_word("1.13.1-4+b1"), "deb4_b1");
  EXPECT_EQ(build_number("1.13.1-14+deb12u1"), 14);
  EXPECT_EQ(build_number("2024b"), 0);
  EXPECT_EQ(conda_name("libstdc++6"), "libstdcxx6");
}

TEST(Copyright, NamesTheLicenceOfMostFiles) {
  EXPECT_EQ(
      short_license(
          "Format: https://www.debian.org/\nUpstream-Name: a\n\nFiles: debian/*\nCopyright: x\n"
          "License: GPL-2\n\nFiles: *\nCopyright: y\nLicense: BSD-3-Clause\n Text\n"),
      "BSD-3-Clause");
  EXPECT_EQ(short_license("This package was debianized by somebody.\n"), "");
}

TEST(PythonFiles, Interpreters) {
  EXPECT_THAT(with_interpreter("#!/usr/bin/python3 -s\nx\n", "/p/bin/python"),
              Optional(std::string("#!/p/bin/python -s\nx\n")));
  EXPECT_THAT(with_interpreter("#! /usr/bin/env python3.11\n", "/p/python"),
              Optional(std::string("#!/p/python\n")));
  EXPECT_EQ(with_interpreter("#!/bin/sh\n", "/p/python"), std::nullopt);
  EXPECT_EQ(with_interpreter("import x\n", "/p/python"), std::nullopt);
}

TEST(PythonFiles, EntryPointsAndModules) {
  EXPECT_THAT(
      console_scripts(
          "[console_scripts]\npip = pip._internal:main\nx=y:z [extra]\n\n[other]\na = b:c\n"),
      ElementsAre("pip = pip._internal:main", "x = y:z"));
  EXPECT_EQ(top_level_module("numpy/__init__.py"), "numpy");
  EXPECT_EQ(top_level_module("numpy/core/__init__.py"), "");
  EXPECT_EQ(top_level_module("six.py"), "six");
  EXPECT_EQ(top_level_module("_x.cpython-311-x86_64-linux-gnu.so"), "_x");
  EXPECT_EQ(top_level_module("a-b.py"), "");
}

TEST(Rules, Globs) {
  EXPECT_TRUE(matches_glob("lib/python*/site.py", "lib/python3.11/site.py"));
  EXPECT_TRUE(matches_glob("site-packages/pip/*.py", "site-packages/pip/a/b.py"));
  EXPECT_FALSE(matches_glob("lib/*.py", "lib/a.so"));
}

}  // namespace
}  // namespace cloche::debian_channel
