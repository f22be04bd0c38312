#include "definition/azureml_v1.h"

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

// As the SDK's save_to_directory() writes it, in a recent version (buildContext, assetId).
constexpr const char* kSaved = R"({
    "name": "wine",
    "version": "3",
    "environmentVariables": {
        "ZULU": "1",
        "ALPHA": "2"
    },
    "python": {
        "userManagedDependencies": false,
        "interpreterPath": "python",
        "condaDependenciesFile": null,
        "baseCondaEnvironment": null
    },
    "docker": {
        "enabled": false,
        "baseImage": "azureml/openmpi4.1.0-ubuntu20.04:20230120.v1",
        "baseDockerfile": null,
        "buildContext": null,
        "sharedVolumes": true,
        "shmSize": "2g",
        "arguments": [
            "--ipc=host"
        ],
        "baseImageRegistry": {
            "address": "mcr.microsoft.com",
            "username": null,
            "password": null,
            "registryIdentity": null
        },
        "platform": {
            "os": "Linux",
            "architecture": "amd64"
        }
    },
    "spark": {
        "repositories": [],
        "packages": [
            {
                "group": "com.microsoft.azure",
                "artifact": "synapseml",
                "version": "0.9"
            }
        ],
        "precachePackages": true
    },
    "databricks": {
        "mavenLibraries": [],
        "pypiLibraries": [],
        "rcranLibraries": [],
        "jarLibraries": [],
        "eggLibraries": []
    },
    "r": null,
    "inferencingStackVersion": "latest",
    "assetId": "azureml://registries/azureml/environments/wine/versions/3",
    "newerThanUs": {
        "kept": [
            1,
            2.5,
            true
        ]
    }
})";

constexpr const char* kConda = R"(name: project_environment
channels:
- anaconda
- conda-forge
dependencies:
- python=3.8.13
- pip=22.0
- pip:
  - azureml-defaults==1.48.0
  - scikit-learn==1.0.2
)";

struct Loaded {
  Environment environment;
  Diagnostics diagnostics;
};

Result<Loaded> load(MemoryFiles files) {
  Loaded out;
  out.environment = TRY(load_azureml_v1("env", files, {}, out.diagnostics));
  return out;
}

Result<Loaded> load_text(const std::string& json, const std::string& conda = "") {
  MemoryFiles files;
  files.add("env/azureml_environment.json", json);
  if (!conda.empty()) {
    files.add("env/conda_dependencies.yml", conda);
  }
  return load(std::move(files));
}

std::vector<std::string> rules(const Diagnostics& diagnostics) {
  std::vector<std::string> out;
  for (const Diagnostic& one : diagnostics.list()) {
    out.push_back(one.rule);
  }
  return out;
}

TEST(AzuremlV1, ReadsWhatTheSdkSaved) {
  ASSERT_VALUE(loaded, load_text(kSaved, kConda));
  const Environment& environment = loaded.environment;
  EXPECT_EQ(environment.name, "wine");
  EXPECT_EQ(environment.version, "3");
  EXPECT_EQ(environment.definition.environment_variables,
            (StringMap{{"ALPHA", "2"}, {"ZULU", "1"}}));
  EXPECT_EQ(image_reference(environment.definition),
            "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:20230120.v1");
  EXPECT_EQ(std::get<ImageBase>(environment.definition.base).at,
            (Location{"env/azureml_environment.json", 16, 9}));
  ASSERT_TRUE(environment.definition.conda);
  EXPECT_EQ(environment.definition.conda->channels.size(), 2U);
  ASSERT_TRUE(environment.definition.pip);
  EXPECT_EQ(environment.definition.pip->lines[1].text, "scikit-learn==1.0.2");
  EXPECT_EQ(rules(loaded.diagnostics), (std::vector<std::string>{"azureml-unknown-key"}));
}

TEST(AzuremlV1, SavesTheSameBytesAgain) {
  ASSERT_VALUE(loaded, load_text(kSaved, kConda));
  ASSERT_VALUE(written, write_azureml_v1(loaded.environment));
  EXPECT_EQ(written.at("azureml_environment.json"), kSaved);
  ASSERT_VALUE(again, load_text(written.at("azureml_environment.json"),
                                written.at("conda_dependencies.yml")));
  EXPECT_EQ(without_places(again.environment), without_places(loaded.environment));
}

TEST(AzuremlV1, WritesANewFileInTheSdksOrder) {
  Environment environment;
  environment.name = "fresh";
  environment.definition.base = ImageBase{"python:3.11", {}};
  environment.definition.environment_variables = {{"A", "1"}};
  ASSERT_VALUE(written, write_azureml_v1(environment));
  EXPECT_EQ(written.size(), 1U);
  expect_golden(CLOCHE_TESTDATA, "azureml_v1/fresh.json", written.at("azureml_environment.json"));
}

