#include "source/conda/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Surroundings surroundings() {
  return {.environment = {{"TOKEN", "tk-env"}}, .home = "/home/ada", .directory = "/work/project"};
}

struct Resolved {
  std::vector<Channel> channels;
  Credentials credentials;
};

Result<Resolved> resolve(const std::vector<std::string>& texts, const std::string& condarc = "") {
  ChannelSettings settings;
  TRY(apply_condarc(condarc, ".condarc", surroundings(), settings));
  Resolved out;
  out.channels = TRY(resolve_channels(texts, settings, surroundings(), out.credentials));
  return out;
}

struct Case {
  std::string text;
  std::string name;
  std::string url;
  std::string subdir = {};
};

void expect_cases(const std::vector<Case>& cases, const std::string& condarc = "") {
  for (const Case& one : cases) {
    const auto resolved = resolve({one.text}, condarc);
    ASSERT_TRUE(resolved) << one.text << ": " << resolved.error().to_string();
    ASSERT_EQ(resolved->channels.size(), 1U) << one.text;
    const Channel& channel = resolved->channels.front();
    EXPECT_EQ(channel.name, one.name) << one.text;
    EXPECT_EQ(channel.url, one.url) << one.text;
    EXPECT_EQ(channel.subdirs.empty() ? "" : channel.subdirs.front(), one.subdir) << one.text;
    EXPECT_THAT(channel.mirrors, ElementsAre(channel.url));
  }
}

TEST(Channel, NamesUrlsAndPathsAsCondaReadsThem) {
  const std::string org = "https://conda.anaconda.org/";
  expect_cases({
      {"conda-forge", "conda-forge", org + "conda-forge"},
      {" conda-forge ", "conda-forge", org + "conda-forge"},
      {"conda-forge/", "conda-forge", org + "conda-forge"},
      {"conda-forge/linux-64", "conda-forge", org + "conda-forge", "linux-64"},
      {"conda-forge/noarch", "conda-forge", org + "conda-forge", "noarch"},
      {"conda-forge/label/dev", "conda-forge/label/dev", org + "conda-forge/label/dev"},
      {"conda-forge/label/dev/linux-64", "conda-forge/label/dev", org + "conda-forge/label/dev",
       "linux-64"},
      {"https://conda.anaconda.org/conda-forge", "conda-forge", org + "conda-forge"},
      {"https://conda.anaconda.org/conda-forge/linux-64/", "conda-forge", org + "conda-forge",
       "linux-64"},
      {"HTTPS://Conda.Anaconda.org/conda-forge", "conda-forge", org + "conda-forge"},
      {"https://conda.anaconda.org/t/tk-123/user", "user", org + "user"},
      {"https://repo.anaconda.com/pkgs/main", "pkgs/main", "https://repo.anaconda.com/pkgs/main"},
      {"pkgs/pro", "pkgs/pro", "https://repo.anaconda.com/pkgs/pro"},
      {"https://example.com/a/b", "https://example.com/a/b", "https://example.com/a/b"},
      {"https://example.com", "https://example.com", "https://example.com"},
      {"https://example.com:8443/a/t/tk/b", "https://example.com:8443/a/b",
       "https://example.com:8443/a/b"},
      {"https://ada:secret@example.com/a", "https://example.com/a", "https://example.com/a"},
      {"http://localhost:8000/get/my-channel", "http://localhost:8000/get/my-channel",
       "http://localhost:8000/get/my-channel"},
      {"file:///srv/channel", "file:///srv/channel", "file:///srv/channel"},
      {"file:///srv/channel/linux-64", "file:///srv/channel", "file:///srv/channel", "linux-64"},
      {"/srv/my channel", "file:///srv/my%20channel", "file:///srv/my%20channel"},
      {"file:///srv/my%20channel", "file:///srv/my%20channel", "file:///srv/my%20channel"},
      {"file:///", "file:///", "file:///"},
      {"./channel", "file:///work/project/channel", "file:///work/project/channel"},
      {"../channel", "file:///work/channel", "file:///work/channel"},
      {"~/channel", "file:///home/ada/channel", "file:///home/ada/channel"},
  });
}

TEST(Channel, LocalOnesHaveAPath) {
  ASSERT_VALUE(resolved, resolve({"/srv/my channel%20"}));
  EXPECT_EQ(resolved.channels.front().path(), "/srv/my channel%20");
  EXPECT_TRUE(resolved.channels.front().is_local());
}

TEST(Channel, TheRootIsCalledByItsUrl) {
  ASSERT_VALUE(resolved, resolve({"/"}));
  EXPECT_TRUE(resolved.channels.front().is_called("file:///"));
}

TEST(Channel, DefaultsAreSeveral) {
  ASSERT_VALUE(resolved, resolve({"conda-forge", "defaults", "nodefaults"}));
  ASSERT_EQ(resolved.channels.size(), 3U);
  EXPECT_EQ(resolved.channels[1].url, "https://repo.anaconda.com/pkgs/main");
  EXPECT_EQ(resolved.channels[2].name, "pkgs/r");
  EXPECT_TRUE(resolved.channels[2].is_called("defaults"));
  EXPECT_TRUE(resolved.channels[2].is_called("https://repo.anaconda.com/pkgs/r/"));
  EXPECT_FALSE(resolved.channels[2].is_called("conda-forge"));
}

