#include "definition/dockerfile_export.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/dockerfile.h"
#include "definition/lint/lint.h"
#include "definition/testing.h"

namespace cloche::definition {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Environment system_managed(const std::string& image) {
  Environment environment;
  environment.name = "train";
  environment.version = "3";
  Definition& definition = environment.definition;
  definition.base = ImageBase{image, {}};
  definition.conda.emplace();
  definition.conda->channels = {{"conda-forge", {}}};
  definition.conda->dependencies = {
      {"python=3.11", "", {}}, {"mkl", "win", {}}, {"numpy=1.26", "linux", {}}};
  definition.conda->variables = {{"OMP_NUM_THREADS", "1"}, {"BOTH", "conda"}};
  definition.pip.emplace();
  definition.pip->lines = {{PipLine::Kind::kOption, "--index-url=https://${TOKEN}@host/simple", {}},
                           {PipLine::Kind::kConstraint, "urllib3<2", {}},
                           {PipLine::Kind::kRequirement, "torch==2.4.1", {}}};
  definition.apt.emplace();
  definition.apt->packages = {{"git", {}}, {"libgl1=1.6.0-1", {}}};
  definition.environment_variables = {{"BOTH", "own \"x\" $y \\z"}};
  return environment;
}

std::string all_of(const WrittenFiles& files) {
  std::string out;
  for (const auto& [name, text] : files) {
    out += "==> " + name + " <==\n" + text;
  }
  return out;
}

TEST(WriteDockerfile, BuildsTheCondaPartInAStageOfItsOwn) {
  ASSERT_VALUE(files, write_dockerfile(system_managed("ubuntu:22.04")));
  expect_golden(CLOCHE_TESTDATA, "dockerfile_export/micromamba.txt", all_of(files));
}

TEST(WriteDockerfile, UsesTheCondaOfTheBase) {
  ASSERT_VALUE(files, write_dockerfile(system_managed(
                          "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20240304.v1")));
  expect_golden(CLOCHE_TESTDATA, "dockerfile_export/conda.txt", all_of(files));
}

TEST(WriteDockerfile, StandsAfterADockerfile) {
  Environment environment = system_managed("");
  environment.definition.base = DockerfileBase{
      "# escape=`\nARG TAG=22.04\nFROM a AS cloche-conda\n\nFROM ubuntu:$TAG\nUSER me\nRUN x", {}};
  ASSERT_VALUE(files, write_dockerfile(environment));
  expect_golden(CLOCHE_TESTDATA, "dockerfile_export/dockerfile.txt", all_of(files));
}

TEST(WriteDockerfile, LeavesAUserManagedImageAlone) {
  Environment environment;
  environment.definition.base = ImageBase{"python:3.12-slim", {}};
  ASSERT_VALUE(files, write_dockerfile(environment));
  EXPECT_EQ(all_of(files),
            "==> Dockerfile <==\n# Made by cloche env export.\nFROM python:3.12-slim\n");
}

TEST(WriteDockerfile, InstallsIntoTheBasesPythonWithoutACondaPart) {
  Environment environment = system_managed("python:3.12-slim");
  environment.definition.conda.reset();
  ASSERT_VALUE(files, write_dockerfile(environment));
  EXPECT_THAT(files["Dockerfile"], HasSubstr("python3 -m pip install --no-cache-dir"));
  EXPECT_THAT(files["Dockerfile"], Not(HasSubstr("micromamba")));
}

TEST(WriteDockerfile, SetsTheVariablesToWhatTheyAre) {
  ASSERT_VALUE(files, write_dockerfile(system_managed("ubuntu:22.04")));
  Diagnostics diagnostics;
  ASSERT_VALUE(dockerfile, parse_dockerfile(files["Dockerfile"], "Dockerfile", diagnostics));
  const Instruction& last = dockerfile.instructions.back();
  ASSERT_EQ(last.kind, InstructionKind::kEnv);
  EXPECT_EQ(*expand_word(*last.pairs[0].second, {}), "own \"x\" $y \\z");
}

// All it may say is that nobody knows whose user the container should run as.
TEST(WriteDockerfile, PassesOurOwnLint) {
  for (const std::string image : {"ubuntu:22.04", "continuumio/miniconda3:24.7.1-0"}) {
    ASSERT_VALUE(files, write_dockerfile(system_managed(image)));
    MemoryFiles disk;
    for (const auto& [name, text] : files) {
      disk.add("/x/" + name, text);
    }
    ASSERT_VALUE(findings, lint_file("/x/Dockerfile", disk, {}));
    for (const Finding& finding : findings) {
      EXPECT_EQ(finding.diagnostic.rule, "runs-as-root") << finding.diagnostic.to_string();
    }
  }
}

void expect_refused(const Environment& environment, ErrorKind kind, const std::string& message) {
  const auto files = write_dockerfile(environment);
  ASSERT_FALSE(files.has_value());
  EXPECT_EQ(files.error().kind, kind);
  EXPECT_THAT(files.error().message, HasSubstr(message));
}

TEST(WriteDockerfile, RefusesWhatADockerfileCannotSay) {
  Environment environment = system_managed("ubuntu:22.04");
  environment.definition.base = BuildContextBase{};
  expect_refused(environment, ErrorKind::kUnsupported, "build context");
  expect_refused(system_managed("x\nRUN evil"), ErrorKind::kInvalid, "");
  environment = system_managed("x");
  environment.definition.os_type = OsType::kWindows;
  expect_refused(environment, ErrorKind::kUnsupported, "Windows");
  environment = system_managed("x");
  environment.definition.conda->platforms = {"osx-arm64"};
  expect_refused(environment, ErrorKind::kUnsupported, "osx-arm64");
  environment = system_managed("x");
  environment.definition.pip->lines.push_back(
      {PipLine::Kind::kRequirement, "--editable=./src", {}});
  expect_refused(environment, ErrorKind::kUnsupported, "./src");
  environment = system_managed("x");
  environment.definition.apt->packages = {{"-oDebug=1", {}}};
  expect_refused(environment, ErrorKind::kInvalid, "-oDebug");
  environment = system_managed("x");
  environment.definition.environment_variables = {{"A", "b\nc"}};
  expect_refused(environment, ErrorKind::kUnsupported, "line break");
  environment = system_managed("x");
  environment.definition.environment_variables = {{"A B", "c"}};
  expect_refused(environment, ErrorKind::kInvalid, "no name");
  environment = system_managed("x");
  environment.definition.base = DockerfileBase{"FROM x\nRUN a \\\n", {}};
  expect_refused(environment, ErrorKind::kUnsupported, "middle of an instruction");
}

RC_GTEST_PROP(WriteDockerfile, WritesWhatOurParserReads, ()) {
  Environment environment = *valid_environment();
  const auto files = write_dockerfile(environment);
  if (!files.has_value()) {
    RC_ASSERT(files.error().kind == ErrorKind::kUnsupported ||
              files.error().kind == ErrorKind::kInvalid);
    return;
  }
  Diagnostics diagnostics;
  RC_ASSERT(parse_dockerfile(files->at("Dockerfile"), "Dockerfile", diagnostics).has_value());
  RC_ASSERT(*write_dockerfile(environment) == *files);
}

// Whatever a stored environment holds, none of it becomes an instruction of its own.
RC_GTEST_PROP(WriteDockerfile, LetsNoTextBecomeAnInstruction, ()) {
  const auto text = rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("ab \\\n\r\t'\"`$#<>{}&;|=RUN\xff")));
  Environment environment = system_managed("ubuntu:22.04");
  environment.name = *text;
  environment.version = *text;
  Definition& definition = environment.definition;
  const int place = *rc::gen::inRange(0, 4);
  if (place == 0) {
    definition.apt->packages.front().text = *text;
  } else if (place == 1) {
    definition.environment_variables["X"] = *text;
  } else if (place == 2) {
    definition.pip->lines.back().text = *text;
  } else {
    definition.conda->dependencies.front().text = *text;
  }
  const auto files = write_dockerfile(environment);
  if (files.has_value()) {
    constexpr std::size_t kInstructions = 11;
    Diagnostics diagnostics;
    const auto dockerfile = parse_dockerfile(files->at("Dockerfile"), "Dockerfile", diagnostics);
    RC_ASSERT(dockerfile.has_value() && dockerfile->instructions.size() == kInstructions);
  }
}

}  // namespace
}  // namespace cloche::definition
