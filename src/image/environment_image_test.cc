#include "image/environment_image.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"
#include "image/media_type.h"

namespace cloche::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Descriptor layer(const std::string& content) {
  return {.media_type = std::string(kOciLayerZstd),
          .digest = Digest::of(content),
          .size_bytes = content.size()};
}

BaseImage base(const std::string& name, std::size_t layers) {
  BaseImage out;
  out.reference = name;
  out.digest = Digest::of(name);
  for (std::size_t i = 0; i < layers; ++i) {
    const std::string content = fmt::format("{} {}", name, i);
    out.manifest.layers.push_back(layer(content));
    out.config.diff_ids.push_back(Digest::of(content + " tar"));
    out.config.history.push_back({.created = "2024-01-01T00:00:00Z", .created_by = "ADD " + name});
  }
  out.config.created = "2024-01-01T00:00:00Z";
  out.config.env = {"LANG=C.UTF-8", "PATH=/usr/bin:/bin"};
  return out;
}

std::vector<EnvironmentLayer> some_layers() {
  return {{.blob = layer("numpy"),
           .diff_id = Digest::of("numpy tar"),
           .packages = {"numpy 1.26.4"},
           .package_bytes = {layer("numpy").size_bytes}},
          {.blob = layer("small"),
           .diff_id = Digest::of("small tar"),
           .packages = {"six 1.16.0", "tzdata 2024a"},
           .package_bytes = {11000, 250000}},
          {.blob = layer("history"),
           .diff_id = Digest::of("history tar"),
           .packages = {},
           .package_bytes = {},
           .contents = "conda-meta/history"}};
}

EnvironmentSettings some_settings() {
  return {.packages = Digest::of("packages"),
          .variables = {{"OMP_NUM_THREADS", "1"}, {"LANG", "C"}, {"ODD", "a; \"b\"\n=c"}},
          .needs = {"__cuda", "__glibc >=2.17,<3.0.a0"}};
}

// Bases as one meets them, and some that one does not.
std::vector<BaseImage> bases() {
  std::vector<BaseImage> out;
  BaseImage scratch;
  scratch.reference = "scratch";
  out.push_back(scratch);
  out.push_back(base("debian", 1));
  out.push_back(base("python", 4));

  BaseImage bare = base("bare", 2);  // neither history nor variables
  bare.config.history.clear();
  bare.config.env.clear();
  out.push_back(bare);

  BaseImage steps = base("steps", 2);  // steps without layers, and one too many with
  steps.config.history.push_back({.created_by = "ENV A=b", .empty_layer = true});
  steps.config.history.push_back({.created_by = "one more"});
  out.push_back(steps);

  BaseImage full = base("full", 3);
  full.config.entrypoint = {"/entry"};
  full.config.cmd = {"serve"};
  full.config.user = "app";
  full.config.working_dir = "/srv";
  full.config.env = {"CONDA_PREFIX=/opt/conda", "PATH=/opt/conda/bin:/bin", "OMP_NUM_THREADS=8"};
  full.config.labels = {{"maintainer", "ada"},
                        {"org.opencontainers.image.base.name", "other"},
                        {"dev.cloche.unknown", "left over"}};
  full.config.more = {{"Healthcheck", Json("NONE")}};
  full.manifest.annotations = {{"a", "b"}};
  out.push_back(full);

  BaseImage arm = base("arm", 1);
  arm.config.platform.architecture = "arm64";
  out.push_back(arm);
  return out;
}

ImageDocuments composed(const BaseImage& on) {
  auto out = compose(on, some_layers(), some_settings());
  EXPECT_TRUE(out.has_value());
  return out.value_or(ImageDocuments{});
}

TEST(EnvironmentImage, HasTheBaseBelowAndTheEnvironmentFirstInPath) {
  const ImageDocuments image = composed(base("debian", 1));
  EXPECT_EQ(image.manifest.layers.size(), 4U);
  EXPECT_EQ(image.config.diff_ids.size(), 4U);
  EXPECT_EQ(image.config.variable("PATH"), "/opt/cloche/env/bin:/usr/bin:/bin");
  EXPECT_EQ(image.config.variable("CONDA_PREFIX"), "/opt/cloche/env");
  EXPECT_EQ(image.config.variable("LANG"), "C") << "the definition's wins";
  EXPECT_EQ(image.config.env.front(), "LANG=C") << "and stands where the base has it";
  EXPECT_EQ(image.config.history[2].created_by, "cloche: six 1.16.0, tzdata 2024a");
  EXPECT_EQ(image.config.history[3].created_by, "cloche environment: conda-meta/history");
  EXPECT_EQ(image.config.labels.at("dev.cloche.needs"), "__cuda; __glibc >=2.17,<3.0.a0");
  EXPECT_EQ(image.config.labels.at("org.opencontainers.image.base.name"), "debian");
}

