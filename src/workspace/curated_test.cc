#include "workspace/curated.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "definition/asset_reference.h"
#include "definition/azureml_v2.h"
#include "definition/dockerfile.h"
#include "definition/fingerprint.h"
#include "definition/validate.h"
#include "workspace/embedded_files.h"

namespace cloche::workspace {
namespace {

TEST(Curated, EachFileReadsWithoutAWord) {
  MemoryFiles files;
  std::size_t count = 0;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.path.starts_with("curated/")) {
      continue;
    }
    ++count;
    Diagnostics diagnostics;
    const auto parsed =
        definition::parse_azureml_v2(file.content, std::string(file.path), files, {}, diagnostics);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().to_string();
    for (const Diagnostic& one : diagnostics.list()) {
      ADD_FAILURE() << one.to_string();
    }
    EXPECT_TRUE(definition::has_reserved_prefix(parsed->name)) << parsed->name;
    EXPECT_NE(parsed->description, "") << parsed->name;
    EXPECT_EQ(std::string(file.path),
              fmt::format("curated/{}{}.yaml", parsed->name,
                          parsed->version == "1" ? "" : "." + parsed->version));
  }
  EXPECT_EQ(count, curated_environments().size());
  EXPECT_GE(count, 5U);
}

TEST(Curated, EachNameAndVersionStandsOnce) {
  std::set<std::string> seen;
  for (const auto& one : curated_environments()) {
    EXPECT_TRUE(seen.insert(one.name + ":" + one.version).second) << one.name;
    EXPECT_FALSE(one.definition.user_managed()) << one.name;
  }
}

TEST(Curated, AVersionNeverChanges) {
  std::string text;
  for (const auto& one : curated_environments()) {
    text +=
        fmt::format("{}:{} {}\n", one.name, one.version, definition::fingerprint(one.definition));
  }
  // A difference here means: add a file with the next version instead (curated/README.md).
  expect_golden(CLOCHE_TESTDATA, "curated/fingerprints.txt", text);
}

TEST(Curated, IsFoundByNameAndVersion) {
  EXPECT_NE(find_curated("Cloche-sklearn-1", ""), nullptr);
  EXPECT_EQ(find_curated("Cloche-sklearn-1", "1"), find_curated("Cloche-sklearn-1", ""));
  EXPECT_EQ(find_curated("Cloche-sklearn-1", "0"), nullptr);
  EXPECT_EQ(find_curated("cloche-sklearn-1.5", ""), nullptr);
  EXPECT_TRUE(curated_versions("x").empty());
}

TEST(BaseImages, EachDockerfileParsesAndIsNotRoot) {
  std::size_t count = 0;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.path.starts_with("images/")) {
      continue;
    }
    ++count;
    Diagnostics diagnostics;
    const auto parsed =
        definition::parse_dockerfile(file.content, std::string(file.path), diagnostics);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().to_string();
    EXPECT_TRUE(diagnostics.empty()) << diagnostics.list().front().to_string();
    EXPECT_TRUE(std::ranges::any_of(parsed->instructions, [](const auto& one) {
      return one.kind == definition::InstructionKind::kUser;
    })) << file.path;
  }
  EXPECT_EQ(count, 2U);
}

}  // namespace
}  // namespace cloche::workspace
