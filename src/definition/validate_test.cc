#include "definition/validate.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace cloche::definition {
namespace {

std::vector<std::string> rules(const Environment& environment) {
  Diagnostics diagnostics;
  validate(environment, diagnostics);
  std::vector<std::string> out;
  for (const Diagnostic& one : diagnostics.list()) {
    out.push_back((one.severity == Severity::kError ? "error " : "") + one.rule);
  }
  return out;
}

using Rules = std::vector<std::string>;

Environment with_image(std::string reference) {
  Environment out;
  out.definition.base = ImageBase{std::move(reference), {}};
  return out;
}

Environment with_conda(const std::vector<std::string>& specs) {
  Environment out = with_image("python:3.11");
  CondaSection conda;
  conda.channels = {{"conda-forge", {}}};
  for (const std::string& spec : specs) {
    conda.dependencies.push_back({spec, "", {}});
  }
  out.definition.conda = std::move(conda);
  return out;
}

Environment with_pip(Environment environment, const std::vector<std::string>& lines) {
  PipSection pip;
  for (const std::string& line : lines) {
    const auto kind = line.starts_with("-") && !line.starts_with("--editable")
                          ? PipLine::Kind::kOption
                          : PipLine::Kind::kRequirement;
    pip.lines.push_back({kind, line, {}});
  }
  environment.definition.pip = std::move(pip);
  return environment;
}

TEST(Validate, IsSilentOnAPinnedEnvironment) {
  Environment environment = with_pip(
      with_conda({"python=3.11", "pip=24.0", "conda-forge::numpy==1.26.4=py311_0", "six>=1,<2"}),
      {"pandas==2.2.2 --hash=sha256:00", "--pre", "--editable=./src", "tomli~=2.0",
       "torch @ https://example.org/torch-2.3-py3-none-any.whl"});
  environment.name = "good-name";
  environment.version = "1.0";
  EXPECT_EQ(rules(environment), Rules{});
}

TEST(Validate, ChecksNames) {
  Environment environment = with_image("python:3.11");
  environment.name = "bad name";
  environment.version = "1/2";
  EXPECT_EQ(rules(environment), (Rules{"error invalid-name", "error invalid-version"}));
  environment.name = "azureml-mine";
  environment.version = "";
  EXPECT_EQ(rules(environment), Rules{"error reserved-name"});
}

TEST(Validate, WantsATagOrADigest) {
  EXPECT_EQ(rules(with_image("mcr.microsoft.com/aznhc/aznhc-nv")), Rules{"image-without-tag"});
  EXPECT_EQ(rules(with_image("localhost:5000/base")), Rules{"image-without-tag"});
  EXPECT_EQ(rules(with_image("a@sha256:" + std::string(64, '0'))), Rules{});
  EXPECT_EQ(rules(with_image("UPPER")), Rules{"error invalid-image"});
}

TEST(Validate, WantsPinnedPackages) {
  EXPECT_EQ(rules(with_conda({"python=3.11", "numpy", "scipy>=1.0"})),
            (Rules{"unpinned-package", "unpinned-package"}));
  EXPECT_EQ(rules(with_pip(with_image("a:1"), {"numpy", "scipy>=1"})),
            (Rules{"unpinned-package", "unpinned-package"}));
}

TEST(Validate, TakesAConstraintForAPin) {
  Environment environment = with_pip(with_image("a:1"), {"NumPy[x]"});
  environment.definition.pip->lines.push_back({PipLine::Kind::kConstraint, "numpy==1.26", {}});
  EXPECT_EQ(rules(environment), Rules{});
}

TEST(Validate, WantsPipBesidePipPackages) {
  EXPECT_EQ(rules(with_pip(with_conda({"python=3.11"}), {"a==1"})), Rules{"pip-not-listed"});
  EXPECT_EQ(rules(with_pip(with_conda({"python=3.11", "pip"}), {"a==1"})), Rules{"pip-unpinned"});
  EXPECT_EQ(rules(with_conda({"python=3.11", "pip"})), Rules{"unpinned-package"});
}

TEST(Validate, WantsOnePython) {
  EXPECT_EQ(rules(with_conda({"python=3.11", "python=3.12"})), Rules{"several-pythons"});
  EXPECT_EQ(rules(with_conda({"numpy=1"})), Rules{"no-python"});
  Environment selected = with_conda({"python=3.11", "python=3.12"});
  selected.definition.conda->dependencies[0].selector = "linux";
  selected.definition.conda->dependencies[1].selector = "osx";
  EXPECT_EQ(rules(selected), Rules{});
  selected.definition.conda->dependencies[1].selector = "";
  EXPECT_EQ(rules(selected), Rules{"several-pythons"});
}

TEST(Validate, WantsChannels) {
  Environment environment = with_conda({"python=3.11"});
  environment.definition.conda->channels.clear();
  EXPECT_EQ(rules(environment), Rules{"no-channels"});
}

TEST(Validate, RefusesPackagesOnADockerfile) {
  Environment environment = with_conda({"python=3.11"});
  environment.definition.base = DockerfileBase{"FROM a:1\n", {}};
  EXPECT_EQ(rules(environment), Rules{"error not-combinable"});
}

TEST(Validate, KnowsAzuresLimitOfADockerfile) {
  Environment environment;
  environment.definition.base = DockerfileBase{std::string(100'001, '#'), {}};
  EXPECT_EQ(rules(environment), Rules{"dockerfile-too-large"});
}

}  // namespace
}  // namespace cloche::definition
