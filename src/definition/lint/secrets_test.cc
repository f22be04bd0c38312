#include "definition/lint/secrets.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cloche::definition {
namespace {

TEST(SecretName, KnowsUsualNames) {
  for (const auto* name : {"DB_PASSWORD", "githubToken", "AWS_SECRET_ACCESS_KEY", "API_KEY",
                           "HF_TOKEN", "AZURE_STORAGE_CONNECTION_STRING", "OPENAI_APIKEY",
                           "STORAGE_ACCOUNT_KEY", "client-secret"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
}

TEST(SecretName, LeavesOthersAlone) {
  for (const auto* name :
       {"TOKENIZERS_PARALLELISM", "PUBLIC_KEY", "PASSWORD_FILE", "TOKEN_URL", "PWD", "OLDPWD",
        "GPG_KEY", "KEY", "MONKEY", "PATH", "PYTHONPATH", "NO_TOKEN", "SECRET_NAME", ""}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
  }
}

TEST(SecretValue, LeavesStandInsAlone) {
  for (const auto* value :
       {"", "\"\"", "$TOKEN", "${TOKEN}", "true", "512", "<your key>", "none"}) {
    EXPECT_FALSE(can_be_secret(value)) << value;
  }
  EXPECT_TRUE(can_be_secret("hunter2"));
}

TEST(SecretKind, KnowsForms) {
  EXPECT_EQ(secret_kind("x=ghp_0123456789012345678901234567890123456789"), "a GitHub token");
  EXPECT_EQ(secret_kind("AKIAABCDEFGHIJKLMNOP"), "an AWS access key");
  EXPECT_EQ(secret_kind("-----BEGIN RSA PRIVATE KEY-----\nMII"), "a private key");
  EXPECT_EQ(secret_kind("risk-sk-short hf_transfer"), "");
  EXPECT_EQ(secret_kind("https://a:b@host"), "");
}

TEST(UrlPassword, IsSeen) {
  EXPECT_TRUE(has_url_password("--index-url=https://user:word@host/simple"));
  EXPECT_FALSE(has_url_password("--index-url=https://user:${WORD}@host/simple"));
  EXPECT_FALSE(has_url_password("git+ssh://git@github.com/x/y"));
  EXPECT_FALSE(has_url_password("https://host:8080/x@y"));
}

TEST(Redacted, HidesWhatIsSeen) {
  EXPECT_EQ(redacted("ENV PASSWORD hunter2"), "ENV PASSWORD ***");
  EXPECT_EQ(redacted("ENV A=b DB_PASSWORD=\"hunt er2\" C=d"), "ENV A=b DB_PASSWORD=*** C=d");
  EXPECT_EQ(redacted("  API_KEY: abcdef"), "  API_KEY: ***");
  EXPECT_EQ(redacted("pip install x --index-url https://u:hunter2@h/s"),
            "pip install x --index-url https://u:***@h/s");
  EXPECT_EQ(redacted("plain text"), "plain text");
}

RC_GTEST_PROP(Redacted, HidesValuesWhereverTheyStand, ()) {
  const auto name = *rc::gen::element<std::string>("PASSWORD", "api_key", "GH_TOKEN");
  const auto value = "v" + *rc::gen::container<std::string>(rc::gen::inRange('a', 'z')) + "7secret";
  const auto before = *rc::gen::element<std::string>("", "ENV ", "ENV A=1 ", "ARG ", "export ");
  RC_ASSERT(redacted(before + name + "=" + value).find(value) == std::string::npos);
}

RC_GTEST_PROP(Redacted, AcceptsAnything, (const std::string& text)) { redacted(text); }

}  // namespace
}  // namespace cloche::definition
