#include "definition/export.h"

#include <algorithm>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/diff.h"
#include "definition/fingerprint.h"
#include "definition/testing.h"

namespace cloche::definition {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Environment example() {
  Environment environment;
  environment.name = "training";
  environment.version = "3";
  environment.description = "trains";
  Definition& definition = environment.definition;
  definition.base = ImageBase{"python:3.11", {"env.yml", 2, 8}};
  definition.conda.emplace();
  definition.conda->channels = {{"conda-forge", {}}};
  definition.conda->dependencies = {{"python=3.11", "", {"conda.yml", 4, 5}}, {"pip", "", {}}};
  definition.pip = PipSection{{{PipLine::Kind::kRequirement, "torch==2.3", {}},
                               {PipLine::Kind::kConstraint, "numpy<2", {}}}};
  definition.apt = AptSection{{{"git", {"env.yml", 7, 5}}}};
  definition.environment_variables = {{"A", "1"}};
  definition.inference.emplace().scoring = InferenceRoute{"/score", 5001};
  return environment;
}

std::vector<std::string> rules(const Diagnostics& diagnostics) {
  std::vector<std::string> out;
  for (const Diagnostic& one : diagnostics.list()) {
    out.push_back(one.rule);
  }
  return out;
}

TEST(Export, SaysWhatEachFormatLoses) {
  const std::map<Format, std::vector<std::string>> expected = {
      {Format::kCondaYaml,
       {"export-loses-image", "export-loses-apt", "export-loses-variables",
        "export-loses-inference", "export-loses-labels", "export-loses-version"}},
      {Format::kRequirementsTxt,
       {"export-loses-image", "export-loses-conda", "export-loses-apt", "export-loses-variables",
        "export-loses-inference", "export-loses-labels", "export-loses-version"}},
      {Format::kAzuremlV2, {}},
      {Format::kDockerfile,
       {"export-loses-inference", "export-loses-labels", "export-loses-version"}}};
  for (const auto& [format, names] : expected) {
    Diagnostics diagnostics;
    ASSERT_TRUE(export_environment(example(), format, diagnostics).has_value());
    EXPECT_EQ(rules(diagnostics), names) << to_string(format);
  }
}

TEST(Export, PointsAtWhatIsLost) {
  Diagnostics diagnostics;
  ASSERT_TRUE(export_environment(example(), Format::kCondaYaml, diagnostics).has_value());
  EXPECT_THAT(diagnostics.list()[1].to_string(), HasSubstr("env.yml:7:5: warning: the Debian"));
}

TEST(Export, NamesItsFilesAsUsual) {
  const auto names = [](const Environment& environment, Format format) {
    Diagnostics diagnostics;
    std::vector<std::string> out;
    for (const auto& [name, content] :
         export_environment(environment, format, diagnostics).value_or(WrittenFiles())) {
      out.push_back(name);
    }
    return out;
  };
  EXPECT_THAT(names(example(), Format::kCondaYaml),
              UnorderedElementsAre("environment.yml", "constraints.txt"));
  EXPECT_THAT(names(example(), Format::kRequirementsTxt),
              UnorderedElementsAre("requirements.txt", "constraints.txt"));
  EXPECT_THAT(names(example(), Format::kAzuremlV2),
              UnorderedElementsAre("environment.yml", "conda.yml", "constraints.txt"));
  Environment for_v1 = example();
  for_v1.definition.apt.reset();
  for_v1.definition.inference.reset();
  EXPECT_THAT(names(for_v1, Format::kAzuremlV1),
              UnorderedElementsAre("azureml_environment.json", "conda_dependencies.yml",
                                   "constraints.txt"));
}

TEST(Export, RefusesWhatAFormatCannotSayAtAll) {
  const auto kind = [](const Environment& environment, Format format) {
    Diagnostics diagnostics;
    const auto files = export_environment(environment, format, diagnostics);
    return files ? "written" : std::string(to_string(files.error().kind));
  };
  Environment image;
  image.definition.base = ImageBase{"python:3.11", {}};
  EXPECT_EQ(kind(image, Format::kCondaYaml), "unsupported");
  EXPECT_EQ(kind(image, Format::kRequirementsTxt), "unsupported");
  EXPECT_EQ(kind(image, Format::kAzuremlV2), "written");
  EXPECT_EQ(kind(image, Format::kImage), "unsupported");
  EXPECT_EQ(kind(example(), Format::kAzuremlV1), "unsupported");
  Environment on_dockerfile = example();
  on_dockerfile.definition.base = DockerfileBase{"FROM a\n", {}};
  EXPECT_EQ(kind(on_dockerfile, Format::kAzuremlV2), "unsupported");
}

TEST(Export, WarnsOfPathsThatStayBehind) {
  Environment environment = example();
  environment.definition.pip =
      PipSection{{{PipLine::Kind::kRequirement, "./wheels/a-1-py3-none-any.whl", {"r.txt", 1, 1}},
                  {PipLine::Kind::kRequirement, "--editable=../src", {"r.txt", 2, 1}},
                  {PipLine::Kind::kRequirement, "b @ https://example.org/b-1.tar.gz", {}}}};
  Diagnostics diagnostics;
  ASSERT_TRUE(export_environment(environment, Format::kAzuremlV2, diagnostics).has_value());
  EXPECT_THAT(rules(diagnostics), ElementsAre("export-loses-files", "export-loses-files"));
}

TEST(Export, SaysWhereTheContextBelongs) {
  Environment environment;
  BuildContextBase context;
  environment.definition.base = context;
  EXPECT_EQ(context_folder(environment, Format::kAzuremlV2), "context");
  EXPECT_EQ(context_folder(environment, Format::kBuildContext), ".");
  EXPECT_EQ(context_folder(environment, Format::kAzuremlV1), std::nullopt);
  context.uri = "https://example.org/a.git";
  environment.definition.base = context;
  EXPECT_EQ(context_folder(environment, Format::kDockerfile), std::nullopt);
  EXPECT_EQ(context_folder(example(), Format::kDockerfile), std::nullopt);
}

// ---- there and back

// Generated files hold one digit.
std::string content_of(const ContextFile& file) {
  for (const char* digit : {"0", "1", "2", "3"}) {
    if (Digest::of(digit) == file.digest) {
      return digit;
    }
  }
  return "";
}

// What Workspace::restore_context() does.
void restore(const BuildContextBase& context, const std::string& folder, MemoryFiles& files) {
  for (const ContextFile& file : context.files) {
    const std::string path = folder + "/" + file.path;
    if (file.kind == FileKind::kSymlink) {
      files.add_link(path, file.link_target);
    } else {
      files.add(path, file.path == context.dockerfile_path ? context.dockerfile : content_of(file),
                file.mode);
    }
  }
}

struct Trip {
  Definition expected;  // without what the diagnostics call lost
  Environment back;
};

void forget(const std::string& rule, Definition& definition) {
  const Base default_base = ImageBase{ReadOptions().default_image, {}};
  const std::map<std::string, std::function<void()>> losses = {
      {"export-loses-image", [&] { definition.base = default_base; }},
      {"export-loses-dockerfile", [&] { definition.base = default_base; }},
      {"export-loses-conda", [&] { definition.conda.reset(); }},
      {"export-loses-apt", [&] { definition.apt.reset(); }},
      {"export-loses-variables", [&] { definition.environment_variables.clear(); }},
      {"export-loses-inference", [&] { definition.inference.reset(); }},
      {"export-loses-os-type", [&] { definition.os_type = OsType::kLinux; }}};
  if (const auto loss = losses.find(rule); loss != losses.end()) {
    loss->second();
  }
}

// Nothing when the format refuses.
std::optional<Trip> travel(const Environment& environment, Format format, const std::string& main) {
  Diagnostics diagnostics;
  const auto written = export_environment(environment, format, diagnostics);
  if (!written) {
    RC_ASSERT(written.error().kind == ErrorKind::kUnsupported);
    return std::nullopt;
  }
  MemoryFiles files;
  if (const auto folder = context_folder(environment, format)) {
    restore(std::get<BuildContextBase>(environment.definition.base), "out/" + *folder, files);
  }
  for (const auto& [name, content] : *written) {
    files.add("out/" + name, content);
    RC_LOG() << "--- " << name << "\n" << content;
  }
  LoadRequest request;
  request.file = main;
  auto loaded = load(request, files, ReadOptions());
  if (!loaded) {
    RC_LOG() << loaded.error().to_string() << "\n";
    RC_FAIL("does not load");
  }
  Trip trip{environment.definition, std::move(loaded->environment)};
  for (const std::string& rule : rules(diagnostics)) {
    forget(rule, trip.expected);
    if (rule == "export-adds-conda") {
      trip.expected.conda = trip.back.definition.conda;
    }
  }
  return trip;
}

void expect_same(const Trip& trip) {
  for (const Change& change : diff(trip.expected, trip.back.definition)) {
    RC_LOG() << change.section << " " << to_string(change.kind) << " " << change.name << ": "
             << change.before << " -> " << change.after << "\n";
  }
  RC_ASSERT(same_definition(trip.expected, trip.back.definition));
}

RC_GTEST_PROP(ExportRoundTrip, OfACondaFile, ()) {
  if (const auto trip = travel(*valid_environment(), Format::kCondaYaml, "out/environment.yml")) {
    expect_same(*trip);
  }
}

RC_GTEST_PROP(ExportRoundTrip, OfARequirementsFile, ()) {
  if (const auto trip =
          travel(*valid_environment(), Format::kRequirementsTxt, "out/requirements.txt")) {
    expect_same(*trip);
  }
}

RC_GTEST_PROP(ExportRoundTrip, OfAzuremlV2KeepsAll, ()) {
  const Environment environment = *valid_environment();
  const auto trip = travel(environment, Format::kAzuremlV2, "out/environment.yml");
  RC_ASSERT(trip.has_value());
  RC_ASSERT(trip->back.name == environment.name);
  RC_ASSERT(trip->back.version == environment.version);
  RC_ASSERT(trip->back.description == environment.description);
  RC_ASSERT(trip->back.tags == environment.tags);
  RC_ASSERT(trip->back.properties == environment.properties);
  if (!std::holds_alternative<DockerfileBase>(environment.definition.base)) {
    expect_same(*trip);
  }
  RC_ASSERT(fingerprint(trip->back.definition) == fingerprint(environment.definition));
}

RC_GTEST_PROP(ExportRoundTrip, OfAzuremlV1, ()) {
  Environment environment = *valid_environment();
  environment.definition.apt.reset();
  environment.definition.inference.reset();
  if (const auto trip = travel(environment, Format::kAzuremlV1, "out")) {
    RC_ASSERT(trip->back.name == environment.name);
    Trip with_conda = *trip;
    if (!environment.definition.conda && environment.definition.pip) {
      with_conda.expected.conda = trip->back.definition.conda;
    }
    expect_same(with_conda);
  }
}

// Packages become instructions, so only what was a Dockerfile comes back as one.
RC_GTEST_PROP(ExportRoundTrip, OfADockerfile, ()) {
  const Environment environment = *valid_environment();
  if (!std::holds_alternative<ImageBase>(environment.definition.base)) {
    Environment bare = environment;
    bare.definition.environment_variables.clear();
    const auto trip = travel(bare, Format::kDockerfile, "out/Dockerfile");
    RC_ASSERT(trip.has_value());
    RC_ASSERT(fingerprint(trip->back.definition) == fingerprint(bare.definition));
  }
}

}  // namespace
}  // namespace cloche::definition
