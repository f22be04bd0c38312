#include "definition/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/fingerprint.h"
#include "definition/testing.h"

namespace cloche::definition {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> changes(const Definition& before, const Definition& after) {
  std::vector<std::string> out;
  for (const Change& one : diff(before, after)) {
    out.push_back(one.section + " " + std::string(to_string(one.kind)) + " " + one.name + ": " +
                  one.before + " -> " + one.after);
  }
  return out;
}

Definition example() {
  Definition definition;
  definition.base = ImageBase{"python:3.11", {}};
  definition.conda.emplace();
  definition.conda->channels = {{"conda-forge", {}}, {"defaults", {}}};
  definition.conda->dependencies = {
      {"python=3.11", "", {}}, {"conda-forge::NumPy>=1.26", "", {}}, {"zlib", "", {}}};
  definition.pip = PipSection{{{PipLine::Kind::kOption, "--index-url=https://a.org/simple", {}},
                               {PipLine::Kind::kRequirement, "Scikit_Learn==1.4", {}},
                               {PipLine::Kind::kRequirement, "tqdm", {}}}};
  definition.apt = AptSection{{{"git", {}}, {"libgomp1:amd64", {}}}};
  return definition;
}

TEST(Diff, SaysNothingOfEquals) { EXPECT_THAT(changes(example(), example()), ElementsAre()); }

TEST(Diff, NamesPackagesAsTheirEcosystemDoes) {
  Definition after = example();
  after.conda->dependencies[1].text = "numpy=1.27";
  after.pip->lines[0].text = "--index-url=https://b.org/simple";
  after.pip->lines[1].text = "scikit-learn==1.5 --hash=sha256:00";
  after.pip->lines.push_back({PipLine::Kind::kConstraint, "urllib3<2", {}});
  after.apt->packages[1].text = "libgomp1:amd64=12";
  EXPECT_THAT(changes(example(), after),
              ElementsAre("conda changed numpy: conda-forge::NumPy>=1.26 -> numpy=1.27",
                          "pip changed --index-url: --index-url=https://a.org/simple -> "
                          "--index-url=https://b.org/simple",
                          "pip added constraint urllib3:  -> constraint urllib3<2",
                          "pip changed scikit-learn: Scikit_Learn==1.4 -> scikit-learn==1.5 "
                          "--hash=sha256:00",
                          "apt changed libgomp1:amd64: libgomp1:amd64 -> libgomp1:amd64=12"));
}

TEST(Diff, TellsAddedRemovedAndMoved) {
  Definition after = example();
  std::swap(after.conda->channels[0], after.conda->channels[1]);
  after.conda->nodefaults = true;
  after.conda->dependencies = {{"zlib", "", {}}, {"python=3.11", "", {}}, {"pip", "", {}}};
  after.environment_variables["A"] = "1";
  after.conda->variables["B"] = "2";
  after.inference.emplace().scoring = InferenceRoute{"/score", 5001};
  after.os_type = OsType::kWindows;
  EXPECT_THAT(
      changes(example(), after),
      ElementsAre("channels moved conda-forge: 1 -> 2", "channels added nodefaults:  -> nodefaults",
                  "conda removed numpy: conda-forge::NumPy>=1.26 -> ", "conda added pip:  -> pip",
                  "conda moved python: 1 -> 2", "variables added A:  -> 1",
                  "conda-variables added B:  -> 2", "inference added scoring:  -> /score:5001",
                  "os changed os_type: linux -> windows"));
}

TEST(Diff, ListsInstructionsAndFiles) {
  const auto with = [](std::string text, std::vector<ContextFile> files) {
    BuildContextBase context;
    context.dockerfile = std::move(text);
    context.files = std::move(files);
    Definition definition;
    definition.base = std::move(context);
    return definition;
  };
  const ContextFile link{"b", FileKind::kSymlink, 0777, 0, {}, "a"};
  const ContextFile other_link{"b", FileKind::kSymlink, 0777, 0, {}, "c"};
  EXPECT_THAT(changes(with("FROM a\nRUN x\nUSER me\n", {link}),
                      with("FROM a\nRUN y\nUSER me\nRUN z", {other_link})),
              ElementsAre("dockerfile changed RUN: RUN \"x\" -> RUN \"y\"",
                          "dockerfile added RUN:  -> RUN \"z\"",
                          "context changed b: link to a -> link to c"));
  EXPECT_THAT(changes(example(), with("FROM a", {})),
              ::testing::IsSupersetOf({"image removed image: python:3.11 -> ",
                                       "dockerfile added FROM:  -> FROM \"a\"",
                                       "dockerfile added path:  -> Dockerfile"}));
}

TEST(Diff, HidesPasswords) {
  Definition before = example();
  Definition after = example();
  before.pip->lines[0].text = "--index-url=https://me:secret1@a.org/simple";
  after.pip->lines[0].text = "--index-url=https://me:secret2@a.org/simple";
  const auto found = changes(before, after);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], ::testing::Not(::testing::HasSubstr("secret")));
}

// Takes each part from one of the two, so that most parts are equal.
Definition mixed(const Definition& a, const Definition& b) {
  const auto coin = [] { return *rc::gen::weightedElement<bool>({{7, true}, {1, false}}); };
  return {coin() ? a.base : b.base,
          coin() ? a.conda : b.conda,
          coin() ? a.pip : b.pip,
          coin() ? a.apt : b.apt,
          coin() ? a.environment_variables : b.environment_variables,
          coin() ? a.inference : b.inference,
          coin() ? a.os_type : b.os_type,
          coin() ? a.azureml_v1 : b.azureml_v1};
}

RC_GTEST_PROP(DiffProperty, IsEmptyExactlyForTheSameDefinition, ()) {
  const Definition a = *any_definition();
  const Definition b = mixed(a, *any_definition());
  const bool same = same_definition(a, b);
  RC_CLASSIFY(same, "same");
  RC_ASSERT(diff(a, b).empty() == same);
  RC_ASSERT(diff(b, a).empty() == same);
  RC_ASSERT(diff(a, a).empty());
}

RC_GTEST_PROP(DiffProperty, IsEmptyExactlyForTheSameValidDefinition, ()) {
  const Definition a = *valid_definition();
  const Definition b = mixed(a, *valid_definition());
  RC_ASSERT(diff(a, b).empty() == same_definition(a, b));
}

}  // namespace
}  // namespace cloche::definition
