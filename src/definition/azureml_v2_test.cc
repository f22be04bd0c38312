#include "definition/azureml_v2.h"

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/testing.h"
#include "definition/testing.h"

namespace cloche::definition {
namespace {

struct Parsed {
  Environment environment;
  Diagnostics diagnostics;
};

MemoryFiles project() {
  MemoryFiles files;
  files.add("conda.yml",
            "channels: [conda-forge]\ndependencies: [python=3.11, pip=24.0, {pip: "
            "[numpy==1.26.4]}]\n");
  files.add("requirements.txt", "pandas==2.2.2\n");
  files.add("apt.txt", "git curl\n");
  files.add("context/Dockerfile", "FROM python:3.11\nCOPY main.py .\n");
  files.add("context/prod/Dockerfile", "FROM python:3.12\n");
  files.add("context/main.py", "print()\n");
  return files;
}

Result<Parsed> parse(const std::string& text, const std::string& file = "env.yml") {
  MemoryFiles files = project();
  Parsed out;
  out.environment = TRY(parse_azureml_v2(text, file, files, {}, out.diagnostics));
  return out;
}

std::string error_of(const std::string& text) {
  const auto out = parse(text);
  return out.has_value() ? "no error" : out.error().to_string();
}

TEST(AzuremlV2, ReadsEveryKey) {
  ASSERT_VALUE(parsed, parse(R"(
$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
name: train
version: 1.10
description: for training
tags: {cuda: 11.80, gpu: yes, none: , "no": "no"}
properties: {a: 1}
image: python:3.11-slim
conda_file: conda.yml
pip_file: requirements.txt
apt: [git, libgl1=1.6.0-1]
environment_variables: {OMP_NUM_THREADS: 010, EMPTY: ""}
inference_config:
  liveness_route: {path: /live, port: 5001}
  readiness_route: {path: /ready, port: 5002}
  scoring_route: {path: /score, port: 5003}
os_type: Linux
datastore: azureml:workspaceblobstore
)"));
  const Environment& environment = parsed.environment;
  const Definition& definition = environment.definition;
  EXPECT_EQ(environment.name, "train");
  EXPECT_EQ(environment.version, "1.10");
  EXPECT_EQ(environment.description, "for training");
  EXPECT_EQ(environment.tags,
            (StringMap{{"cuda", "11.80"}, {"gpu", "yes"}, {"none", ""}, {"no", "no"}}));
  EXPECT_EQ(environment.properties, (StringMap{{"a", "1"}}));
  EXPECT_EQ(image_reference(definition), "python:3.11-slim");
  EXPECT_EQ(std::get<ImageBase>(definition.base).at, (Location{"env.yml", 8, 8}));
  ASSERT_TRUE(definition.conda);
  EXPECT_EQ(definition.conda->dependencies.size(), 2U);
  ASSERT_TRUE(definition.pip);
  ASSERT_EQ(definition.pip->lines.size(), 2U);
  EXPECT_EQ(definition.pip->lines[0].text, "numpy==1.26.4");
  EXPECT_EQ(definition.pip->lines[1].text, "pandas==2.2.2");
  ASSERT_TRUE(definition.apt);
  EXPECT_EQ(definition.apt->packages[1].text, "libgl1=1.6.0-1");
  EXPECT_EQ(definition.environment_variables,
            (StringMap{{"OMP_NUM_THREADS", "010"}, {"EMPTY", ""}}));
  EXPECT_EQ(definition.inference->scoring, (InferenceRoute{"/score", 5003}));
  EXPECT_EQ(definition.os_type, OsType::kLinux);
  ASSERT_EQ(parsed.diagnostics.list().size(), 1U);
  EXPECT_EQ(parsed.diagnostics.list()[0].rule, "azureml-service-key");
}

TEST(AzuremlV2, ReadsABuildContextRelativeToTheFile) {
  MemoryFiles files;
  files.add("envs/ctx/prod/Dockerfile", "FROM python:3.12\n");
  Diagnostics diagnostics;
  ASSERT_VALUE(environment,
               parse_azureml_v2("build: {path: ./ctx/, dockerfile_path: prod/Dockerfile}",
                                "envs/env.yml", files, {}, diagnostics));
  const auto& context = std::get<BuildContextBase>(environment.definition.base);
  EXPECT_EQ(context.root, "envs/ctx");
  EXPECT_EQ(context.dockerfile_path, "prod/Dockerfile");
  EXPECT_EQ(context.dockerfile, "FROM python:3.12\n");
}

TEST(AzuremlV2, TakesARemoteBuildContext) {
  for (const char* uri : {"https://github.com/o/r.git#main:dir", "git@github.com:o/r.git"}) {
    ASSERT_VALUE(parsed, parse(std::string("build: {path: '") + uri + "'}"));
    const auto& context = std::get<BuildContextBase>(parsed.environment.definition.base);
    EXPECT_EQ(context.uri, uri);
    EXPECT_EQ(context.dockerfile_path, "Dockerfile");
    EXPECT_TRUE(context.files.empty());
  }
  const auto azure = parse("build: {path: azureml://datastores/d/paths/p}");
  ASSERT_FALSE(azure.has_value());
  EXPECT_EQ(azure.error().kind, ErrorKind::kUnsupported);
  const auto secret = parse("build: {path: 'https://me:hunter2@host/r.git'}");
  ASSERT_FALSE(secret.has_value());
  EXPECT_EQ(secret.error().message.find("hunter2"), std::string::npos);
}

TEST(AzuremlV2, ReadsAnInlineCondaPart) {
  ASSERT_VALUE(parsed, parse("image: python:3.11\nconda_file:\n  channels: [conda-forge]\n"
                             "  dependencies:\n    - python=3.10\n    - pip: [numpy]\n"));
  ASSERT_TRUE(parsed.environment.definition.conda);
  EXPECT_EQ(parsed.environment.definition.conda->dependencies[0].at, (Location{"env.yml", 5, 7}));
  EXPECT_EQ(parsed.environment.definition.pip->lines[0].text, "numpy");
}

TEST(AzuremlV2, UsesTheDefaultImageAndSaysSo) {
  ASSERT_VALUE(parsed, parse("name: a\nconda_file: conda.yml\n"));
  EXPECT_EQ(image_reference(parsed.environment.definition), ReadOptions().default_image);
  ASSERT_FALSE(parsed.diagnostics.empty());
  EXPECT_EQ(parsed.diagnostics.list()[0].rule, "default-image");
  EXPECT_EQ(parsed.diagnostics.list()[0].severity, Severity::kNote);
}

TEST(AzuremlV2, WarnsOfUnknownKeysWithTheNearest) {
  const std::array<std::pair<std::string, std::string>, 6> cases = {{
      {"descripton: x", "did you mean description?"},
      {"base_image: x", "did you mean image?"},
      {"Requirements: x", "did you mean pip_file?"},
      {"build: {path: context, dockerfile: prod/Dockerfile}", "did you mean dockerfile_path?"},
      {"inference_config: {scoring_rout: {path: a, port: 1}}", "did you mean scoring_route?"},
      {"zzz: 1",
       "the keys are $schema, name, version, description, tags, properties, image, build, "
       "conda_file, pip_file, apt, environment_variables, inference_config, os_type"},
  }};
  for (const auto& [text, hint] : cases) {
    ASSERT_VALUE(parsed, parse("name: a\n" + text));
    bool found = false;
    for (const Diagnostic& one : parsed.diagnostics.list()) {
      if (one.rule == "azureml-unknown-key") {
        found = true;
        EXPECT_EQ(one.hint, hint);
        EXPECT_EQ(one.at.line, 2);
        EXPECT_EQ(one.excerpt, text);
      }
    }
    EXPECT_TRUE(found) << text;
  }
}

TEST(AzuremlV2, RefusesWithFileLineAndKey) {
  std::string out;
  for (const char* text : {
           "just a text",
           "- name: a",
           "name: [a]",
           "name: bad name",
           "name: a\nversion: 1-<VERSION>",
           "name: a\nversion: {{version}}",
           "name: a\nimage: 'mcr.microsoft.com/x:{{latest-image-tag}}'",
           "name: a\nimage: HTTPS://example.org/x",
           "name: a\nimage: python\nbuild: {path: context}",
           "name: a\nconda_file: conda.yml\nbuild: {path: context}",
           "name: a\napt: [git]\nbuild:\n  path: context",
           "name: a\nbuild: context",
           "name: a\nbuild: {dockerfile_path: Dockerfile}",
           "name: a\nbuild: {path: nowhere}",
           "name: a\nbuild: {path: context, dockerfile_path: ../Dockerfile}",
           "name: a\nconda_file: conda.yaml",
           "name: a\nconda_file: envs\\conda.yaml",
           "name: a\nconda_file: https://example.org/conda.yml",
           "name: a\nconda_file: |\n  dependencies: [python]\n",
           "name: a\nconda_file: [python]",
           "name: a\ndependencies:\n  - python",
           "name: a\nimage: python\ntags: [a]",
           "name: a\ntags:\n  nested:\n    deep: 1",
           "name: a\napt: [git==1]",
           "name: a\napt: {git: 1}",
           "name: a\nenvironment_variables: [A=1]",
           "name: a\nenvironment_variables: {'A=B': 1}",
           "name: a\nos_type: beos",
           "name: a\ninference_config: {scoring_route: {path: /}}",
           "name: a\ninference_config: {scoring_route: {path: /, port: 70000}}",
           "name: a\ninference_config: {scoring_route: {path: /, port: http}}",
           "$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json",
           "name: a\nname: b",
       }) {
    out += std::string("=== ") + text + "\n" + error_of(text) + "\n";
  }
  expect_golden(CLOCHE_TESTDATA, "azureml_v2/errors.txt", out);
}

TEST(AzuremlV2, WarnsOfEmptyKeysAndMissingRoutes) {
  ASSERT_VALUE(parsed, parse("name: a\nversion:\nbuild:\nconda_file: ~\n"
                             "inference_config: {scoring_route: {path: /score, port: 80}}\n"));
  EXPECT_EQ(parsed.environment.version, "");
  EXPECT_FALSE(parsed.environment.definition.inference->liveness);
  std::vector<std::string> rules;
  for (const Diagnostic& one : parsed.diagnostics.list()) {
    rules.push_back(one.rule);
  }
  EXPECT_EQ(rules, (std::vector<std::string>{"azureml-empty-key", "azureml-empty-key",
                                             "azureml-empty-key", "azureml-incomplete-inference",
                                             "azureml-incomplete-inference", "default-image"}));
}

TEST(WriteAzuremlV2, ReadsBackTheSame) {
  const std::array<std::string, 5> texts = {
      "name: a\nversion: '1.10'\ndescription: |\n  two\n  lines\ntags: {a: 'yes', b: ''}\n"
      "image: python:3.11\nconda_file: conda.yml\npip_file: requirements.txt\napt: apt.txt\n"
      "environment_variables: {A: 'x: y', B: ' # '}\n",
      "name: a\npip_file: requirements.txt\nos_type: windows\nimage: x/y@sha256:"
      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
      "build: {path: context, dockerfile_path: prod/Dockerfile}",
      "build: {path: 'https://github.com/o/r.git'}",
      "name: a\nproperties: {'on': 'off'}\ninference_config:\n  liveness_route: {path: /, port: "
      "1}\n"
      "  readiness_route: {path: /, port: 2}\n  scoring_route: {path: /, port: 3}\n"};
  for (const std::string& text : texts) {
    ASSERT_VALUE(parsed, parse(text));
    MemoryFiles files = project();
    const WrittenFiles written = write_azureml_v2(parsed.environment, "conda.yml");
    for (const auto& [name, content] : written) {
      files.add(name, content);
    }
    Diagnostics diagnostics;
    ASSERT_VALUE(again,
                 parse_azureml_v2(written.at("conda.yml"), "conda.yml", files, {}, diagnostics));
    EXPECT_EQ(without_places(again), without_places(parsed.environment)) << text;
    EXPECT_TRUE(diagnostics.empty()) << diagnostics.list()[0].to_string();
  }
}

TEST(WriteAzuremlV2, MakesAContextOfALoneDockerfile) {
  Environment environment;
  environment.name = "a";
  environment.definition.base = DockerfileBase{"FROM scratch\n", {}};
  const WrittenFiles written = write_azureml_v2(environment, "environment.yml");
  EXPECT_EQ(written.at("context/Dockerfile"), "FROM scratch\n");
  expect_golden(CLOCHE_TESTDATA, "azureml_v2/lone_dockerfile.yml", written.at("environment.yml"));
}

TEST(EnvironmentUse, IsAReferenceOrAnEnvironment) {
  MemoryFiles files = project();
  Diagnostics diagnostics;
  const auto read = [&](const std::string& text) -> Result<EnvironmentUse> {
    const YamlNode job = TRY(parse_yaml(text, "job.yml"));
    return read_environment_use(*job.find("environment"), "job.yml", files, {}, diagnostics);
  };
  ASSERT_VALUE(reference, read("environment: azureml:train@latest"));
  EXPECT_EQ(std::get<AssetReference>(reference).label, "latest");
  ASSERT_VALUE(own, read("environment:\n  image: python:3.11\n  conda_file: conda.yml\n"));
  EXPECT_TRUE(std::get<Environment>(own).definition.conda);
  const auto wrong = read("environment: < your environment name >");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().at, (Location{"job.yml", 1, 14}));
}

TEST(AzuremlV2, RefusesHostileInputQuickly) {
  std::string keys;
  for (int i = 0; i < 60'000; ++i) {
    keys += "k" + std::to_string(i) + ": 1\n";
  }
  const std::array<std::string, 5> inputs = {
      std::string(1U << 20U, '['), std::string(kMaxAzuremlV2Bytes, '\xff'), keys,
      "name: " + std::string(400'000, 'a'), std::string(1U << 20U, '\n')};
  for (const std::string& input : inputs) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(parse(input).has_value());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  }
}

}  // namespace
}  // namespace cloche::definition