TEST(AzuremlV1, ReadsAnInlineCondaPart) {
  ASSERT_VALUE(loaded, load_text(R"({"name": "a", "python": {"condaDependencies": {
      "channels": ["conda-forge"], "dependencies": ["python=3.6.2", {"pip": ["numpy==1.0"]}]}}})"));
  ASSERT_TRUE(loaded.environment.definition.conda);
  EXPECT_EQ(loaded.environment.definition.conda->dependencies[0].text, "python=3.6.2");
  EXPECT_EQ(loaded.environment.definition.pip->lines[0].text, "numpy==1.0");
  ASSERT_VALUE(written, write_azureml_v1(loaded.environment));
  EXPECT_EQ(written.at("azureml_environment.json").find("condaDependencies\""), std::string::npos);
  ASSERT_VALUE(again, load_text(written.at("azureml_environment.json"),
                                written.at("conda_dependencies.yml")));
  EXPECT_EQ(again.environment.definition.conda->dependencies[0].text, "python=3.6.2");
}

TEST(AzuremlV1, ReadsANamedCondaFile) {
  MemoryFiles files;
  files.add("env/azureml_environment.json", R"({"python": {"condaDependenciesFile": "my.yml"}})");
  files.add("env/my.yml", kConda);
  ASSERT_VALUE(loaded, load(files));
  EXPECT_TRUE(loaded.environment.definition.conda);
  files.remove("env/my.yml");
  const auto missing = load(files);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message, "'condaDependenciesFile': no file my.yml");
}

TEST(AzuremlV1, PrefersADockerfileBeside) {
  MemoryFiles files;
  files.add("env/azureml_environment.json",
            R"({"docker": {"baseImage": null, "shmSize": "2g"}, "python": null})");
  files.add("env/BaseDockerfile", "FROM scratch\n");
  ASSERT_VALUE(loaded, load(files));
  EXPECT_EQ(*dockerfile_text(loaded.environment.definition), "FROM scratch\n");
  ASSERT_VALUE(written, write_azureml_v1(loaded.environment));
  EXPECT_EQ(written.at("BaseDockerfile"), "FROM scratch\n");
  const std::string& json = written.at("azureml_environment.json");
  EXPECT_NE(json.find("\"shmSize\": \"2g\""), std::string::npos);
  EXPECT_EQ(json.find("baseDockerfile"), std::string::npos);
}

TEST(AzuremlV1, LeavesOutTheCondaPartThatAzureIgnores) {
  ASSERT_VALUE(loaded, load_text(R"({"python": {"userManagedDependencies": true}})", kConda));
  EXPECT_TRUE(loaded.environment.definition.user_managed());
  EXPECT_EQ(rules(loaded.diagnostics),
            (std::vector<std::string>{"default-image", "azureml-v1-unused-conda"}));
}

TEST(AzuremlV1, NeverKeepsAPassword) {
  ASSERT_VALUE(loaded, load_text(R"({
    "environmentVariables": {"password": "a variable of the author"},
    "docker": {"baseImage": "x/y:1", "baseImageRegistry": {
        "address": "r.example.org", "username": "me", "password": "hunter2"}},
    "r": {"githubPackages": [{"repository": "a/b", "authToken": "ghp_secret"}]}})"));
  EXPECT_EQ(rules(loaded.diagnostics), (std::vector<std::string>{"azureml-v1-password"}));
  EXPECT_EQ(loaded.diagnostics.list()[0].at.line, 4);
  EXPECT_EQ(loaded.environment.definition.azureml_v1.dump().find("hunter2"), std::string::npos);
  ASSERT_VALUE(written, write_azureml_v1(loaded.environment));
  for (const auto& [name, content] : written) {
    EXPECT_EQ(content.find("hunter2"), std::string::npos);
    EXPECT_EQ(content.find("ghp_secret"), std::string::npos);
  }
  EXPECT_NE(written.at("azureml_environment.json").find("a variable of the author"),
            std::string::npos);
  // Nor do messages, or the lines that they show.
  EXPECT_EQ(loaded.diagnostics.list()[0].to_string().find("hunter2"), std::string::npos);
}

TEST(AzuremlV1, ShowsNoPasswordInErrors) {
  for (const char* text :
       {R"({"name": 3, "docker": {"baseImageRegistry": {"password" : "hunter2"}}})",
        R"({"docker": {"baseImageRegistry": {"password":"a\"hunter2"}}, broken)",
        R"({"docker": {"baseImageRegistry": {"password":"hunter2)"}) {
    const auto loaded = load_text(text);
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().to_string().find("hunter2"), std::string::npos)
        << loaded.error().to_string();
  }
}

