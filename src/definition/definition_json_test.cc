#include "definition/definition_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/testing.h"

namespace cloche::definition {
namespace {

using ::testing::HasSubstr;

Environment example() {
  Environment environment;
  environment.name = "training";
  environment.version = "3";
  environment.description = "trains the model";
  environment.tags = {{"team", "vision"}};
  Definition& definition = environment.definition;
  definition.base = ImageBase{"python:3.11-slim", {"env.yml", 3, 8}};
  definition.conda.emplace();
  definition.conda->channels = {{"conda-forge", {"conda.yml", 2, 5}}};
  definition.conda->dependencies = {{"python=3.11", "", {"conda.yml", 4, 5}},
                                    {"cuda=12", "linux", {"conda.yml", 5, 5}}};
  definition.pip = PipSection{{{PipLine::Kind::kRequirement, "numpy==1.26", {"conda.yml", 7, 7}},
                               {PipLine::Kind::kOption, "--pre", {}}}};
  definition.apt = AptSection{{{"git", {"env.yml", 9, 5}}}};
  definition.environment_variables = {{"OMP_NUM_THREADS", "1"}};
  definition.inference.emplace().scoring = InferenceRoute{"/score", 5001};
  return environment;
}

Environment example_context() {
  Environment environment;
  BuildContextBase context;
  context.dockerfile = "FROM alpine\nCOPY . .\n";
  context.files = {
      {"Dockerfile", FileKind::kFile, 0644, 21, Digest::of(context.dockerfile), ""},
      {"bin/run\xff", FileKind::kFile, 0755, 2, Digest::of("ls"), ""},
      {"link", FileKind::kSymlink, 0777, 0, {}, "bin"},
  };
  environment.definition.base = std::move(context);
  return environment;
}

TEST(DefinitionJson, HasTheDocumentedForm) {
  expect_golden(CLOCHE_TESTDATA, "environment_json/image.json", to_json(example()).dump(2));
  expect_golden(CLOCHE_TESTDATA, "environment_json/context.json",
                to_json(example_context()).dump(2));
}

TEST(DefinitionJson, RefusesTheFuture) {
  Json json = to_json(example());
  json.set("format", 2).set("something new", true);
  const auto read = environment_from_json(json);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(read.error().hint, "");

  json = to_json(example());
  json.set("definition", Json(json["definition"]).set("format", 7));
  EXPECT_EQ(environment_from_json(json).error().kind, ErrorKind::kUnsupported);
}

TEST(DefinitionJson, RefusesWhatItDoesNotKnowAndSaysWhere) {
  Json json = to_json(example());
  Json conda = json["definition"]["conda"];
  conda.set("dependencies", Json::array().push(Json::object().set("txt", "numpy")));
  json.set("definition", Json(json["definition"]).set("conda", conda));
  const auto read = environment_from_json(json);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(read.error().to_string(), HasSubstr("unknown key \"txt\""));
  EXPECT_THAT(read.error().to_string(), HasSubstr("in dependencies[0]"));
  EXPECT_THAT(read.error().to_string(), HasSubstr("in conda"));
}

// Each field of each record in turn is removed or gets a value of the wrong type.
TEST(DefinitionJson, RefusesEveryFieldOfTheWrongType) {
  const Json whole = to_json(example());
  for (const auto& [key, value] : whole.members()) {
    EXPECT_EQ(environment_from_json(Json(whole).set(key, 1.5)).error().kind, ErrorKind::kCorrupt)
        << key;
  }
  for (const auto& [key, value] : whole["definition"].members()) {
    if (key != "azureml_v1") {
      const Json broken = Json(whole["definition"]).set(key, 1.5);
      EXPECT_EQ(definition_from_json(broken).error().kind, ErrorKind::kCorrupt) << key;
    }
  }
}

Result<Definition> read_with_file(const Json& file) {
  Json json = to_json(example_context().definition);
  Json context = json["base"]["context"];
  context.set("files", Json::array().push(file));
  json.set("base", Json::object().set("context", context));
  return definition_from_json(json);
}

TEST(DefinitionJson, RefusesContextFilesThatCouldLeaveTheirFolder) {
  const auto file = [](const char* path) {
    return Json::object()
        .set("path", path)
        .set("type", "file")
        .set("mode", "0644")
        .set("size_bytes", 0)
        .set("digest", Digest::of("").to_string());
  };
  EXPECT_TRUE(read_with_file(file("a/..b/c")).has_value());
  for (const char* path :
       {"../x", "/etc/passwd", "a/../../x", "a//b", "a/", "./a", "", ".", ".."}) {
    const auto read = read_with_file(file(path));
    ASSERT_FALSE(read.has_value()) << path;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
  }
  for (const auto& [key, value] :
       std::vector<std::pair<const char*, Json>>{{"mode", "644"},
                                                 {"mode", "10644"},
                                                 {"mode", "0x44"},
                                                 {"mode", 420},
                                                 {"digest", "sha256:../../x"},
                                                 {"size_bytes", -1},
                                                 {"type", "device"}}) {
    EXPECT_FALSE(read_with_file(file("a").set(key, value)).has_value()) << key;
  }
}

TEST(DefinitionJson, RefusesFilesBelowALink) {
  Environment environment = example_context();
  auto& context = std::get<BuildContextBase>(environment.definition.base);
  context.files.push_back({"link/passwd", FileKind::kFile, 0644, 0, Digest::of(""), ""});
  EXPECT_THAT(environment_from_json(to_json(environment)).error().to_string(),
              HasSubstr("stands below what is no directory"));
}

TEST(DefinitionJson, NeedsExactlyOneBase) {
  Json json = to_json(example().definition);
  for (const Json& base : {Json::object(), Json::object().set("at", nullptr),
                           Json::object().set("image", "a").set("dockerfile", "FROM a")}) {
    EXPECT_EQ(definition_from_json(Json(json).set("base", base)).error().kind, ErrorKind::kCorrupt);
  }
}

RC_GTEST_PROP(DefinitionJson, ReadsBackWhatItWrites, ()) {
  const Environment environment = *any_environment();
  const auto parsed = parse_json(to_json(environment).dump());
  RC_ASSERT(parsed.has_value());
  const auto read = environment_from_json(*parsed);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == environment);
}

}  // namespace
}  // namespace cloche::definition
