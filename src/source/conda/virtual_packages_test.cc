#include "source/conda/virtual_packages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Overrides = std::map<std::string, std::string>;

struct Listed {
  std::string text;
  std::vector<Diagnostic> warnings;
};

Result<Listed> list(const Target& target, const Overrides& overrides = {}) {
  Surroundings surroundings;
  for (const auto& [name, value] : overrides) {
    surroundings.environment["CONDA_OVERRIDE_" + name] = value;
  }
  Diagnostics diagnostics;
  Listed out;
  const auto packages = TRY(virtual_packages(target, surroundings, diagnostics));
  for (const conda::VirtualPackage& one : packages) {
    out.text += (out.text.empty() ? "" : " ") + one.to_string();
  }
  out.warnings = diagnostics.list();
  return out;
}

Target on(const std::string& platform) {
  Target target;
  target.platform = platform;
  return target;
}

TEST(VirtualPackages, AContainersDefaults) {
  EXPECT_EQ(list(on("linux-64"))->text,
            "__archspec=1=x86_64 __glibc=2.35=0 __linux=4.18=0 __unix=0=0");
  EXPECT_EQ(list(on("linux-aarch64"))->text,
            "__archspec=1=aarch64 __glibc=2.35=0 __linux=4.18=0 __unix=0=0");
  EXPECT_EQ(list(on("linux-loongarch64"))->text,
            "__archspec=0=loongarch64 __glibc=2.35=0 __linux=4.18=0 __unix=0=0");
  EXPECT_EQ(list(on("osx-arm64"))->text, "__archspec=1=aarch64 __osx=0=0 __unix=0=0");
  EXPECT_EQ(list(on("win-64"))->text, "__archspec=1=x86_64 __win=10.0.17763=0");
  EXPECT_EQ(list(on("emscripten-wasm32"))->text, "__archspec=0=wasm32 __unix=0=0");
}

TEST(VirtualPackages, WhatTheTargetDeclares) {
  Target target;
  target.glibc = "2.17";
  target.linux_kernel = "5.15.0-1034-azure";
  target.archspec = "zen3";
  target.cuda = "12.6";
  target.cuda_arch = "8.0";
  EXPECT_EQ(list(target)->text,
            "__archspec=1=zen3 __cuda=12.6=0 __cuda_arch=8.0=0 __glibc=2.17=0 __linux=5.15.0=0 "
            "__unix=0=0");
  target.cuda.clear();
  EXPECT_THAT(list(target)->text, ::testing::Not(HasSubstr("__cuda")));
}

struct Case {
  Overrides overrides;
  std::string has;
  std::string has_not;
};

TEST(VirtualPackages, OverridesFollowEachPackagesRule) {
  Target target;
  target.cuda = "12.6";
  target.cuda_arch = "8.0";
  for (const Case& one : {
           Case{{{"CUDA", "11.8"}}, "__cuda=11.8=0", "12.6"},
           Case{{{"CUDA", ""}}, "__glibc", "__cuda"},
           Case{{{"CUDA_ARCH", "9.0"}}, "__cuda_arch=9.0=0", "8.0"},
           Case{{{"CUDA_ARCH", "8.6=NVIDIAA10"}}, "__cuda_arch=8.6=0", "A10"},
           Case{{{"CUDA_ARCH", ""}}, "__cuda=12.6=0", "__cuda_arch"},
           Case{{{"GLIBC", "2.28"}}, "__glibc=2.28=0", "2.35"},
           Case{{{"GLIBC", ""}}, "__linux", "__glibc"},
           Case{{{"LINUX", "6.1"}}, "__linux=6.1=0", "4.18"},
           Case{{{"LINUX", "5.10.102.1-microsoft-standard-WSL2"}}, "__linux=5.10.102.1=0", "WSL"},
           Case{{{"LINUX", ""}}, "__linux=4.18=0", "?"},
           Case{{{"ARCHSPEC", "x86_64_v3"}}, "__archspec=1=x86_64_v3", "?"},
           Case{{{"ARCHSPEC", ""}}, "__archspec=1=x86_64", "?"},
       }) {
    ASSERT_VALUE(listed, list(target, one.overrides));
    EXPECT_THAT(listed.text, HasSubstr(one.has));
    EXPECT_THAT(listed.text, ::testing::Not(HasSubstr(one.has_not)));
    EXPECT_THAT(listed.warnings, IsEmpty());
  }
}

TEST(VirtualPackages, SayWhichOverridesHaveNoEffect) {
  for (const Overrides& overrides : {Overrides{{"UNIX", "1"}}, Overrides{{"OSX", "13.0"}},
                                     Overrides{{"WIN", "11"}}, Overrides{{"CUDA_ARCH", "8.0"}}}) {
    ASSERT_VALUE(listed, list(Target(), overrides));
    EXPECT_EQ(listed.text, list(Target())->text);
    ASSERT_THAT(listed.warnings, SizeIs(1));
    EXPECT_THAT(listed.warnings.front().message, HasSubstr(overrides.begin()->first));
  }
  ASSERT_VALUE(mac, list(on("osx-64"), {{"GLIBC", "2.17"}, {"LINUX", "6.1"}, {"OSX", "13.5"}}));
  EXPECT_EQ(mac.text, "__archspec=1=x86_64 __osx=13.5=0 __unix=0=0");
  EXPECT_THAT(mac.warnings, SizeIs(2));
}

TEST(VirtualPackages, RefuseWhatIsNone) {
  EXPECT_FALSE(list(on("linux-65")));
  EXPECT_FALSE(list(on("noarch")));
  for (const Overrides& overrides :
       {Overrides{{"GLIBC", "new enough"}}, Overrides{{"CUDA", "12,6"}},
        Overrides{{"LINUX", "six"}}, Overrides{{"LINUX", "6"}}, Overrides{{"ARCHSPEC", "a b"}}}) {
    const auto listed = list(Target(), overrides);
    ASSERT_FALSE(listed) << overrides.begin()->first;
    EXPECT_EQ(listed.error().kind, ErrorKind::kInvalid);
    EXPECT_FALSE(listed.error().hint.empty());
  }
  Target target;
  target.cuda = "12.6";
  for (const char* arch : {"9.0a", "sm_80", "8"}) {
    EXPECT_FALSE(list(target, {{"CUDA_ARCH", arch}})) << arch;
  }
}

}  // namespace
}  // namespace cloche::source
