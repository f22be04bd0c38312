#include "image/registries_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kConf = R"(# as podman has it
unqualified-search-registries = ["docker.io", 'quay.io']
short-name-mode = "enforcing"

[[registry]]
prefix = "docker.io"
location = "docker.io"   # itself
  [[registry.mirror]]
  location = "mirror.example:5000/hub"
  insecure = true
  [[registry.mirror]]
  location = 'second.example'

[[registry]]
prefix = "docker.io/library"
location = "base.example/approved/"

[[registry]]
location = "bad.example"
blocked = true

[[ registry ]]
prefix = "*.corp.example"
insecure = true

[aliases]
"x" = "docker.io/x"
)";

oci::Reference reference(const std::string& text) { return *oci::parse_reference(text); }

TEST(RegistriesConf, SaysWhereAnImageMayBe) {
  ASSERT_VALUE(conf, parse_registries_conf(kConf));
  ASSERT_VALUE(hub, conf.places(reference("team/image:1")));
  EXPECT_THAT(hub, ElementsAre(RegistryPlace{"mirror.example:5000", "hub/team/image", true},
                               RegistryPlace{"second.example", "team/image", false},
                               RegistryPlace{"docker.io", "team/image", false}));
  ASSERT_VALUE(library, conf.places(reference("python")));
  EXPECT_THAT(library, ElementsAre(RegistryPlace{"base.example", "approved/python", false}));
  ASSERT_VALUE(corp, conf.place(reference("a.corp.example/x")));
  EXPECT_EQ(corp, (RegistryPlace{"a.corp.example", "x", true}));
  ASSERT_VALUE(other, conf.place(reference("corp.example/x")));
  EXPECT_EQ(other, (RegistryPlace{"corp.example", "x", false}));
  const auto blocked = conf.places(reference("bad.example/x"));
  ASSERT_FALSE(blocked.has_value());
  EXPECT_EQ(blocked.error().kind, ErrorKind::kPermission);
}

TEST(RegistriesConf, SaysWhichLineIsWrong) {
  const auto flag = parse_registries_conf("[[registry]]\ninsecure = \"yes\"\n", "r.conf");
  ASSERT_FALSE(flag.has_value());
  EXPECT_THAT(flag.error().to_string(), HasSubstr("r.conf:2:1"));
  EXPECT_FALSE(parse_registries_conf("[[registry]]\nlocation = docker.io\n"));
  EXPECT_FALSE(parse_registries_conf("[[registry]]\nprefix = \"\"\n"));
  EXPECT_FALSE(parse_registries_conf("[[registry.mirror]]\nlocation = \"x\"\n"));
  EXPECT_FALSE(parse_registries_conf("[[registry]]\nlocation = \"x\"\n[[registry.mirror]]\n"));
  EXPECT_TRUE(parse_registries_conf(""));
}

}  // namespace
}  // namespace cloche::image
