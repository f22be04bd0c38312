#include "source/conda/condarc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "source/conda/credentials.h"

namespace cloche::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Surroundings surroundings(std::map<std::string, std::string> environment = {}) {
  return {.environment = std::move(environment), .home = "/home/ada", .directory = "/work"};
}

Result<ChannelSettings> apply(std::string_view text) {
  ChannelSettings settings;
  TRY(apply_condarc(text, ".condarc", surroundings({{"TOKEN", "tk"}}), settings));
  return settings;
}

TEST(Condarc, IsReadForChannelsAndNothingElse) {
  ASSERT_VALUE(settings, apply(R"(
channels:
  - conda-forge
  - https://conda.corp/t/$TOKEN/${NOT_SET}
channel_priority: flexible
add_pip_as_python_dependency: no
override_channels_enabled: false
offline: true
ssl_verify: /etc/ssl/corp.pem
proxy_servers:
  http: http://proxy:3128
  https://conda.corp:
remote_connect_timeout_secs: 9.15
remote_read_timeout_secs: 60
remote_max_retries: 3
remote_backoff_factor: 1
auto_update_conda: maybe
envs_dirs: {a: [b]}
)"));
  EXPECT_THAT(settings.channels, ElementsAre("conda-forge", "https://conda.corp/t/tk/${NOT_SET}"));
  EXPECT_EQ(settings.channel_priority, ChannelPriority::kFlexible);
  EXPECT_EQ(settings.add_pip_as_python_dependency, false);
  EXPECT_EQ(settings.override_channels_enabled, false);
  EXPECT_EQ(settings.offline, true);
  io::HttpOptions options;
  apply_to(options, settings);
  EXPECT_EQ(options.ca_file, "/etc/ssl/corp.pem");
  EXPECT_TRUE(options.verify_certificates);
  EXPECT_THAT(options.proxies,
              ElementsAre(Pair("http", "http://proxy:3128"), Pair("https://conda.corp", "")));
  EXPECT_EQ(options.connect_timeout_ms, 9150);
  EXPECT_EQ(options.stall_timeout_s, 60);
  EXPECT_EQ(options.retries, 3);
  EXPECT_EQ(options.backoff_base_ms, 1000);
}

TEST(Condarc, SaysNothingWhereItIsSilent) {
  for (const char* text : {"", "# only a comment\n", "channels:\nchannel_priority: ~\n", "{}"}) {
    ASSERT_VALUE(settings, apply(text));
    EXPECT_EQ(settings.channel_alias, "https://conda.anaconda.org");
    EXPECT_EQ(settings.default_channels.size(), 2U);
    EXPECT_FALSE(settings.channel_priority);
    EXPECT_FALSE(settings.add_pip_as_python_dependency);
  }
}

TEST(Condarc, OldSpellingsOfThePriority) {
  struct Case {
    std::string text;
    ChannelPriority expected;
  };
  for (const Case& one :
       {Case{"strict", ChannelPriority::kStrict}, Case{"Flexible", ChannelPriority::kFlexible},
        Case{"true", ChannelPriority::kFlexible}, Case{"false", ChannelPriority::kDisabled},
        Case{"disabled", ChannelPriority::kDisabled}}) {
    EXPECT_EQ(apply("channel_priority: " + one.text)->channel_priority, one.expected);
  }
}

TEST(Condarc, CertificatesAreCheckedUnlessItSaysNo) {
  struct Case {
    std::string text;
    bool verify;
    std::string ca_file;
  };
  for (const Case& one : {Case{"true", true, ""}, Case{"no", false, ""}, Case{"'False'", false, ""},
                          Case{"truststore", true, ""}, Case{"/a/b.pem", true, "/a/b.pem"}}) {
    io::HttpOptions options;
    apply_to(options, *apply("ssl_verify: " + one.text));
    EXPECT_EQ(options.verify_certificates, one.verify) << one.text;
    EXPECT_EQ(options.ca_file, one.ca_file) << one.text;
  }
}

TEST(Condarc, LaterFilesCountMore) {
  MemoryFiles files;
  files.add("/etc/conda/.condarc",
            "channels: [a, b]\nchannel_priority: disabled\noffline: true\n"
            "custom_channels: {x: https://one, y: https://one}\n");
  files.add("/etc/conda/condarc.d/20.yml", "channels: [c]\n");
  files.add("/etc/conda/condarc.d/10.yaml", "channels: [d]\n");
  files.add("/etc/conda/condarc.d/README", "channels: [no]\n");
  files.add("/home/ada/.condarc",
            "channels: [b, e]\nchannel_priority: strict\ncustom_channels: {x: https://two}\n"
            "default_channels: [https://main]\n");
  files.add("/work/mine.yml", "channels: [f]\ndefault_channels: [https://mine]\n");
  ASSERT_VALUE(settings, read_channel_settings(surroundings({{"CONDARC", "mine.yml"}}), files));
  EXPECT_THAT(settings.channels, ElementsAre("f", "b", "e", "c", "d", "a"));
  EXPECT_EQ(settings.channel_priority, ChannelPriority::kStrict);
  EXPECT_EQ(settings.offline, true);
  EXPECT_THAT(settings.default_channels, ElementsAre("https://mine", "https://main"));
  EXPECT_THAT(settings.custom_channels,
              ElementsAre(Pair("x", "https://two"), Pair("y", "https://one"),
                          Pair("pkgs/pro", "https://repo.anaconda.com")));
}

TEST(Condarc, TheEnvironmentCountsMost) {
  MemoryFiles files;
  files.add("/home/ada/.condarc", "channel_alias: https://file\nchannels: [a]\n");
  ASSERT_VALUE(settings,
               read_channel_settings(surroundings({{"CONDA_CHANNEL_ALIAS", "https://variable"},
                                                   {"CONDA_CHANNELS", "x, y,"},
                                                   {"CONDA_CHANNEL_PRIORITY", "flexible"},
                                                   {"CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY", "0"},
                                                   {"CONDA_SSL_VERIFY", "no"},
                                                   {"CONDA_PROXY_SERVERS", "ignored"},
                                                   {"CONDA_OFFLINE", ""}}),
                                     files));
  EXPECT_EQ(settings.channel_alias, "https://variable");
  EXPECT_THAT(settings.channels, ElementsAre("x", "y", "a"));
  EXPECT_EQ(settings.channel_priority, ChannelPriority::kFlexible);
  EXPECT_EQ(settings.add_pip_as_python_dependency, false);
  EXPECT_EQ(settings.ssl_verify, "false");
  EXPECT_FALSE(settings.offline);
  EXPECT_FALSE(apply_environment(surroundings({{"CONDA_CHANNEL_PRIORITY", "high"}}), settings));
}

TEST(Condarc, TheFilesThatCondaReads) {
  const auto paths = condarc_search_path(
      {.environment = {{"CONDA_PREFIX", "/env"}, {"CONDARC", "/c"}, {"XDG_CONFIG_HOME", "/xdg"}},
       .home = "/home/ada",
       .directory = "/work"});
  EXPECT_EQ(paths.front(), "/etc/conda/.condarc");
  EXPECT_EQ(paths.back(), "/c");
  const auto place = [&](const std::string& path) {
    return std::find(paths.begin(), paths.end(), path) - paths.begin();
  };
  EXPECT_LT(place("/xdg/conda/.condarc"), place("/home/ada/.config/conda/.condarc"));
  EXPECT_LT(place("/home/ada/.conda/condarc.d/"), place("/home/ada/.condarc"));
  EXPECT_LT(place("/home/ada/.condarc"), place("/env/condarc"));
  EXPECT_LT(place("/env/condarc"), place("/c"));
}

TEST(Condarc, WrongValuesAreErrorsWithTheirLine) {
  struct Case {
    std::string text;
    int line;
  };
  for (const Case& one :
       {Case{"offline: true\nchannels:\n  a: b\n", 3}, Case{"channel_alias: [a]", 1},
        Case{"custom_channels: [a]", 1}, Case{"offline: maybe", 1},
        Case{"remote_max_retries: -1", 1}, Case{"remote_read_timeout_secs: soon", 1},
        Case{"channel_priority: high", 1}, Case{"- a", 1}, Case{"channels: [[a]]", 1},
        Case{"channels: [a", 2}, Case{"proxy_servers: text", 1}}) {
    const auto settings = apply(one.text);
    ASSERT_FALSE(settings) << one.text;
    EXPECT_EQ(settings.error().kind, ErrorKind::kInvalid) << one.text;
    EXPECT_EQ(settings.error().at.file, ".condarc") << one.text;
    EXPECT_EQ(settings.error().at.line, one.line) << one.text;
  }
}

TEST(Condarc, NoSecretOfALineReachesTheMessage) {
  const auto settings = apply("channel_alias: [https://ada:geheim@conda.corp]");
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().to_string(), ::testing::Not(HasSubstr("geheim")));
}

