#include "image/config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kDigest =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// As docker 26 writes it, shortened.
std::string docker_config() {
  return fmt::format(R"({{"architecture":"arm64","variant":"v8","os":"linux",
    "config":{{"Hostname":"","User":"app","AttachStdin":false,"ExposedPorts":{{"80/tcp":{{}}}},
      "Env":["PATH=/usr/bin","A=1"],"Cmd":["python3"],"Entrypoint":null,"Image":"sha256:x",
      "Volumes":null,"WorkingDir":"/app","OnBuild":null,"Labels":{{"b":"2","a":"1"}},
      "Healthcheck":{{"Test":["CMD","true"]}}}},
    "container":"0123","container_config":{{"Cmd":["/bin/sh"]}},"docker_version":"20.10",
    "created":"2024-01-01T00:00:00Z",
    "history":[{{"created":"2024-01-01T00:00:00Z","created_by":"ADD file"}},
               {{"created_by":"ENV A=1","empty_layer":true}}],
    "rootfs":{{"type":"layers","diff_ids":["{}"]}}}})",
                     kDigest);
}

TEST(ImageConfig, OfDockersIsReadAndWrittenAsOcis) {
  ASSERT_VALUE(config, parse_image_config(docker_config()));
  EXPECT_EQ(config.platform.to_string(), "linux/arm64/v8");
  EXPECT_EQ(config.user, "app");
  EXPECT_EQ(config.variable("A"), "1");
  EXPECT_EQ(config.variable("B"), std::nullopt);
  EXPECT_THAT(config.cmd, ElementsAre("python3"));
  EXPECT_TRUE(config.history[1].empty_layer);
  EXPECT_EQ(
      config.to_json(),
      fmt::format(
          R"({{"created":"2024-01-01T00:00:00Z","architecture":"arm64","os":"linux","variant":"v8",)"
          R"("config":{{"User":"app","ExposedPorts":{{"80/tcp":{{}}}},"Env":["PATH=/usr/bin","A=1"],)"
          R"("Cmd":["python3"],"WorkingDir":"/app","Labels":{{"a":"1","b":"2"}},"AttachStdin":false,)"
          R"("Healthcheck":{{"Test":["CMD","true"]}},"Hostname":"","Image":"sha256:x"}},)"
          R"("rootfs":{{"type":"layers","diff_ids":["{}"]}},)"
          R"("history":[{{"created":"2024-01-01T00:00:00Z","created_by":"ADD file"}},)"
          R"({{"created_by":"ENV A=1","empty_layer":true}}]}})",
          kDigest));
  ASSERT_VALUE(again, parse_image_config(config.to_json()));
  EXPECT_EQ(again, config);
}

TEST(ImageConfig, SetsVariablesWhereTheyStand) {
  ImageConfig config;
  config.env = {"PATH=/usr/bin", "PATHS=x"};
  config.set_variable("PATH", "/opt/env/bin:/usr/bin");
  config.set_variable("NEW", "");
  EXPECT_THAT(config.env, ElementsAre("PATH=/opt/env/bin:/usr/bin", "PATHS=x", "NEW="));
  EXPECT_EQ(config.variable("NEW"), "");
}

TEST(ImageConfig, RefusesWhatIsNone) {
  const std::string rootfs = R"("rootfs":{"type":"layers","diff_ids":[]})";
  EXPECT_TRUE(parse_image_config(R"({"os":"linux","architecture":"amd64",)" + rootfs + "}"));
  for (
      const std::string& text :
      {std::string("{}"), std::string("[]"), std::string("{\"os\":"),
       R"({"architecture":"amd64",)" + rootfs + "}",
       std::string(R"({"os":"linux","architecture":"amd64"})"),
       R"({"os":"linux","architecture":"amd64","config":[],)" + rootfs + "}",
       R"({"os":"linux","architecture":"amd64","config":{"Env":"A=1"},)" + rootfs + "}",
       R"({"os":"linux","architecture":"amd64","history":[1],)" + rootfs + "}",
       std::string(
           R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:../x"]}})"),
       std::string(
           R"({"os":"linux","architecture":"amd64","rootfs":{"type":"x","diff_ids":[]}})")}) {
    const auto parsed = parse_image_config(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid) << text;
  }
}

TEST(CheckLayers, ComparesTheirNumber) {
  Manifest manifest;
  ImageConfig config;
  EXPECT_TRUE(check_layers(manifest, config));
  config.diff_ids.push_back(Digest::of("x"));
  const Status status = check_layers(manifest, config);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message, HasSubstr("0 layers, its config 1"));
}

}  // namespace
}  // namespace cloche::image
