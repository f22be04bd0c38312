#include "core/credentials.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cloche {
namespace {

TEST(Credentials, HidesPasswordsAndTokens) {
  EXPECT_EQ(hide_passwords("--index-url=https://me:s3cret@host/simple"),
            "--index-url=https://me:****@host/simple");
  EXPECT_EQ(hide_passwords("git+https://ghp_abc@github.com/a/b@v1"),
            "git+https://****@github.com/a/b@v1");
  EXPECT_EQ(hide_passwords("https://a:b@c https://d:e@f"), "https://a:****@c https://d:****@f");
  EXPECT_EQ(hide_passwords("https://me:p@ss@host/"), "https://me:****@host/");
  EXPECT_EQ(hide_passwords("https://me:p/w@host/"), "https://me:****@host/");
  EXPECT_EQ(star_passwords("x https://me:s3cret@host/"), "x https://me:******@host/");
}

TEST(Credentials, LeavesWhatIsNoSecret) {
  for (const char* text :
       {"https://host:8080/simple@1", "ssh://git@github.com/a", "git+ssh://me@host/a",
        "https://${USER}:${TOKEN}@host/", "https://${TOKEN}@host/", "https://git@github.com/a/b",
        "name @ https://host/x.whl", "no url", "https://[::1]:80/a@b", ""}) {
    EXPECT_FALSE(has_password(text)) << text;
    EXPECT_EQ(hide_passwords(text), text);
  }
  EXPECT_TRUE(has_password("https://${USER}:x${TOKEN}@host/"));
}

// Quadratic time would take minutes here.
TEST(Credentials, TakesLinearTime) {
  std::string text;
  while (text.size() < (4U << 20U)) {
    text += "://a:b/";
  }
  EXPECT_FALSE(has_password(text));
}

TEST(ShownUrl, HasNoSecrets) {
  EXPECT_EQ(shown_url("https://user:pass@host/a"), "https://host/a");
  EXPECT_EQ(shown_url("https://token@host:8443/a/b.json"), "https://host:8443/a/b.json");
  EXPECT_EQ(shown_url("https://host/t/tk-1234/channel/linux-64"),
            "https://host/t/****/channel/linux-64");
  EXPECT_EQ(shown_url("https://host/t/tk-1234"), "https://host/t/****");
  EXPECT_EQ(shown_url("https://host/t/"), "https://host/t/");
  EXPECT_EQ(shown_url("https://host/f?X-Signature=abc#part"), "https://host/f?****");
  EXPECT_EQ(shown_url("https://user:p/w@host/a"), "https://host/a");
  EXPECT_EQ(shown_url("https://host/\x1b[31m"), "https://host/\\x1b[31m");
  EXPECT_EQ(shown_url("/a/local/path"), "/a/local/path");
}

RC_GTEST_PROP(Credentials, StarsKeepTheWidth, (const std::string& text)) {
  const std::string url = "https://u:" + text + "@h/";
  RC_ASSERT(star_passwords(url).size() == url.size());
}

}  // namespace
}  // namespace cloche
