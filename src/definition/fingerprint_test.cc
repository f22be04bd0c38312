#include "definition/fingerprint.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"
#include "definition/definition_json.h"
#include "definition/diff.h"
#include "definition/testing.h"

namespace cloche::definition {
namespace {

using ::testing::ElementsAre;

// ---- the document's test vectors

struct Vector {
  std::string name;
  std::string definition;
  std::string canonical;
  std::string fingerprint;
};

// Under "## Test vectors": a "### name" and its three fenced blocks, in this order.
std::vector<Vector> documented_vectors() {
  std::ifstream stream(CLOCHE_SOURCE_DIR + "/docs/formats/fingerprint.md", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  std::vector<Vector> out;
  std::vector<std::string> blocks;
  bool inside = false;
  bool vectors = false;
  for (const std::string_view line : split_lines(text)) {
    if (!inside && line.starts_with("## ")) {
      vectors = line == "## Test vectors";
    } else if (!inside && vectors && line.starts_with("### ")) {
      out.push_back({std::string(line.substr(4)), "", "", ""});
      blocks.clear();
    } else if (line.starts_with("```")) {
      inside = !inside;
      blocks.resize(blocks.size() + (inside ? 1 : 0));
      if (!inside && vectors && blocks.size() == 3) {
        out.back().definition = trim(blocks[0]);
        out.back().canonical = trim(blocks[1]);
        out.back().fingerprint = trim(blocks[2]);
      }
    } else if (inside) {
      blocks.back().append(line).append("\n");
    }
  }
  return out;
}

TEST(Fingerprint, AgreesWithTheDocumentedVectors) {
  const std::vector<Vector> vectors = documented_vectors();
  ASSERT_GE(vectors.size(), 6U);
  for (const Vector& vector : vectors) {
    ASSERT_VALUE(json, parse_json(vector.definition, vector.name));
    ASSERT_VALUE(definition, definition_from_json(json));
    EXPECT_EQ(fingerprint_input(definition).canonical(), vector.canonical) << vector.name;
    EXPECT_EQ(Digest::of(vector.canonical).hex().substr(0, 32), vector.fingerprint) << vector.name;
    EXPECT_EQ(fingerprint(definition), vector.fingerprint) << vector.name;
  }
}

TEST(Fingerprint, NamesTheImage) {
  EXPECT_EQ(image_name("0123456789abcdef0123456789abcdef"),
            "cloche/cloche_0123456789abcdef0123456789abcdef");
}

// ---- what counts and what does not

Definition on_image(std::string image = "python:3.11") {
  Definition definition;
  definition.base = ImageBase{std::move(image), {}};
  return definition;
}

Definition example() {
  Definition definition = on_image();
  definition.conda.emplace();
  definition.conda->channels = {{"conda-forge", {}}, {"defaults", {}}};
  definition.conda->dependencies = {{"python=3.11", "", {}}, {"numpy=1.26", "", {}}};
  definition.pip = PipSection{
      {{PipLine::Kind::kRequirement, "torch==2.3", {}}, {PipLine::Kind::kRequirement, "tqdm", {}}}};
  definition.apt = AptSection{{{"git", {}}, {"curl", {}}}};
  return definition;
}

Definition context_of(const std::string& dockerfile, std::vector<ContextFile> files) {
  BuildContextBase context;
  context.dockerfile = dockerfile;
  context.files = std::move(files);
  context.files.push_back(
      {"Dockerfile", FileKind::kFile, 0644, dockerfile.size(), Digest::of(dockerfile), ""});
  std::ranges::sort(context.files, {}, &ContextFile::path);
  Definition definition;
  definition.base = std::move(context);
  return definition;
}

ContextFile file(const std::string& path, const std::string& content, std::uint32_t mode = 0644) {
  return {path, FileKind::kFile, mode, content.size(), Digest::of(content), ""};
}

TEST(Fingerprint, IgnoresWhatDoesNotDecideTheImage) {
  const std::string expected = fingerprint(example());
  const std::vector<std::function<void(Definition&)>> harmless = {
      [](Definition& d) { std::get<ImageBase>(d.base).at = {"x.yml", 1, 2}; },
      [](Definition& d) { d.conda->name = "other"; },
      [](Definition& d) { d.conda->dependencies[0].at = {"x.yml", 9, 9}; },
      [](Definition& d) { d.conda->variables["A"] = "1"; },
      [](Definition& d) { d.environment_variables["A"] = "1"; },
      [](Definition& d) { d.inference.emplace().scoring = InferenceRoute{"/", 80}; },
      [](Definition& d) { d.os_type = OsType::kWindows; },
      [](Definition& d) { d.azureml_v1 = Json::object().set("spark", 1); },
  };
  for (std::size_t i = 0; i < harmless.size(); ++i) {
    Definition definition = example();
    harmless[i](definition);
    EXPECT_EQ(fingerprint(definition), expected) << i;
  }
}

TEST(Fingerprint, ChangesWithEverythingThatDoes) {
  const std::vector<std::function<void(Definition&)>> harmful = {
      [](Definition&) {},
      [](Definition& d) { std::get<ImageBase>(d.base).reference = "python:3.12"; },
      [](Definition& d) { d.base = DockerfileBase{"FROM python:3.11\n", {}}; },
      [](Definition& d) { std::swap(d.conda->channels[0], d.conda->channels[1]); },
      [](Definition& d) { d.conda->channels.pop_back(); },
      [](Definition& d) { d.conda->nodefaults = true; },
      [](Definition& d) { d.conda->platforms = {"linux-64"}; },
      [](Definition& d) { d.conda->dependencies[1].text = "numpy=1.27"; },
      [](Definition& d) { d.conda->dependencies[1].selector = "linux"; },
      [](Definition& d) { d.conda->dependencies.push_back({"numpy=1.26", "", {}}); },
      [](Definition& d) { std::swap(d.conda->dependencies[0], d.conda->dependencies[1]); },
      [](Definition& d) { d.conda.reset(); },
      [](Definition& d) { std::swap(d.pip->lines[0], d.pip->lines[1]); },
      [](Definition& d) { d.pip->lines[1].text = "TQDM"; },
      [](Definition& d) { d.pip->lines[1].kind = PipLine::Kind::kConstraint; },
      [](Definition& d) { d.pip.reset(); },
      [](Definition& d) { std::swap(d.apt->packages[0], d.apt->packages[1]); },
      [](Definition& d) { d.apt->packages[1].text = "curl=8"; },
      [](Definition& d) { d.apt.reset(); },
  };
  std::set<std::string> seen;
  for (std::size_t i = 0; i < harmful.size(); ++i) {
    Definition definition = example();
    harmful[i](definition);
    EXPECT_TRUE(seen.insert(fingerprint(definition)).second) << i;
  }
}

TEST(Fingerprint, ReadsADockerfileByItsInstructions) {
  const auto of = [](const char* text) {
    Definition definition;
    definition.base = DockerfileBase{text, {}};
    return fingerprint(definition);
  };
  const std::string expected = of("FROM alpine\nRUN apk add git && ls\n");
  EXPECT_EQ(of("# a comment\r\nfrom alpine\r\n\r\nRUN apk add git && ls"), expected);
  EXPECT_NE(of("FROM alpine\nRUN apk add git && ls -l\n"), expected);
  EXPECT_NE(of("FROM alpine\nRUN apk add git\nRUN ls\n"), expected);
  EXPECT_NE(of("FROM alpine\nRUN [\"apk\", \"add\"]\n"), expected);
  EXPECT_NE(of("not a Dockerfile"), of("not a Dockerfile either"));
}

TEST(Fingerprint, CountsOnlyTheFilesThatAreCopied) {
  const std::string dockerfile = "FROM alpine\nCOPY src /src\n";
  const Definition before = context_of(dockerfile, {file("src/a", "1"), file("README", "x")});
  const auto differs = [&](std::vector<ContextFile> files) {
    return fingerprint(context_of(dockerfile, std::move(files))) != fingerprint(before);
  };
  EXPECT_FALSE(differs({file("src/a", "1"), file("README", "y")}));
  EXPECT_FALSE(differs({file("src/a", "1")}));
  EXPECT_TRUE(differs({file("src/a", "2"), file("README", "x")}));
  EXPECT_TRUE(differs({file("src/a", "1", 0755), file("README", "x")}));
  EXPECT_TRUE(differs({file("src/a", "1"), file("src/b", "1")}));
  EXPECT_TRUE(differs({file("src/b", "1")}));
  EXPECT_TRUE(differs({{"src/a", FileKind::kSymlink, 0777, 0, {}, "b"}}));
}

TEST(Fingerprint, OfADockerfileAloneIsThatOfAContextWithNothingToCopy) {
  Definition alone;
  alone.base = DockerfileBase{"FROM alpine\nRUN ls\n", {}};
  EXPECT_EQ(fingerprint(alone),
            fingerprint(context_of("FROM alpine\nRUN ls\n", {file("README", "x")})));
}

TEST(Fingerprint, KeepsVariablesThatMayHoldSecretsAsWritten) {
  Definition definition = on_image();
  definition.pip =
      PipSection{{{PipLine::Kind::kOption, "--index-url=https://${TOKEN}@example.org/simple", {}}}};
  EXPECT_THAT(fingerprint_input(definition).canonical(), ::testing::HasSubstr("${TOKEN}"));
}

TEST(SameDefinition, ComparesWhatAVersionKeeps) {
  const auto same = [](const std::function<void(Definition&)>& change) {
    Definition changed = example();
    change(changed);
    return same_definition(example(), changed);
  };
  EXPECT_TRUE(same([](Definition& d) { d.conda->name = "other"; }));
  EXPECT_TRUE(same([](Definition& d) { d.conda->channels[0].at = {"x", 1, 1}; }));
  EXPECT_FALSE(same([](Definition& d) { d.conda->variables["A"] = "1"; }));
  EXPECT_FALSE(same([](Definition& d) { d.environment_variables["A"] = "1"; }));
  EXPECT_FALSE(same([](Definition& d) { d.inference.emplace(); }));
  EXPECT_FALSE(same([](Definition& d) { d.os_type = OsType::kWindows; }));
  EXPECT_FALSE(same([](Definition& d) { d.pip->lines.pop_back(); }));
}

TEST(SameDefinition, ComparesEveryContextFileButTheCommentsOfTheDockerfile) {
  const Definition before = context_of("FROM alpine\nCOPY a /\n", {file("a", "1")});
  EXPECT_TRUE(
      same_definition(before, context_of("# hello\nFROM alpine\nCOPY a /\n", {file("a", "1")})));
  EXPECT_FALSE(same_definition(
      before, context_of("FROM alpine\nCOPY a /\n", {file("a", "1"), file("README", "x")})));
  EXPECT_FALSE(same_definition(context_of("FROM alpine\nCOPY . /\n", {}),
                               context_of("# hello\nFROM alpine\nCOPY . /\n", {})));
}

// ---- explaining

std::vector<std::string> explained(const Definition& before, const Definition& after) {
  std::vector<std::string> out;
  for (const InputDifference& one : explain_difference(before, after)) {
    out.push_back(one.input + ": " + one.before + " -> " + one.after);
  }
  return out;
}

TEST(ExplainDifference, NamesEachInput) {
  Definition after = example();
  std::get<ImageBase>(after.base).reference = "python:3.12";
  std::swap(after.conda->channels[0], after.conda->channels[1]);
  after.conda->dependencies.insert(after.conda->dependencies.begin(), {"pip", "", {}});
  after.conda->dependencies[2] = {"numpy=1.27", "linux", {}};
  after.pip->lines.pop_back();
  EXPECT_THAT(
      explained(example(), after),
      ElementsAre("base image: python:3.11 -> python:3.12",
                  "place of conda channel conda-forge: 1 -> 2", "conda package 1:  -> pip",
                  "conda package 3: numpy=1.26 -> numpy=1.27 [linux]", "pip line 2: tqdm -> "));
}

TEST(ExplainDifference, NamesStepsAndFiles) {
  const Definition before =
      context_of("FROM alpine\nCOPY . /\n", {file("a", "1"), file("b", "1"), file("d", "1")});
  Definition after = context_of("FROM alpine\nRUN ls\nCOPY . /\n",
                                {file("a", "1"), file("c", "1"), file("d", "1", 0755)});
  std::vector<std::string> inputs;
  for (const InputDifference& one : explain_difference(before, after)) {
    inputs.push_back(one.input);
  }
  EXPECT_THAT(inputs, ElementsAre("docker step 2", "context file Dockerfile", "context file b",
                                  "context file c", "context file d"));
}

// ---- properties

// Takes each part from one of the two, so that most parts are equal.
Definition mixed(const Definition& a, const Definition& b) {
  const auto coin = [] { return *rc::gen::weightedElement<bool>({{5, true}, {1, false}}); };
  Definition out = a;
  out.base = coin() ? a.base : b.base;
  out.conda = coin() ? a.conda : b.conda;
  if (out.conda && b.conda) {
    out.conda->channels = coin() ? out.conda->channels : b.conda->channels;
    out.conda->dependencies = coin() ? out.conda->dependencies : b.conda->dependencies;
    out.conda->platforms = coin() ? out.conda->platforms : b.conda->platforms;
    out.conda->nodefaults = coin() ? out.conda->nodefaults : b.conda->nodefaults;
    out.conda->variables = coin() ? out.conda->variables : b.conda->variables;
  }
  out.pip = coin() ? a.pip : b.pip;
  out.apt = coin() ? a.apt : b.apt;
  out.environment_variables = coin() ? a.environment_variables : b.environment_variables;
  out.inference = coin() ? a.inference : b.inference;
  out.os_type = coin() ? a.os_type : b.os_type;
  return out;
}

RC_GTEST_PROP(FingerprintProperty, IsExplainedExactlyWhereItDiffers, ()) {
  const Definition a = *any_definition();
  const Definition b = mixed(a, *any_definition());
  const bool equal = fingerprint(a) == fingerprint(b);
  RC_CLASSIFY(equal, "equal");
  RC_ASSERT(explain_difference(a, b).empty() == equal);
  RC_ASSERT(explain_difference(a, a).empty());
  RC_ASSERT(equal || !same_definition(a, b));
}

void forget_places(std::vector<Line>& lines) {
  for (Line& line : lines) {
    line.at = {};
  }
}

// Without the places and names that nothing should depend on.
Definition bare(Definition definition) {
  std::visit([](auto& base) { base.at = {}; }, definition.base);
  if (definition.conda) {
    definition.conda->name.clear();
    forget_places(definition.conda->channels);
    for (CondaDependency& one : definition.conda->dependencies) {
      one.at = {};
    }
  }
  if (definition.pip) {
    for (PipLine& line : definition.pip->lines) {
      line.at = {};
    }
  }
  if (definition.apt) {
    forget_places(definition.apt->packages);
  }
  return definition;
}

RC_GTEST_PROP(FingerprintProperty, IgnoresPlaces, ()) {
  const Definition definition = *any_definition();
  RC_ASSERT(fingerprint(bare(definition)) == fingerprint(definition));
  RC_ASSERT(same_definition(bare(definition), definition));
}

RC_GTEST_PROP(FingerprintProperty, SurvivesStorage, ()) {
  const Definition definition = *any_definition();
  const auto stored = definition_from_json(parse_json(to_json(definition).dump()).value());
  RC_ASSERT(fingerprint(*stored) == fingerprint(definition));
}

// Swaps two neighbours, changes, adds or removes one item. False where the list is too short.
template <class Item>
bool disturb(std::vector<Item>& items, std::string Item::* text) {
  const int way = *rc::gen::inRange(0, 4);
  if (way == 0 && items.size() >= 2) {
    const auto i = *rc::gen::inRange<std::size_t>(1, items.size());
    const bool differ = items[i - 1].*text != items[i].*text;
    std::swap(items[i - 1].*text, items[i].*text);
    return differ;
  }
  if (way == 1 && !items.empty()) {
    items[*rc::gen::inRange<std::size_t>(0, items.size())].*text += "1";
    return true;
  }
  if (way == 2 && !items.empty()) {
    items.pop_back();
    return true;
  }
  Item added;
  added.*text = "added";
  items.insert(items.begin() + *rc::gen::inRange<std::ptrdiff_t>(
                                   0, static_cast<std::ptrdiff_t>(items.size()) + 1),
               added);
  return true;
}

RC_GTEST_PROP(FingerprintProperty, ChangesWithEveryReorderedChangedAddedOrRemovedPackage, ()) {
  Definition before = *any_definition();
  before.conda = before.conda.value_or(CondaSection());
  before.pip = before.pip.value_or(PipSection());
  before.apt = before.apt.value_or(AptSection());
  Definition after = before;
  const std::vector<std::function<bool()>> ways = {
      [&] { return disturb(after.conda->channels, &Line::text); },
      [&] { return disturb(after.conda->dependencies, &CondaDependency::text); },
      [&] { return disturb(after.pip->lines, &PipLine::text); },
      [&] { return disturb(after.apt->packages, &Line::text); }};
  if (ways[*rc::gen::inRange<std::size_t>(0, ways.size())]()) {
    RC_ASSERT(fingerprint(before) != fingerprint(after));
    RC_ASSERT(!explain_difference(before, after).empty());
  }
}

// Cutting the same bytes into fields elsewhere gives another input, always.
RC_GTEST_PROP(FingerprintProperty, DoesNotCollideWhenTextMovesBetweenNeighbours, ()) {
  const std::string text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("ab\",[]{}:\n\\ \0\xff", 13)));
  std::set<std::string> seen;
  std::size_t made = 0;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string left = text.substr(0, cut);
    const std::string right = text.substr(cut);
    Definition two_packages = on_image();
    two_packages.apt = AptSection{{{left, {}}, {right, {}}}};
    Definition selector = on_image();
    selector.conda = CondaSection();
    selector.conda->dependencies = {{left, right, {}}};
    Definition sections = on_image(left);
    sections.pip = PipSection{{{PipLine::Kind::kRequirement, right, {}}}};
    Definition link = context_of("FROM a\nCOPY . /\n", {});
    std::get<BuildContextBase>(link.base).files.push_back(
        {left, FileKind::kSymlink, 0777, 0, {}, right});
    for (const Definition& one : {two_packages, selector, sections, link}) {
      seen.insert(fingerprint(one));
      ++made;
    }
  }
  RC_ASSERT(seen.size() == made);
}

}  // namespace
}  // namespace cloche::definition
