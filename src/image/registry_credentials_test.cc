#include "image/registry_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CredentialsTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& content, std::uint32_t mode = 0644) {
    ASSERT_TRUE(io::write_file_atomically(directory_.path() + "/" + name, content, mode));
  }

  Result<std::optional<RegistryCredentials>> find(const std::string& registry,
                                                  const std::string& repository = "team/image") {
    return find_credentials(registry, repository, environment_);
  }

  std::string user(const std::string& registry, const std::string& repository = "team/image") {
    const auto found = find(registry, repository);
    EXPECT_TRUE(found.has_value()) << found.error().to_string();
    return found.has_value() && *found ? (*found)->username : "";
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  std::map<std::string, std::string> environment_{{"HOME", directory_.path()}};
};

TEST_F(CredentialsTest, AreNoneWhereNothingIsKnown) { EXPECT_EQ(user("a.example"), ""); }

TEST_F(CredentialsTest, AreDockersByHost) {
  write(".docker/config.json", R"({"auths":{
    "https://index.docker.io/v1/":{"auth":"aHViOnNlY3JldA=="},
    "a.example":{"username":"a","password":"p:q"},
    "http://b.example:5000/v2/":{"identitytoken":"refresh"},
    "empty.example":{}}})");
  EXPECT_EQ(user("docker.io", "library/python"), "hub");
  EXPECT_EQ(user("a.example"), "a");
  ASSERT_VALUE(token, find("b.example:5000"));
  EXPECT_EQ(token->identity_token, "refresh");
  EXPECT_EQ(user("b.example"), "");
  ASSERT_VALUE(empty, find("empty.example"));
  EXPECT_FALSE(empty.has_value());
}

TEST_F(CredentialsTest, AreTheOnesOfTheLongestPath) {
  write(".docker/config.json", R"({"auths":{
    "a.example":{"username":"host","password":"x"},
    "a.example/team":{"username":"team","password":"x"},
    "a.example/team/image":{"username":"image","password":"x"}}})");
  EXPECT_EQ(user("a.example", "team/image"), "image");
  EXPECT_EQ(user("a.example", "team/images"), "team");
  EXPECT_EQ(user("a.example", "teams/image"), "host");
}

TEST_F(CredentialsTest, AreLookedForInPodmansFilesToo) {
  write(".config/containers/auth.json", R"({"auths":{"a.example":{"auth":"aHViOnNlY3JldA=="}}})");
  EXPECT_EQ(user("a.example"), "hub");
  write("run/containers/auth.json", R"({"auths":{"a.example":{"username":"run","password":"x"}}})");
  environment_["XDG_RUNTIME_DIR"] = directory_.path() + "/run";
  EXPECT_EQ(user("a.example"), "run");
  write("only.json", R"({"auths":{}})");
  environment_["REGISTRY_AUTH_FILE"] = directory_.path() + "/only.json";
  EXPECT_EQ(user("a.example"), "");
}

TEST_F(CredentialsTest, ComeFromTheHelperOfTheHost) {
  write("bin/docker-credential-own",
        "#!/bin/sh\nread host\necho '{\"Username\":\"<token>\",\"Secret\":\"'$host'\"}'\n", 0755);
  write("bin/docker-credential-broken", "#!/bin/sh\necho 'locked'; exit 1\n", 0755);
  environment_["PATH"] = directory_.path() + "/bin:/usr/bin:/bin";
  write(".docker/config.json",
        R"({"auths":{"a.example":{"username":"a","password":"x"}},
            "credHelpers":{"a.example":"own","b.example":"broken","c.example":"absent",
                           "d.example":"../../evil"}})");
  ASSERT_VALUE(own, find("a.example"));
  EXPECT_EQ(own->identity_token, "a.example");
  const auto broken = find("b.example");
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(broken.error().message, HasSubstr("locked"));
  EXPECT_EQ(find("c.example").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(find("d.example").error().kind, ErrorKind::kInvalid);
}

TEST_F(CredentialsTest, OfABrokenFileAreAnErrorThatShowsNoSecret) {
  for (const char* text : {"{\"auths\": secret", "[]", R"({"auths":{"a.example":"secret"}})",
                           R"({"auths":{"a.example":{"auth":"secret!"}}})",
                           R"({"auths":{"a.example":{"auth":"c2VjcmV0"}}})"}) {
    write(".docker/config.json", text);
    const auto found = find("a.example");
    ASSERT_FALSE(found.has_value()) << text;
    EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(found.error().to_string(), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace cloche::image
