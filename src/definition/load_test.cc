#include "definition/load.h"

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::definition {
namespace {

MemoryFiles project() {
  MemoryFiles files;
  files.add("environment.yml",
            "name: sky\nchannels: [conda-forge]\ndependencies:\n- python=3.11\n"
            "- pip\n- pip: [numpy==1.26.4]\n");
  files.add("requirements.txt", "pandas==2.2.2\n");
  files.add("azure.yml", "name: az\nversion: 1.10\nimage: python:3.11\ntags: {a: b}\n");
  files.add("default.yml", "name: az\nconda_file: environment.yml\n");
  files.add("context/Dockerfile", "FROM python:3.11\nCOPY . .\n");
  files.add("context/main.py", "print()\n");
  files.add("alone/Dockerfile", "FROM python:3.11\nRUN pip install numpy\n");
  files.add("stages/app.dockerfile", "FROM a AS b\nFROM c\nCOPY --from=b /x /y\n");
  files.add("mounted/Dockerfile", "FROM a\nRUN --mount=type=bind,target=/src make\n");
  files.add("v1/azureml_environment.json", R"({"name": "one", "docker": {"baseImage": "a:1"}})");
  files.add("apt.txt", "git\ncurl\n");
  files.add("folder/conda.yml", "dependencies: [python]\n");
  files.add("job.yml", "command: python main.py\nenvironment: azureml:a:1\n");
  files.add("broken.yml", "image: [python\nname: a\n");
  files.add("notes.md", "# Notes\n");
  files.add("env.json", "{\"name\": \"x\"}");
  return files;
}

Result<Loaded> load_it(const LoadRequest& request) {
  MemoryFiles files = project();
  return load(request, files, {});
}

LoadRequest from_file(std::string file) {
  LoadRequest request;
  request.file = std::move(file);
  return request;
}

std::string error_of(const LoadRequest& request) {
  const auto out = load_it(request);
  return out.has_value() ? "no error" : out.error().message;
}

TEST(DetectFormat, LooksAtTheContentFirst) {
  const std::array<std::pair<std::string, Format>, 16> cases = {{
      {"environment.yml", Format::kCondaYaml},
      {"requirements.txt", Format::kRequirementsTxt},
      {"azure.yml", Format::kAzuremlV2},
      {"default.yml", Format::kAzuremlV2},
      {"context", Format::kBuildContext},
      {"context/Dockerfile", Format::kDockerfile},
      {"stages/app.dockerfile", Format::kDockerfile},
      {"v1", Format::kAzuremlV1},
      {"v1/azureml_environment.json", Format::kAzuremlV1},
      {"broken.yml", Format::kAzuremlV2},
      {"dev-requirements.in", Format::kRequirementsTxt},
      {"requirements", Format::kRequirementsTxt},
      {"name-only.yaml", Format::kAzuremlV2},
      {"Build", Format::kDockerfile},
      {"env", Format::kCondaYaml},
      {"both.yml", Format::kAzuremlV2},
  }};
  MemoryFiles files = project();
  files.add("dev-requirements.in", "numpy\n").add("requirements", "numpy\n");
  files.add("name-only.yaml", "name: a\n").add("Build", "# syntax=x\n\narg V=1\nFROM a:${V}\n");
  files.add("env", "dependencies:\n- python\n");
  files.add("both.yml", "image: a\ndependencies: [python]\n");
  for (const auto& [path, format] : cases) {
    ASSERT_VALUE(found, detect_format(path, files));
    EXPECT_EQ(found, format) << path << " is " << to_string(found);
  }
}

TEST(DetectFormat, GoesByTheContentWhereTheNameTellsNothing) {
  const std::array<std::pair<std::string, Format>, 6> cases = {{
      {"# what\n\nnumpy==1.26 # why\n", Format::kRequirementsTxt},
      {"--index-url https://example.org\n", Format::kRequirementsTxt},
      {"name: a\ndependencies: [python]\n", Format::kCondaYaml},
      {"name: [\n", Format::kAzuremlV2},
      {"from debian:12\n", Format::kDockerfile},
      {"image: debian:12\n", Format::kAzuremlV2},
  }};
  for (const auto& [text, format] : cases) {
    MemoryFiles files;
    files.add("<stdin>", text);
    ASSERT_VALUE(found, detect_format("<stdin>", files));
    EXPECT_EQ(found, format) << text << " is " << to_string(found);
  }
  MemoryFiles files;
  files.add("<stdin>", "<html>\n");
  EXPECT_FALSE(detect_format("<stdin>", files).has_value());
}

TEST(DetectFormat, SeesWhatAMistypedKeyWasMeantToBe) {
  MemoryFiles files;
  files.add("a.yml", "name: a\ndependancies:\n- python\n").add("b.yml", "name: a\nimgae: b\n");
  ASSERT_VALUE(conda, detect_format("a.yml", files));
  EXPECT_EQ(conda, Format::kCondaYaml);
  ASSERT_VALUE(azure, detect_format("b.yml", files));
  EXPECT_EQ(azure, Format::kAzuremlV2);
}

TEST(DetectFormat, SaysWhatWasLookedFor) {
  MemoryFiles files = project();
  for (const char* path : {"notes.md", "job.yml", "folder", "env.json"}) {
    const auto found = detect_format(path, files);
    ASSERT_FALSE(found.has_value()) << path;
    EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
    EXPECT_FALSE(found.error().hint.empty()) << path;
  }
  EXPECT_EQ(detect_format("folder", files).error().hint, "did you mean folder/conda.yml?");
  EXPECT_EQ(detect_format("job.yml", files).error().message,
            "job.yml is a job, not an environment");
  EXPECT_EQ(detect_format("python:3.11", files).error().hint, "an image is named with --image");
  EXPECT_EQ(detect_format("missing.yml", files).error().kind, ErrorKind::kNotFound);
}

TEST(Load, MakesAnEnvironmentOfEachFormat) {
  ASSERT_VALUE(conda, load_it(from_file("environment.yml")));
  EXPECT_EQ(conda.environment.name, "sky");
  EXPECT_TRUE(conda.environment.definition.conda);
  EXPECT_EQ(image_reference(conda.environment.definition), ReadOptions().default_image);
  ASSERT_VALUE(requirements, load_it(from_file("requirements.txt")));
  EXPECT_EQ(requirements.environment.name, "");
  EXPECT_EQ(requirements.environment.definition.pip->lines.size(), 1U);
  ASSERT_VALUE(azure, load_it(from_file("azure.yml")));
  EXPECT_EQ(azure.environment.version, "1.10");
  ASSERT_VALUE(v1, load_it(from_file("v1/azureml_environment.json")));
  EXPECT_EQ(v1.environment.name, "one");
  ASSERT_VALUE(folder, load_it(from_file("context")));
  EXPECT_EQ(std::get<BuildContextBase>(folder.environment.definition.base).files.size(), 2U);
}

TEST(Load, TakesAContextOnlyWhereADockerfileNeedsOne) {
  ASSERT_VALUE(copies, load_it(from_file("context/Dockerfile")));
  EXPECT_TRUE(std::holds_alternative<BuildContextBase>(copies.environment.definition.base));
  ASSERT_VALUE(mounted, load_it(from_file("mounted/Dockerfile")));
  EXPECT_TRUE(std::holds_alternative<BuildContextBase>(mounted.environment.definition.base));
  ASSERT_VALUE(alone, load_it(from_file("alone/Dockerfile")));
  EXPECT_TRUE(std::holds_alternative<DockerfileBase>(alone.environment.definition.base));
  ASSERT_VALUE(stages, load_it(from_file("stages/app.dockerfile")));
  EXPECT_TRUE(std::holds_alternative<DockerfileBase>(stages.environment.definition.base));
}

TEST(Load, AddsThePartsOfTheCommandLine) {
  LoadRequest request;
  request.image = "debian:12";
  request.conda_file = "environment.yml";
  request.pip_file = "requirements.txt";
  request.apt = {"apt.txt"};
  request.name = "mine";
  request.version = "2";
  request.description = "words";
  request.tags = {{"a", "b"}};
  request.environment_variables = {{"A", "1"}};
  ASSERT_VALUE(loaded, load_it(request));
  const Definition& definition = loaded.environment.definition;
  EXPECT_EQ(loaded.environment.name, "mine");
  EXPECT_EQ(loaded.environment.version, "2");
  EXPECT_EQ(loaded.environment.tags, (StringMap{{"a", "b"}}));
  EXPECT_EQ(image_reference(definition), "debian:12");
  ASSERT_EQ(definition.pip->lines.size(), 2U);
  EXPECT_EQ(definition.pip->lines[0].text, "numpy==1.26.4");
  EXPECT_EQ(definition.apt->packages.size(), 2U);
  EXPECT_EQ(definition.environment_variables, (StringMap{{"A", "1"}}));
  EXPECT_EQ(loaded.format, Format::kImage);
  request.apt = {"git", "curl=7.88.1-10"};
  ASSERT_VALUE(names, load_it(request));
  EXPECT_EQ(names.environment.definition.apt->packages[1].text, "curl=7.88.1-10");
}

TEST(Load, LetsTheCommandLineWinOverTheFile) {
  LoadRequest request = from_file("azure.yml");
  request.name = "other";
  request.tags = {{"a", "c"}, {"d", "e"}};
  ASSERT_VALUE(loaded, load_it(request));
  EXPECT_EQ(loaded.environment.name, "other");
  EXPECT_EQ(loaded.environment.tags, (StringMap{{"a", "c"}, {"d", "e"}}));
  LoadRequest base = from_file("default.yml");
  base.image = "debian:12";  // the file gives none
  ASSERT_VALUE(with_base, load_it(base));
  EXPECT_EQ(image_reference(with_base.environment.definition), "debian:12");
}

TEST(Load, RefusesWhatCannotBeCombined) {
  const std::string one = "exactly one of image, Dockerfile and build context can be given";
  const std::string top = "packages cannot be added on top of a Dockerfile or a build context";
  LoadRequest image_twice = from_file("azure.yml");
  image_twice.image = "debian:12";
  EXPECT_EQ(error_of(image_twice), one);
  LoadRequest image_and_context;
  image_and_context.image = "debian:12";
  image_and_context.build_context = "context";
  EXPECT_EQ(error_of(image_and_context), one);
  LoadRequest dockerfile_and_image = from_file("alone/Dockerfile");
  dockerfile_and_image.image = "debian:12";
  EXPECT_EQ(error_of(dockerfile_and_image), one);
  LoadRequest context_and_pip;
  context_and_pip.build_context = "context";
  context_and_pip.pip_file = "requirements.txt";
  EXPECT_EQ(error_of(context_and_pip), top);
  LoadRequest dockerfile_and_apt = from_file("alone/Dockerfile");
  dockerfile_and_apt.apt = {"git"};
  EXPECT_EQ(error_of(dockerfile_and_apt), top);
  LoadRequest conda_twice = from_file("environment.yml");
  conda_twice.conda_file = "environment.yml";
  EXPECT_EQ(error_of(conda_twice), "a conda part is given twice");
  LoadRequest stray = from_file("environment.yml");
  stray.dockerfile_path = "Dockerfile";
  EXPECT_EQ(error_of(stray), "--dockerfile-path belongs to a build context");
}

TEST(Load, TakesRemoteContextsAndNamesOfDockerfiles) {
  LoadRequest remote;
  remote.build_context = "https://github.com/o/r.git";
  remote.dockerfile_path = "d/Dockerfile";
  ASSERT_VALUE(loaded, load_it(remote));
  EXPECT_EQ(std::get<BuildContextBase>(loaded.environment.definition.base).dockerfile_path,
            "d/Dockerfile");
  EXPECT_EQ(loaded.format, Format::kBuildContext);
}

TEST(Load, GivesTheDefaultImageToAnEmptyRequest) {
  ASSERT_VALUE(loaded, load_it({}));
  EXPECT_EQ(image_reference(loaded.environment.definition), ReadOptions().default_image);
}

}  // namespace
}  // namespace cloche::definition
