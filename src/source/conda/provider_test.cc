#include "source/conda/provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "source/conda/nearest_versions.h"
#include "source/conda/provider_testing.h"

namespace cloche::source {
namespace {

using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

std::string solved(const TestChannels& channels, const Texts& specs) {
  return solution_text(*channels.provider(), specs);
}

// --- the order of candidates ---------------------------------------------------------------------

TEST(CondaProvider, TakesTheNewestVersionThenTheGreatestBuildNumber) {
  TestChannels channels;
  channels.add("a 1.9");
  channels.add("a 1.10 x").build_number = 1;
  channels.add("a 1.10 y").build_number = 2;
  channels.add("a 1.10 z");
  EXPECT_EQ(solved(channels, {"a"}), "a 1.10 y");
  EXPECT_EQ(solved(channels, {"a<1.10"}), "a 1.9 0");
  EXPECT_EQ(solved(channels, {"a=1.10=z"}), "a 1.10 z");
  EXPECT_EQ(solved(channels, {"a[build_number=1]"}), "a 1.10 x");
  EXPECT_EQ(solved(channels, {"a[build_number='<1']"}), "a 1.10 z");
  EXPECT_EQ(solved(channels, {"a>2"}), "none");
}

TEST(CondaProvider, PutsTrackFeaturesLast) {
  TestChannels channels;
  channels.add("a 2").track_features = {"debug"};
  channels.add("a 1");
  EXPECT_EQ(solved(channels, {"a"}), "a 1 0");
  EXPECT_EQ(solved(channels, {"a>=2"}), "a 2 0");
  EXPECT_EQ(solved(channels, {"a[track_features=debug]"}), "a 2 0");
}

TEST(CondaProvider, ComparesTiedCandidatesByTheirSharedDependenciesPythonFirst) {
  TestChannels channels;
  for (const char* one : {"python 3.11", "python 3.12", "aaa 1", "aaa 2", "pip 1"}) {
    channels.add(one);
  }
  channels.add("x 1 old_python", {"python 3.11.*", "aaa 2.*"});
  channels.add("x 1 old_aaa", {"python 3.12.*", "aaa 1.*"});
  EXPECT_EQ(solved(channels, {"x"}), "aaa 1 0, pip 1 0, python 3.12 0, x 1 old_aaa");
  channels.add("y 1 more", {"aaa 2.*", "pip"});  // pip is not shared, so it does not count
  channels.add("y 1 less", {"aaa 1.*"});
  EXPECT_EQ(solved(channels, {"y"}), "aaa 2 0, pip 1 0, y 1 more");
}

TEST(CondaProvider, TakesThePlatformBeforeNoarchThenTheNewestThenTheGreatestBuild) {
  TestChannels channels;
  channels.add("a 1 n", {}, {}, "main", "noarch").timestamp_ms = 9;
  channels.add("a 1 p").timestamp_ms = 1;
  EXPECT_EQ(solved(channels, {"a"}), "a 1 p");
  channels.add("a 1 newer").timestamp_ms = 2;
  EXPECT_EQ(solved(channels, {"a"}), "a 1 newer");
  channels.add("a 1 older").timestamp_ms = 2;
  EXPECT_EQ(solved(channels, {"a"}), "a 1 older");
}

TEST(CondaProvider, MergesNoarch) {
  TestChannels channels;
  channels.add("a 1");
  channels.add("a 2", {"b"}, {}, "main", "noarch");
  channels.add("b 1", {}, {}, "main", "noarch");
  EXPECT_EQ(solved(channels, {"a"}), "a 2 0, b 1 0");
  EXPECT_EQ(solved(channels, {"a[subdir=linux-64]"}), "a 1 0");
}

TEST(CondaProvider, KnowsOneVersionInSeveralTexts) {
  TestChannels channels;
  channels.add("a 1.0 short").build_number = 1;
  channels.add("a 1.0.0 long").build_number = 2;
  EXPECT_EQ(solved(channels, {"a"}), "a 1.0.0 long");
  EXPECT_EQ(solved(channels, {"a==1"}), "a 1.0.0 long");
  EXPECT_EQ(solved(channels, {R"(a[version='^1\.0$'])"}), "a 1.0 short");
  EXPECT_EQ(solved(channels, {R"(a[version='^1\.0\.0$'])"}), "a 1.0.0 long");
}

TEST(CondaProvider, LeavesOutVersionsThatNobodyCanRead) {
  TestChannels channels;
  channels.add("a 1");
  channels.add("a 2$");
  EXPECT_EQ(solved(channels, {"a"}), "a 1 0");
}

// --- channels ------------------------------------------------------------------------------------

TestChannels two_channels(conda::ChannelPriority priority) {
  TestChannels channels;
  channels.options.priority = priority;
  channels.add("a 1", {}, {}, "first");
  channels.add("a 2", {}, {}, "second");
  channels.add("a 2 same", {}, {}, "first").build_number = 0;
  channels.add("a 3", {}, {}, "second");
  channels.add("b 1", {}, {}, "second");
  return channels;
}

TEST(CondaProvider, GivesANameToTheFirstChannelThatHasItWhenStrict) {
  const TestChannels channels = two_channels(conda::ChannelPriority::kStrict);
  EXPECT_EQ(solved(channels, {"a", "b"}), "a 2 same, b 1 0");
  EXPECT_EQ(solved(channels, {"a>=3"}), "none");
}

TEST(CondaProvider, PutsTheChannelBeforeTheVersionWhenFlexible) {
  const TestChannels channels = two_channels(conda::ChannelPriority::kFlexible);
  EXPECT_EQ(solved(channels, {"a", "b"}), "a 2 same, b 1 0");
  EXPECT_EQ(solved(channels, {"a>=3"}), "a 3 0");
}

TEST(CondaProvider, PutsTheVersionBeforeTheChannelWhenDisabled) {
  const TestChannels channels = two_channels(conda::ChannelPriority::kDisabled);
  EXPECT_EQ(solved(channels, {"a", "b"}), "a 3 0, b 1 0");
  EXPECT_EQ(solved(channels, {"a<3"}), "a 2 same");
}

TEST(CondaProvider, TakesANameFromTheChannelThatASpecNames) {
  for (const auto priority : {conda::ChannelPriority::kStrict, conda::ChannelPriority::kFlexible,
                              conda::ChannelPriority::kDisabled}) {
    TestChannels channels = two_channels(priority);
    channels.add("c 1", {"a"}, {}, "first");
    EXPECT_EQ(solved(channels, {"second::a"}), "a 3 0");
    EXPECT_EQ(solved(channels, {"https://host/second::a"}), "a 3 0");
    EXPECT_EQ(solved(channels, {"first::a"}), "a 2 same");
    EXPECT_EQ(solved(channels, {"second::a", "c"}), "a 3 0, c 1 0");
    EXPECT_EQ(solved(channels, {"third::a"}), "none");
    EXPECT_EQ(solved(channels, {"first::b"}), "none");
    EXPECT_EQ(solved(channels, {"second/linux-64::a"}), "a 3 0");
    EXPECT_EQ(solved(channels, {"second/noarch::a"}), "none");
  }
}

TEST(CondaProvider, HoldsAChannelInADependencyAgainstTheRecord) {
  TestChannels channels = two_channels(conda::ChannelPriority::kFlexible);
  channels.add("c 1", {"second::a"}, {}, "first");
  EXPECT_EQ(solved(channels, {"c"}), "a 3 0, c 1 0");
}

TEST(CondaProvider, SaysWhyAChannelGivesNothing) {
  const TestChannels channels = two_channels(conda::ChannelPriority::kStrict);
  EXPECT_THAT(explanation(*channels.provider(), {"third::a"}),
              HasSubstr("third is not among the channels"));
  EXPECT_THAT(explanation(*channels.provider(), {"first::b"}), HasSubstr("first has no package b"));
}

// --- virtual packages ----------------------------------------------------------------------------

TEST(CondaProvider, HasTheTargetsVirtualPackages) {
  TestChannels channels;
  channels.options.virtual_packages = {
      {"__glibc", "2.36"}, {"__archspec", "1", "x86_64_v3"}, {"__cuda", "12.4"}, {"__unix", "0"}};
  channels.add("a 1", {"__unix"});
  channels.add("a 2", {"__glibc >=2.28"});
  channels.add("a 3", {"__glibc >=2.38"});
  channels.add("a 4", {"__win"});
  channels.add("b 1", {"__archspec * x86_64_v3"});
  channels.add("b 2", {"__archspec * x86_64_v4"});
  channels.add("c 1", {"__cuda >=12"});
  channels.add("c 2", {"__cuda >=13"});
  channels.add("d 1", {}, {"__cuda <12"});
  EXPECT_EQ(solved(channels, {"a", "b", "c"}), "a 2 0, b 1 0, c 1 0");
  EXPECT_EQ(solved(channels, {"__cuda", "__glibc=2.36"}), "");
  EXPECT_EQ(solved(channels, {"d"}), "d 1 0");  // only what is chosen is constrained
  channels.options.virtual_packages.clear();
  EXPECT_EQ(solved(channels, {"a"}), "none");
  EXPECT_THAT(explanation(*channels.provider(), {"c=1"}), HasSubstr("the target has no __cuda"));
}

TEST(CondaProvider, LetsNoChannelClaimAVirtualPackage) {
  TestChannels channels;
  channels.add("__cuda 13");
  channels.add("a 1", {"__cuda"});
  EXPECT_EQ(solved(channels, {"a"}), "none");
  channels.options.virtual_packages = {{"__cuda", "12"}};
  channels.add("b 1", {"__cuda >=13"});
  EXPECT_EQ(solved(channels, {"a"}), "a 1 0");
  EXPECT_EQ(solved(channels, {"b"}), "none");
}

// --- dependencies --------------------------------------------------------------------------------

TEST(CondaProvider, KeepsConstrains) {
  TestChannels channels;
  channels.add("a 1", {}, {"b <2"});
  channels.add("b 1");
  channels.add("b 2");
  EXPECT_EQ(solved(channels, {"a"}), "a 1 0");
  EXPECT_EQ(solved(channels, {"b>=2", "a"}), "none");
  EXPECT_EQ(solved(channels, {"a", "b"}), "a 1 0, b 1 0");
}

TEST(CondaProvider, AddsPipToPython) {
  TestChannels channels;
  channels.add("python 3.12");
  channels.add("pip 24");
  channels.add("pypy 3.9");
  EXPECT_EQ(solved(channels, {"python"}), "pip 24 0, python 3.12 0");
  EXPECT_EQ(solved(channels, {"pypy"}), "pypy 3.9 0");
  channels.options.add_pip = false;
  EXPECT_EQ(solved(channels, {"python"}), "python 3.12 0");
}

TEST(CondaProvider, KeepsFavouredPackagesWhileWhatIsAskedForMoves) {
  TestChannels channels;
  channels.add("a 1", {"b"});
  channels.add("a 2", {"b"});
  const conda::PackageRecord b1 = channels.add("b 1", {"c"});
  channels.add("b 2", {"c"});
  const conda::PackageRecord c1 = channels.add("c 1");
  channels.add("c 2");
  channels.options.favoured = {b1, c1};
  EXPECT_EQ(solved(channels, {"a"}), "a 2 0, b 1 0, c 1 0");
  EXPECT_EQ(solved(channels, {"a", "b>=2"}), "a 2 0, b 2 0, c 1 0");
  channels.options.favoured = {c1};
  EXPECT_EQ(solved(channels, {"a"}), "a 2 0, b 2 0, c 1 0");
  channels.options.favoured.front().channel = "https://elsewhere/main";
  EXPECT_EQ(solved(channels, {"c"}), "c 2 0");
}

TEST(CondaProvider, TakesNoPackageWhoseDependenciesCannotBeRead) {
  TestChannels channels;
  channels.add("a 1");
  channels.add("a 2", {"b >=1,,<2 ((", "b"});
  channels.add("a 3", {"b[when='(c']"});
  channels.add("a 4", {"b[when='c =>>= 1']"});
  channels.add("a 5", {"*"});
  channels.add("a 6", {"b*"});
  channels.add("a 7", {"b[unheard_of=1]"});
  channels.add("a 8", {""});
  channels.add("b 1");
  EXPECT_EQ(solved(channels, {"a"}), "a 1 0");
}

TEST(CondaProvider, TakesExtras) {
  TestChannels channels;
  channels.add("a 1").extra_depends = {{"gpu", {"cuda >=12", "b"}}, {"test", {"pytest"}}};
  channels.add("a 2").extra_depends = {{"test", {"pytest >=99"}}};
  channels.add("cuda 11");
  channels.add("cuda 12");
  channels.add("b 1");
  channels.add("pytest 8");
  channels.add("c 1", {"a[extras=[gpu]]"});
  EXPECT_EQ(solved(channels, {"a"}), "a 2 0");
  EXPECT_EQ(solved(channels, {"a[extras=[gpu]]"}), "a 2 0");  // CEP 44: absent means nothing more
  EXPECT_EQ(solved(channels, {"a[version='<2',extras=[gpu]]"}), "a 1 0, b 1 0, cuda 12 0");
  EXPECT_EQ(solved(channels, {"a[extras=[test]]"}), "a 1 0, pytest 8 0");
  EXPECT_EQ(solved(channels, {"a[extras=[test,gpu]]"}), "a 1 0, b 1 0, cuda 12 0, pytest 8 0");
  EXPECT_EQ(solved(channels, {"a=1", "c"}), "a 1 0, b 1 0, c 1 0, cuda 12 0");
  EXPECT_EQ(solved(channels, {"a[extras=[never]]"}), "a 2 0");
}

TEST(CondaProvider, ChoosesAmongTiedCandidatesThatExtrasAreAskedOf) {
  TestChannels channels;
  channels.add("b 1");
  channels.add("b 2");
  channels.add("a 1 x", {"b 1.*"}).timestamp_ms = 9;
  channels.add("a 1 y", {"b 2.*"});
  channels.add("c 1", {"a[extras=[gpu]]"});
  EXPECT_EQ(solved(channels, {"c"}), "a 1 y, b 2 0, c 1 0");
  EXPECT_EQ(solved(channels, {"a[extras=[gpu]]"}), "a 1 y, b 2 0");
}

TEST(CondaProvider, MatchesFlags) {
  TestChannels channels;
  channels.add("a 1 x").flags = {"cuda", "blas:mkl"};
  channels.add("a 2 y").flags = {"blas:openblas"};
  channels.add("a 3 z");
  EXPECT_EQ(solved(channels, {"a"}), "a 3 z");
  EXPECT_EQ(solved(channels, {"a[flags=[cuda]]"}), "a 1 x");
  EXPECT_EQ(solved(channels, {"a[flags=['blas:*']]"}), "a 2 y");
  EXPECT_EQ(solved(channels, {"a[flags=[cuda,'blas:*']]"}), "a 1 x");
  EXPECT_EQ(solved(channels, {"a[flags=[cuda,'blas:open*']]"}), "none");
}

TEST(CondaProvider, TakesConditionalDependenciesWhenTheirConditionHolds) {
  const auto needs_x = [&](const std::string& condition, const Texts& beside) {
    TestChannels all;
    all.options.add_pip = false;
    all.options.virtual_packages = {{"__unix", "0"}, {"__cuda", "12.4"}};
    for (const char* one : {"python 3.9", "python 3.12", "x 1", "y 1", "z 1"}) {
      all.add(one);
    }
    all.add("a 1", {"x[when=\"" + condition + "\"]"});
    Texts specs = beside;
    specs.emplace_back("a");
    const std::string text = solved(all, specs);
    EXPECT_NE(text, "none") << condition;
    return text.find("x 1") != std::string::npos;
  };
  EXPECT_TRUE(needs_x("__unix", {}));
  EXPECT_FALSE(needs_x("__win", {}));
  EXPECT_TRUE(needs_x("__cuda>=12", {}));
  EXPECT_FALSE(needs_x("__cuda>=13", {}));
  EXPECT_FALSE(needs_x("python<3.10", {"python"}));
  EXPECT_TRUE(needs_x("python<3.10", {"python=3.9"}));
  EXPECT_FALSE(needs_x("python<3.10", {}));  // no python, no condition
  EXPECT_TRUE(needs_x("__unix and python<3.10", {"python=3.9"}));
  EXPECT_FALSE(needs_x("__win and python<3.10", {"python=3.9"}));
  EXPECT_TRUE(needs_x("__win or python<3.10", {"python=3.9"}));
  EXPECT_TRUE(needs_x("y or z", {"z"}));
  EXPECT_TRUE(needs_x("y and z", {"z", "y"}));
  EXPECT_FALSE(needs_x("y and z", {"z"}));
  EXPECT_TRUE(needs_x("y and z and python", {"y", "z", "python"}));
  EXPECT_FALSE(needs_x("y and z and python", {"y", "z"}));
  EXPECT_TRUE(needs_x("y and (z or python)", {"y", "python"}));
  EXPECT_FALSE(needs_x("y and (z or python)", {"z", "python"}));
  EXPECT_TRUE(needs_x("(y and z) or (python<3.10 and y)", {"y", "python=3.9"}));
  EXPECT_TRUE(needs_x("python[version='<3.10']", {"python=3.9"}));
}

TEST(CondaProvider, TakesConditionsInTheRequest) {
  TestChannels channels;
  channels.options.add_pip = false;
  channels.options.virtual_packages = {{"__unix", "0"}};
  channels.add("python 3.9");
  channels.add("python 3.12");
  channels.add("x 1");
  channels.add("x 2");
  EXPECT_EQ(solved(channels, {"x[when=__win]"}), "");
  EXPECT_EQ(solved(channels, {"x[when=__unix]"}), "x 2 0");
  EXPECT_EQ(solved(channels, {"python", R"(x[version='<2',when="python>=3.10"])"}),
            "python 3.12 0, x 1 0");
  EXPECT_EQ(solved(channels, {"python=3.9", R"(x[version='<2',when="python>=3.10"])"}),
            "python 3.9 0");
}

// --- specs ---------------------------------------------------------------------------------------

TEST(CondaProvider, TakesAnyNameThatAPatternOfTheRequestFits) {
  TestChannels channels;
  channels.add("py-one 1", {"missing"});
  channels.add("py-two 1");
  channels.add("other 1");
  EXPECT_EQ(solved(channels, {"py-*"}), "py-two 1 0");
  EXPECT_EQ(solved(channels, {"^oth.*$"}), "other 1 0");
  EXPECT_EQ(solved(channels, {"nothing*"}), "none");
}

TEST(CondaProvider, FindsTheRecordThatAFileNamesExactly) {
  TestChannels channels;
  conda::PackageRecord& one = channels.add("a 1 x");
  one.md5 = std::string(32, 'a');
  one.sha256 = std::string(64, 'b');
  one.license = "MIT";
  channels.add("a 1 y");
  channels.add("a 2");
  const std::string url = "https://host/main/linux-64/a-1-x.conda";
  for (const std::string& spec :
       {"a[md5=" + one.md5 + "]", "a[sha256=" + one.sha256 + "]", std::string("a[fn=a-1-x.conda]"),
        url, "a[url='" + url + "']", std::string("a[license=mit]"), std::string("a 1 x"),
        std::string("a=1=x"), std::string("a[version=1,build='^x$']")}) {
    EXPECT_EQ(solved(channels, {spec}), "a 1 x") << spec;
  }
  EXPECT_EQ(solved(channels, {"a[license=GPL]"}), "none");
  EXPECT_EQ(solved(channels, {"a[url='https://elsewhere/linux-64/a-1-x.conda']"}), "none");
}

TEST(CondaProvider, HandsOutRecordsAsTheChannelHasThem) {
  TestChannels channels;
  channels.add("python 3.12", {"b >=1"});
  channels.add("b 1");
  channels.add("pip 1", {}, {}, "main", "noarch");
  const auto provider = channels.provider();
  const Asked asked = ask(*provider, {"python"});
  const auto outcome = resolve::solve(*provider, asked.request);
  const auto records = provider->records(std::get<resolve::Solution>(*outcome));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].name, "python");
  EXPECT_EQ(records[0].depends, Texts{"b >=1"});  // pip is the request's wish, not the record's
  EXPECT_EQ(records[0].url, "https://host/main/linux-64/python-3.12-0.conda");
}

