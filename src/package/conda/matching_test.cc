#include "package/conda/matching.h"

#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::conda {
namespace {

bool fits(std::string_view constraint, std::string_view version) {
  const auto spec = VersionSpec::parse(constraint);
  EXPECT_TRUE(spec.has_value()) << constraint;
  const auto matcher = VersionMatcher::compile(*spec);
  EXPECT_TRUE(matcher.has_value()) << constraint;
  return matcher->matches(Version::parse(version).value());
}

struct Case {
  std::string_view constraint;
  std::string_view fitting;
  std::string_view unfitting;
};

TEST(VersionMatcher, ReadsEachOperatorAsCondaDoes) {
  const Case cases[] = {
      {"*", "1", ""},
      {"==1.2", "1.2.0", "1.2.1"},
      {"!=1.2", "1.2.1", "1.2.0"},
      {">=1.2", "1.2", "1.2a1"},
      {">1.2", "1.2.0.1", "1.2"},
      {"<1.2", "1.2dev", "1.2"},
      {"<=1.2", "1.2", "1.2.post1"},
      {"1.2.*", "1.2.9", "1.20"},
      {"=1.2", "1.2rc1", "1.3"},
      {"!=1.2.*", "1.3", "1.2.1"},
      {"~=1.2.3", "1.2.9", "1.3"},
      {"~=1.2", "1.9", "2.0"},
      {">=1,<2|3.*", "3.1", "2.5"},
      {">=1,<2|3.*", "1.9", "0.9"},
      {"1.*.3", "1.22.3", "1.2.4"},
      {"^1\\.[23]$", "1.3", "1.4"},
      {"1.0.2.*", "1.0.2h", "1.0.3"},  // openssl's letters, as conda and libsolv
      {"9.*", "9e", "10"},
      {"1!2.*", "1!2.1", "2.1"},
      {"2.0+cu.*", "2.0+cu121", "2.0+cpu"},
  };
  for (const Case& one : cases) {
    EXPECT_TRUE(fits(one.constraint, one.fitting)) << one.constraint << " " << one.fitting;
    if (!one.unfitting.empty()) {
      EXPECT_FALSE(fits(one.constraint, one.unfitting)) << one.constraint << " " << one.unfitting;
    }
  }
}

TEST(TextMatcher, KnowsExactGlobAndRegex) {
  const auto matches = [](std::string_view pattern, std::string_view text) {
    return TextMatcher::compile(pattern)->matches(text);
  };
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("py39_0", "py39_0"));
  EXPECT_FALSE(matches("py39_0", "py39_1"));
  EXPECT_TRUE(matches("*cuda*", "py39_cuda11_0"));
  EXPECT_TRUE(matches("PY39*", "py39_0"));
  EXPECT_FALSE(matches("py39*_1", "py39_0"));
  EXPECT_TRUE(matches("a*b*c", "axxbyyc"));
  EXPECT_TRUE(matches("^py3(8|9)_0$", "py38_0"));
  EXPECT_FALSE(matches("^py3(8|9)_0$", "py37_0"));
  EXPECT_FALSE(TextMatcher::compile("^(unclosed$").has_value());
}

TEST(TextMatcher, StaysLinearOnHostilePatterns) {
  const std::string text(10000, 'a');
  std::string stars;
  for (int i = 0; i < 50; ++i) {
    stars += "a*";
  }
  EXPECT_FALSE(TextMatcher::compile(stars + "b")->matches(text));
  EXPECT_FALSE(TextMatcher::compile("^(a+)+b$")->matches(text));
}

TEST(RecordMatcher, HoldsEveryPartAgainstTheRecord) {
  const Version version = Version::parse("1.26.4").value();
  const RecordView record{
      .name = "numpy",
      .version = &version,
      .build = "py312h02b7e37_0",
      .build_number = 3,
      .channel = "https://conda.anaconda.org/conda-forge",
      .subdir = "linux-64",
      .file_name = "numpy-1.26.4-py312h02b7e37_0.conda",
      .md5 = "d41d8cd98f00b204e9800998ecf8427e",
      .sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      .url = "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py312h02b7e37_0.conda",
      .license = "BSD-3-Clause",
      .license_family = "BSD",
      .track_features = "mkl debug"};
  const auto matches = [&](std::string_view text) {
    const auto spec = parse_match_spec(text);
    EXPECT_TRUE(spec.has_value()) << text;
    const auto matcher = RecordMatcher::compile(*spec);
    EXPECT_TRUE(matcher.has_value()) << text;
    return matcher->matches(record);
  };
  for (const char* fitting :
       {"numpy", "numpy=1.26", "numpy 1.26.* py312*", "conda-forge::numpy",
        "conda-forge/linux-64::numpy>=1.20", "numpy[build_number='>=2']",
        "numpy[md5=D41D8CD98F00B204E9800998ECF8427E]", "num*", "numpy[license=bsd-3-clause]",
        "numpy[license='BSD*']", "numpy[license_family=bsd]", "numpy[track_features='debug mkl']",
        "numpy[track_features='mkl,debug']", "numpy[fn=numpy-1.26.4-py312h02b7e37_0.conda]",
        "numpy[subdir=linux-64]",
        "https://conda.anaconda.org/conda-forge/linux-64/"
        "numpy-1.26.4-py312h02b7e37_0.conda",
        "numpy[url='https://conda.anaconda.org/conda-forge/linux-64/"
        "numpy-1.26.4-py312h02b7e37_0.conda']"}) {
    EXPECT_TRUE(matches(fitting)) << fitting;
  }
  for (const char* unfitting :
       {"numpy=1.25", "numpy 1.26.* py311*", "bioconda::numpy", "conda-forge/noarch::numpy",
        "numpy[build_number='<2']", "numpy[md5=00000000000000000000000000000000]",
        "numpy[license=MIT]", "numpy[license=BSD]", "numpy[track_features=mkl]",
        "numpy[license_family=GPL]", "numpy[fn=numpy-1.26.4-py312h02b7e37_0.tar.bz2]",
        "numpy[url='https://elsewhere/numpy-1.26.4-py312h02b7e37_0.conda']",
        "https://conda.anaconda.org/bioconda/linux-64/numpy-1.26.4-py312h02b7e37_0.conda"}) {
    EXPECT_FALSE(matches(unfitting)) << unfitting;
  }
}

}  // namespace
}  // namespace cloche::conda