TEST(Credentials, AreReadFromMambasAndRattlersFiles) {
  MemoryFiles files;
  files.add("/home/ada/.mamba/auth/authentication.json", R"({
    "conda.corp/private": {"type": "CondaToken", "token": "tk-1"},
    "basic.corp": {"type": "BasicHTTPAuthentication", "user": "ada", "password": "c2VjcmV0"},
    "conda.corp": {"type": "BearerToken", "token": "b-1"},
    "odd.corp": {"type": "OAuth"}
  })");
  files.add("/work/auth.json", R"({
    "*.prefix.dev": {"BearerToken": "b-2"},
    "special.prefix.dev": {"CondaToken": "tk-2"},
    "basic.corp": {"BasicHTTP": {"username": "u", "password": "p"}}
  })");
  Credentials credentials;
  ASSERT_TRUE(
      read_credentials(surroundings({{"RATTLER_AUTH_FILE", "auth.json"}}), files, credentials));
  EXPECT_EQ(credentials.size(), 5U);
  struct Case {
    std::string url;
    std::string expected;  // the URL, or the header
  };
  for (const Case& one : {
           Case{"https://conda.corp/private/x", "https://conda.corp/t/tk-1/private/x"},
           Case{"https://conda.corp/public/x", "Bearer b-1"},
           Case{"https://repo.prefix.dev/x", "Bearer b-2"},
           Case{"https://prefix.dev/x", "Bearer b-2"},
           Case{"https://special.prefix.dev/x", "https://special.prefix.dev/t/tk-2/x"},
           Case{"https://basic.corp/x", "Basic dTpw"},  // the first file counts
           Case{"https://conda.corp.evil/x", "https://conda.corp.evil/x"},
           Case{"https://evilprefix.dev/x", "https://evilprefix.dev/x"},
       }) {
    const io::HttpUrl url = credentials.authorize(one.url);
    EXPECT_EQ(url.headers.empty() ? url.url : url.headers.front().value, one.expected) << one.url;
  }
}

