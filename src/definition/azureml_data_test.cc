// The real files of shared/data: each environment and each job's `environment:` is read, or refused
// for a reason that is named here.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "core/text.h"
#include "definition/azureml_v2.h"

namespace cloche::definition {
namespace {

struct Sample {
  std::string source;
  std::string text;
};

std::vector<Sample> samples(const std::string& name) {
  std::vector<Sample> out;
  const std::string data = shared_data(CLOCHE_SOURCE_DIR, "definitions/" + name);
  for (const std::string_view line : split_lines(data)) {
    const auto json = parse_json(line);
    EXPECT_TRUE(json.has_value());
    out.push_back({(*json)["source"].as_string(), (*json)["text"].as_string()});
  }
  return out;
}

// Stand-ins for what the files name: their neighbours are not in the data.
void add_named_files(const YamlNode& environment, MemoryFiles& files) {
  if (const YamlNode* conda = environment.find("conda_file");
      conda != nullptr && conda->is_scalar()) {
    files.add(conda->text, "channels: [conda-forge]\ndependencies: [python=3.11]\n");
  }
  if (const YamlNode* build = environment.find("build"); build != nullptr) {
    if (const YamlNode* path = build->find("path")) {
      files.add(join_path(path->text, "Dockerfile"), "FROM python:3.11\n");
    }
  }
}

using Outcomes = std::map<std::string, int>;

TEST(AzuremlData, EveryEnvironmentIsReadOrRefusedForAReason) {
  const std::vector<Sample> all = samples("azureml_environment.jsonl");
  if (all.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  Outcomes outcomes;
  for (const Sample& sample : all) {
    const auto node = parse_yaml(sample.text, "env.yml");
    ASSERT_TRUE(node.has_value()) << sample.source;
    MemoryFiles files;
    files.add("env.yml", sample.text);
    add_named_files(*node, files);
    Diagnostics diagnostics;
    const auto environment = parse_azureml_v2(sample.text, "env.yml", files, {}, diagnostics);
    if (!environment.has_value()) {
      ++outcomes[environment.error().hint];
      EXPECT_GT(environment.error().at.line, 0) << sample.source;
      continue;
    }
    ++outcomes["read"];
    EXPECT_FALSE(environment->name.empty());
    EXPECT_TRUE(diagnostics.empty()) << diagnostics.list()[0].to_string();
  }
  EXPECT_EQ(outcomes, (Outcomes{{"read", 12},
                                {"<VERSION> is a placeholder of a template: put the real value "
                                 "there first",
                                 1}}));
}

TEST(AzuremlData, EveryJobsEnvironmentIsReadOrRefusedForAReason) {
  const std::vector<Sample> all = samples("azureml_job.jsonl");
  if (all.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  Outcomes outcomes;
  for (const Sample& sample : all) {
    const auto job = parse_yaml(sample.text, "job.yml");
    if (!job.has_value()) {
      ++outcomes[job.error().message];
      continue;
    }
    const YamlNode* environment = job->find("environment");
    ASSERT_NE(environment, nullptr) << sample.source;
    MemoryFiles files;
    add_named_files(*environment, files);
    Diagnostics diagnostics;
    const auto use = read_environment_use(*environment, "job.yml", files, {}, diagnostics);
    if (!use.has_value()) {
      ++outcomes[use.error().hint];
    } else if (const auto* reference = std::get_if<AssetReference>(&*use)) {
      ++outcomes[reference->registry.empty() ? "workspace reference" : "registry reference"];
    } else {
      const Base& base = std::get<Environment>(*use).definition.base;
      ++outcomes[std::holds_alternative<ImageBase>(base) ? "image" : "build context"];
      EXPECT_TRUE(diagnostics.empty()) << diagnostics.list()[0].to_string();
    }
  }
  EXPECT_EQ(outcomes,
            (Outcomes{{"workspace reference", 10},
                      {"registry reference", 13},
                      {"image", 12},
                      {"build context", 7},
                      {"< your environment name > is a placeholder of a template: put the real "
                       "value there first",
                       1}}));
}

}  // namespace
}  // namespace cloche::definition