TEST(EnvironmentImage, KeepsHowTheBaseRuns) {
  const BaseImage full = bases()[5];
  const ImageConfig config = composed(full).config;
  EXPECT_THAT(config.entrypoint, ElementsAre("/entry"));
  EXPECT_EQ(config.user, "app");
  EXPECT_EQ(config.labels.at("maintainer"), "ada");
  EXPECT_EQ(config.labels.at("org.opencontainers.image.base.name"), "full");
  EXPECT_FALSE(config.labels.contains("dev.cloche.unknown"));
  EXPECT_EQ(config.more, full.config.more);
  EXPECT_THAT(
      config.env,
      ElementsAre("CONDA_PREFIX=/opt/cloche/env", "PATH=/opt/cloche/env/bin:/opt/conda/bin:/bin",
                  "OMP_NUM_THREADS=1", "CONDA_DEFAULT_ENV=/opt/cloche/env",
                  "AZUREML_CONDA_ENVIRONMENT_PATH=/opt/cloche/env",
                  "AZUREML_ENVIRONMENT_IMAGE=True", "LANG=C", "ODD=a; \"b\"\n=c"));
}

TEST(EnvironmentImage, IsReadBack) {
  for (const BaseImage& on : bases()) {
    ASSERT_VALUE(environment, environment_of(composed(on)));
    ASSERT_TRUE(environment.has_value());
    EXPECT_EQ(environment->base_layers, on.manifest.layers.size());
    ASSERT_EQ(environment->layers.size(), 3U);
    EXPECT_THAT(environment->layers[1].packages, ElementsAre("six 1.16.0", "tzdata 2024a"));
    EXPECT_THAT(environment->layers[1].package_bytes, ElementsAre(11000, 250000));
    EXPECT_EQ(environment->layers[2].contents, "conda-meta/history");
    EXPECT_TRUE(environment->layers[2].packages.empty());
    EXPECT_EQ(environment->settings.variables, some_settings().variables);
    EXPECT_EQ(environment->settings.needs, some_settings().needs);
  }
  ASSERT_VALUE(none, environment_of({base("debian", 1).manifest, base("debian", 1).config}));
  EXPECT_FALSE(none.has_value());
}

TEST(EnvironmentImage, RebasedIsAsBuiltThere) {
  for (const BaseImage& from : bases()) {
    for (const BaseImage& onto : bases()) {
      ASSERT_VALUE(rebased, rebase(composed(from), onto));
      const ImageDocuments built = composed(onto);
      EXPECT_EQ(rebased.config.to_json(), built.config.to_json())
          << from.reference << " -> " << onto.reference;
      EXPECT_EQ(rebased.manifest.to_json(), built.manifest.to_json());
    }
  }
}

RC_GTEST_PROP(EnvironmentImage, RebasedIsAsBuiltThereForAnyVariables,
              (const std::map<std::string, std::string>& drawn)) {
  EnvironmentSettings settings = some_settings();
  settings.variables.clear();
  for (const auto& [name, value] : drawn) {
    if (is_valid_utf8(name) && is_valid_utf8(value) && !name.contains('=')) {
      settings.variables[name] = value;
    }
  }
  const auto made = compose(base("debian", 1), some_layers(), settings);
  const auto there = compose(base("python", 4), some_layers(), settings);
  RC_ASSERT(made.has_value() && there.has_value());
  const auto rebased = rebase(*made, base("python", 4));
  RC_ASSERT(rebased.has_value());
  RC_ASSERT(rebased->config.to_json() == there->config.to_json());
}

TEST(EnvironmentImage, StandsOnAnotherToo) {
  BaseImage lower = base("debian", 1);
  const ImageDocuments image = composed(lower);
  lower.manifest = image.manifest;
  lower.config = image.config;
  const ImageDocuments upper = composed(lower);
  EXPECT_EQ(upper.config.variable("PATH"), image.config.variable("PATH"));
  EXPECT_EQ(upper.config.labels.at("dev.cloche.base-layers"), "4");
  ASSERT_VALUE(rebased, rebase(upper, base("python", 4)));
  EXPECT_EQ(rebased.config.to_json(), composed(base("python", 4)).config.to_json());
}

TEST(EnvironmentImage, RefusesWhatCannotBe) {
  const ImageDocuments image = composed(base("debian", 1));
  BaseImage tall = base("tall", kMostLayers - 1);
  const auto too_many = rebase(image, tall);
  ASSERT_FALSE(too_many.has_value());
  EXPECT_THAT(too_many.error().message, HasSubstr("129 layers"));

  const BaseImage debian = base("debian", 1);
  EXPECT_FALSE(rebase({debian.manifest, debian.config}, base("python", 4)).has_value());
}

TEST(EnvironmentImage, BelievesNoLabelThatContradicts) {
  const std::vector<std::pair<std::string, std::string>> odd = {
      {"dev.cloche.base-layers", "99"},  {"dev.cloche.base-layers", "-1"},
      {"dev.cloche.base-layers", ""},    {"dev.cloche.packages", "sha256:../../etc"},
      {"dev.cloche.variables", "[]"},    {"dev.cloche.variables", R"({"a": 1})"},
      {"dev.cloche.variables", "{\"a\""}};
  for (const auto& [name, value] : odd) {
    ImageDocuments image = composed(base("debian", 1));
    image.config.labels[name] = value;
    EXPECT_FALSE(rebase(image, base("python", 4)).has_value()) << name << "=" << value;
  }
  ImageDocuments image = composed(base("debian", 1));
  image.config.history.clear();
  EXPECT_FALSE(environment_of(image).has_value());
}

}  // namespace
}  // namespace cloche::image