TEST(Credentials, ABrokenFileIsAnErrorAndOneThatIsNotThereIsNone) {
  MemoryFiles files;
  Credentials credentials;
  EXPECT_TRUE(read_credentials(surroundings(), files, credentials));
  files.add("/home/ada/.rattler/credentials.json", "[1]");
  EXPECT_FALSE(read_credentials(surroundings(), files, credentials));
  files.add("/home/ada/.rattler/credentials.json", "{");
  EXPECT_FALSE(read_credentials(surroundings(), files, credentials));
}

TEST(Credentials, WhatWouldWriteHeadersIsLeftOut) {
  Credentials credentials;
  credentials.add("host", {.user = "", .password = "", .bearer = "a\r\nX: y", .token = ""});
  EXPECT_EQ(credentials.size(), 0U);
}

TEST(Condarc, WhatIsFinalIsNotChangedByLaterFilesAndTheEnvironment) {
  Surroundings surroundings;
  surroundings.environment["CONDA_SSL_VERIFY"] = "false";
  surroundings.environment["CONDA_CHANNEL_ALIAS"] = "https://other";
  ChannelSettings settings;
  ASSERT_TRUE(
      apply_condarc("ssl_verify: true  #!final\n"
                    "denylist_channels:  #!final\n  - bad\n"
                    "channel_alias: https://first  # final\n",
                    "/etc/conda/.condarc", surroundings, settings));
  ASSERT_TRUE(apply_condarc("verify_ssl: false\ndenylist_channels: [worse]\n", ".condarc",
                            surroundings, settings));
  ASSERT_TRUE(apply_environment(surroundings, settings));
  EXPECT_EQ(settings.ssl_verify, "true");
  EXPECT_EQ(settings.denylist_channels, std::vector<std::string>{"bad"});
  EXPECT_EQ(settings.channel_alias, "https://other");
}

}  // namespace
}  // namespace cloche::source