TEST(AzuremlV1, ReadsARemoteBuildContext) {
  ASSERT_VALUE(loaded, load_text(R"({"docker": {"buildContext": {"locationType": "git",
      "location": "https://github.com/o/r.git", "dockerfilePath": "d/Dockerfile"}}})"));
  const auto& context = std::get<BuildContextBase>(loaded.environment.definition.base);
  EXPECT_EQ(context.uri, "https://github.com/o/r.git");
  EXPECT_EQ(context.dockerfile_path, "d/Dockerfile");
  EXPECT_TRUE(write_azureml_v1(loaded.environment).has_value());
}

TEST(AzuremlV1, GivesPipPackagesACondaPartOfTheirOwn) {
  Environment environment;
  environment.definition.base = ImageBase{"python:3.11", {}};
  environment.definition.pip = PipSection{{{PipLine::Kind::kRequirement, "numpy==1.26.4", {}}}};
  ASSERT_VALUE(written, write_azureml_v1(environment));
  ASSERT_VALUE(again, load_text(written.at("azureml_environment.json"),
                                written.at("conda_dependencies.yml")));
  EXPECT_EQ(again.environment.definition.pip->lines[0].text, "numpy==1.26.4");
  EXPECT_TRUE(again.environment.definition.conda);
}

TEST(AzuremlV1, SaysWhatItHasNoPlaceFor) {
  Environment apt;
  apt.definition.apt = AptSection{{{"git", {}}}};
  Environment inference;
  inference.definition.inference = InferenceConfig{};
  Environment context;
  context.definition.base = BuildContextBase{};
  for (const Environment& one : {apt, inference, context}) {
    const auto written = write_azureml_v1(one);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().kind, ErrorKind::kUnsupported);
  }
}

TEST(AzuremlV1, RefusesWithFileLineAndKey) {
  std::string out;
  for (const char* text : {
           "",
           "[]",
           "{\"name\": ",
           "{\n\"name\": 3}",
           "{\n\"name\": \"a b\"}",
           "{\n\"version\": \"1/2\"}",
           "{\n\"environmentVariables\": []}",
           "{\n\"environmentVariables\": {\"A\": 1}}",
           "{\n\"environmentVariables\": {\"A=B\": \"1\"}}",
           "{\n\"python\": \"python\"}",
           "{\"python\": {\n\"userManagedDependencies\": \"no\"}}",
           "{\"python\": {\n\"condaDependencies\": []}}",
           "{\"docker\": {\"baseImage\": \"a\",\n\"baseDockerfile\": \"FROM b\"}}",
           "{\"docker\": {\n\"baseImage\": \"HTTP://x\"}}",
           "{\"docker\": {\n\"buildContext\": {}}}",
           "{\"docker\": {\n\"buildContext\": {\"location\": \"https://x.blob.core/y?sig=1 2\"}}}",
           "{\"docker\": {\"platform\": {\n\"os\": \"beos\"}}}",
       }) {
    const auto loaded = load_text(text);
    out += std::string("=== ") + text + "\n" +
           (loaded.has_value() ? "no error" : loaded.error().to_string()) + "\n";
  }
  expect_golden(CLOCHE_TESTDATA, "azureml_v1/errors.txt", out);
}

TEST(AzuremlV1, NamesTheNearestKey) {
  ASSERT_VALUE(loaded,
               load_text("{\n\"environmentVariable\": {}, \"docker\": {\"baseimage\": \"x\"}}"));
  ASSERT_GE(loaded.diagnostics.list().size(), 2U);
  EXPECT_EQ(loaded.diagnostics.list()[0].hint, "did you mean environmentVariables?");
  EXPECT_EQ(loaded.diagnostics.list()[1].hint, "did you mean baseImage?");
}

TEST(AzuremlV1, RefusesHostileInputQuickly) {
  std::string keys = "{";
  std::string passwords = "{\"a\": [";
  for (int i = 0; i < 20'000; ++i) {
    keys += "\"k" + std::to_string(i) + "\": 1, ";
    passwords += "{\"password\": \"x\"}, ";
  }
  const std::array<std::string, 4> inputs = {std::string(1U << 20U, '['), keys + "\"z\": 1}",
                                             std::string(kMaxAzuremlV1Bytes, '\xff'),
                                             passwords + "{}], \"name\": 1}"};
  for (const std::string& input : inputs) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(load_text(input).has_value());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  }
}

}  // namespace
}  // namespace cloche::definition