// --- messages ------------------------------------------------------------------------------------

TEST(CondaProvider, SaysWhatThereIsInstead) {
  TestChannels channels;
  channels.options.virtual_packages = {{"__glibc", "2.17"}};
  for (const char* version : {"1.24", "1.25", "1.26", "2.0", "2.1", "2.2"}) {
    channels.add(std::string("numpy ") + version + " py312_0");
  }
  channels.add("only 1");
  channels.add("needs-glibc 1", {"__glibc >=2.28"});
  channels.add("odd 1", {"a b c d e f"});
  const auto said = [&](const std::string& spec) {
    return explanation(*channels.provider(), {spec});
  };
  EXPECT_EQ(said("numpy=1.99"),
            "numpy=1.99\n"
            "  there is no numpy 1.99.*: the nearest are 1.25, 1.26, 2.0 and 2.1\n"
            "works with numpy 2.2 instead of numpy=1.99\n");
  EXPECT_THAT(said("numpy>=3"), HasSubstr("there is no numpy >=3: the nearest are 2.1 and 2.2\n"));
  EXPECT_THAT(said("numpy=2.0=py27*"),
              HasSubstr("no numpy ==2.0 has a build py27*: there is py312_0\n"));
  EXPECT_THAT(said("numpyy"), HasSubstr("no channel has a package numpyy: did you mean numpy?"));
  EXPECT_THAT(said("only>=2"), HasSubstr("there is only only 1\n"));
  EXPECT_THAT(said("needs-glibc"), HasSubstr("the target has __glibc 2.17\n"));
  EXPECT_THAT(said("odd"), HasSubstr("'a b c d e f' is no dependency that can be read"));
}

TEST(NearestVersions, AreThoseAroundWhatWasAskedFor) {
  std::vector<conda::Version> versions;
  for (const char* text : {"1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
    versions.push_back(conda::Version::parse(text).value());
  }
  const auto near = [&](const char* constraint) {
    return nearest_versions(conda::VersionSpec::parse(constraint).value(), versions);
  };
  EXPECT_EQ(near("5.5"), (Texts{"4", "5", "6", "7"}));
  EXPECT_EQ(near(">=10"), (Texts{"8", "9"}));
  EXPECT_EQ(near("<1"), (Texts{"1", "2"}));
  EXPECT_EQ(near(">2.5,<2.6"), (Texts{"1", "2", "3", "4"}));
  EXPECT_EQ(near("1.5.*|8.5.*"), (Texts{"1", "2", "3", "7", "8", "9"}));
  EXPECT_EQ(near("^x$"), (Texts{"6", "7", "8", "9"}));
  EXPECT_EQ(nearest_versions(conda::VersionSpec::parse("5").value(), {}), Texts{});
}

}  // namespace
}  // namespace cloche::source
