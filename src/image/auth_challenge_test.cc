#include "image/auth_challenge.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche::image {
namespace {

TEST(AuthChallenge, IsReadAsRegistriesWriteIt) {
  ASSERT_VALUE(hub,
               parse_auth_challenges(
                   R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",)"
                   R"(scope="repository:library/python:pull,push",error="invalid_token")"));
  ASSERT_EQ(hub.size(), 1U);
  EXPECT_EQ(hub[0].scheme, "bearer");
  EXPECT_EQ(hub[0].parameter("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(hub[0].parameter("scope"), "repository:library/python:pull,push");
  EXPECT_EQ(hub[0].parameter("none"), "");
  ASSERT_VALUE(two,
               parse_auth_challenges(R"(Basic realm="a \"b\"" , BEARER Realm=x , service = "y")"));
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].parameter("realm"), "a \"b\"");
  EXPECT_EQ(two[1].parameter("service"), "y");
  ASSERT_VALUE(bare, parse_auth_challenges(",Negotiate,, Basic"));
  EXPECT_EQ(bare.size(), 2U);
  ASSERT_VALUE(none, parse_auth_challenges(""));
  EXPECT_TRUE(none.empty());
}

TEST(AuthChallenge, RefusesWhatIsNone) {
  for (const char* header :
       {"Bearer realm=\"", "Bearer realm=\"x\\", "Bearer realm", "Bearer realm=", "=x", "\"x\"",
        "Bearer a=1, a=2", "Bearer a=1 b=2", "Bearer realm=\"x\"y"}) {
    EXPECT_FALSE(parse_auth_challenges(header).has_value()) << header;
  }
  EXPECT_FALSE(parse_auth_challenges("Basic " + std::string(10'000, ',')).has_value());
}

RC_GTEST_PROP(AuthChallenge, ReadsWhatItWrote, (const std::map<std::string, std::string>& values)) {
  AuthChallenge challenge{.scheme = "bearer", .parameters = {}};
  int n = 0;
  for (const auto& [_, value] : values) {
    challenge.parameters["p" + std::to_string(n++)] = value;
  }
  const std::string text = to_string(challenge);
  if (text.size() <= 8192) {
    const auto parsed = parse_auth_challenges(text);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == std::vector{challenge});
  }
}

}  // namespace
}  // namespace cloche::image