TEST(Channel, EachIsThereOnceAtItsFirstPlace) {
  ASSERT_VALUE(resolved,
               resolve({"https://conda.anaconda.org/conda-forge", "bioconda", "conda-forge"}));
  ASSERT_EQ(resolved.channels.size(), 2U);
  EXPECT_EQ(resolved.channels[0].name, "conda-forge");
  ASSERT_VALUE(both, resolve({"a/linux-64", "a/noarch", "b/linux-64", "b"}));
  EXPECT_THAT(both.channels[0].subdirs, ElementsAre("linux-64", "noarch"));
  EXPECT_THAT(both.channels[1].subdirs, IsEmpty());
}

TEST(Channel, CredentialsStandApart) {
  ASSERT_VALUE(resolved, resolve({"https://ada:se%40cret@example.com/a",
                                  "https://conda.anaconda.org/t/tk-123/private"}));
  const auto basic = resolved.credentials.authorize("https://example.com/a/noarch/repodata.json");
  ASSERT_EQ(basic.headers.size(), 1U);
  EXPECT_EQ(basic.headers.front().value, "Basic YWRhOnNlQGNyZXQ=");  // ada:se@cret
  EXPECT_EQ(basic.url, "https://example.com/a/noarch/repodata.json");
  const auto token = resolved.credentials.authorize("https://conda.anaconda.org/private/noarch/x");
  EXPECT_EQ(token.url, "https://conda.anaconda.org/t/tk-123/private/noarch/x");
  const auto none = resolved.credentials.authorize("https://conda.anaconda.org/private2/noarch/x");
  EXPECT_EQ(none.url, "https://conda.anaconda.org/private2/noarch/x");
  EXPECT_THAT(none.headers, IsEmpty());
}

TEST(Channel, AliasAndCustomChannels) {
  const std::string condarc =
      "channel_alias: https://ada:pw@conda.corp/t/${TOKEN}/mirror\n"
      "custom_channels:\n"
      "  ours: https://ours.corp/channels\n"
      "  conda-forge: file:///srv\n"
      "  team/inner: https://inner.corp\n"
      "  bare: bare.corp/x\n";
  expect_cases(
      {
          {"bioconda", "bioconda", "https://conda.corp/mirror/bioconda"},
          {"ours", "ours", "https://ours.corp/channels/ours"},
          {"ours/label/dev", "ours/label/dev", "https://ours.corp/channels/ours/label/dev"},
          {"https://ours.corp/channels/ours", "ours", "https://ours.corp/channels/ours"},
          {"conda-forge", "conda-forge", "file:///srv/conda-forge"},
          {"team/inner/x", "team/inner/x", "https://inner.corp/team/inner/x"},
          {"team/outer", "team/outer", "https://conda.corp/mirror/team/outer"},
          {"bare", "bare", "https://bare.corp/x/bare"},
          {"https://conda.corp/mirror/bioconda", "bioconda", "https://conda.corp/mirror/bioconda"},
      },
      condarc);
  ASSERT_VALUE(resolved, resolve({"bioconda"}, condarc));
  const auto url = resolved.credentials.authorize("https://conda.corp/mirror/bioconda/noarch");
  EXPECT_EQ(url.url, "https://conda.corp/t/tk-env/mirror/bioconda/noarch");
  EXPECT_EQ(url.headers.size(), 1U);
}

TEST(Channel, MultichannelsMayNestButNotContainThemselves) {
  ASSERT_VALUE(resolved, resolve({"all"},
                                 "custom_multichannels:\n"
                                 "  all: [ours, defaults]\n"
                                 "  ours: [a, b]\n"
                                 "default_channels: [https://conda.corp/main]\n"));
  ASSERT_EQ(resolved.channels.size(), 3U);
  EXPECT_EQ(resolved.channels[2].url, "https://conda.corp/main");
  EXPECT_THAT(resolved.channels[1].aliases, ElementsAre("all", "ours"));
  const auto circle = resolve({"a"}, "custom_multichannels: {a: [b], b: [a]}");
  ASSERT_FALSE(circle);
  EXPECT_EQ(circle.error().kind, ErrorKind::kInvalid);
}

TEST(Channel, AMultichannelsNameMeansItsChannelsHoweverTheyAreWritten) {
  ASSERT_VALUE(resolved,
               resolve({"https://repo.anaconda.com/pkgs/main", "conda-forge"},
                       "custom_multichannels: {ours: [conda-forge], broken: ['s3://x']}"));
  EXPECT_TRUE(resolved.channels[0].is_called("defaults"));
  EXPECT_FALSE(resolved.channels[0].is_called("ours"));
  EXPECT_TRUE(resolved.channels[1].is_called("ours"));
}

// Lists of lists of lists would be a thousand to the eighth power.
TEST(Channel, ListsOfListsTakeLinearTime) {
  std::string condarc = "custom_multichannels:\n";
  for (int level = 0; level < 7; ++level) {
    condarc += "  m" + std::to_string(level) + ": [";
    for (int i = 0; i < 250; ++i) {
      condarc += "m" + std::to_string(level + 1) + ", ";
    }
    condarc += "x]\n";
  }
  condarc += "allowlist_channels: [m0]\ncustom_channels:\n";
  for (int i = 0; i < 250; ++i) {
    condarc += "  c" + std::to_string(i) + ": https://host\n";
  }
  ASSERT_VALUE(resolved, resolve({"m0"}, condarc));
  EXPECT_EQ(resolved.channels.size(), 2U);  // x, and m7, which is no list
}

TEST(Channel, MirrorsAreAskedInsteadOfThePlace) {
  ASSERT_VALUE(resolved, resolve({"conda-forge"},
                                 "mirrored_channels:\n"
                                 "  conda-forge:\n"
                                 "    - https://a.mirror/conda-forge\n"
                                 "    - oci://ghcr.io/channel-mirrors/conda-forge\n"
                                 "    - https://u:p@b.mirror/cf/\n"));
  const Channel& channel = resolved.channels.front();
  EXPECT_EQ(channel.url, "https://conda.anaconda.org/conda-forge");
  EXPECT_THAT(channel.mirrors, ElementsAre("https://a.mirror/conda-forge", "https://b.mirror/cf"));
  EXPECT_EQ(resolved.credentials.authorize("https://b.mirror/cf/x").headers.size(), 1U);
}

TEST(Channel, MovedPlacesAreFoundAtTheNewOne) {
  expect_cases({{"https://old.corp/conda/bioconda", "bioconda", "https://new.corp/bioconda"}},
               "channel_alias: https://new.corp\n"
               "migrated_channel_aliases: [https://old.corp/conda]\n");
}

TEST(Channel, AllowAndDenyLists) {
  const std::string allow = "allowlist_channels: [conda-forge, defaults]\n";
  EXPECT_TRUE(resolve({"https://conda.anaconda.org/conda-forge", "defaults"}, allow));
  const auto refused =
      resolve({"bioconda"}, allow + "whitelist_channels: ['https://u:geheim@h/c']");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(refused.error().hint, HasSubstr(".condarc"));
  EXPECT_THAT(refused.error().to_string(), Not(HasSubstr("geheim")));
  const std::string deny = "denylist_channels: [defaults]\n";
  EXPECT_TRUE(resolve({"conda-forge"}, deny));
  EXPECT_FALSE(resolve({"https://repo.anaconda.com/pkgs/r"}, deny));
}

struct Refused {
  std::string text;
  ErrorKind kind;
  std::string says;
};

TEST(Channel, WhatIsNoChannelIsRefusedWithTheReason) {
  for (const Refused& one : {
           Refused{"", ErrorKind::kInvalid, "empty"},
           Refused{"local", ErrorKind::kUnsupported, "conda-build"},
           Refused{"oci://ghcr.io/x", ErrorKind::kUnsupported, "https, http and file"},
           Refused{"s3://bucket/x", ErrorKind::kUnsupported, "https, http and file"},
           Refused{"file://channel", ErrorKind::kInvalid, "three slashes"},
           Refused{"https://host/a?x=secret", ErrorKind::kInvalid, "query"},
           Refused{"https://host/a/linux-64/x-1-0.conda", ErrorKind::kInvalid, "package"},
           Refused{"./x-1-0.tar.bz2", ErrorKind::kInvalid, "package"},
           Refused{"https://host/noarch/repodata.json", ErrorKind::kInvalid, "index"},
           Refused{"a\nb", ErrorKind::kInvalid, "control"},
           Refused{std::string(5000, 'a'), ErrorKind::kInvalid, "too long"},
       }) {
    const auto resolved = resolve({one.text});
    ASSERT_FALSE(resolved) << one.text;
    EXPECT_EQ(resolved.error().kind, one.kind) << one.text;
    EXPECT_THAT(resolved.error().to_string(), HasSubstr(one.says));
    EXPECT_THAT(resolved.error().to_string(), Not(HasSubstr("secret")));
  }
}

TEST(ChannelSubdirs, AreThePlatformsAndNoarch) {
  ASSERT_VALUE(resolved, resolve({"a", "b/linux-64", "c/noarch", "d/osx-64"}));
  std::vector<std::string> urls;
  for (const ChannelSubdir& one : channel_subdirs(resolved.channels, "linux-64")) {
    urls.push_back(one.url());
  }
  EXPECT_THAT(
      urls,
      ElementsAre("https://conda.anaconda.org/a/linux-64", "https://conda.anaconda.org/a/noarch",
                  "https://conda.anaconda.org/b/linux-64", "https://conda.anaconda.org/c/noarch"));
  EXPECT_EQ(channel_subdirs(resolved.channels, "noarch").size(), 2U);
}

}  // namespace
}  // namespace cloche::source
