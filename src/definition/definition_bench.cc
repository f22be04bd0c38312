// From text to fingerprint in each format: what every command that takes a file does first.
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "core/testing.h"
#include "definition/definition_json.h"
#include "definition/fingerprint.h"
#include "definition/load.h"

namespace cloche::definition {
namespace {

// As large as real files get: 60 conda and 60 pip packages.
constexpr int kPackages = 60;

std::string conda_text() {
  std::string text = "name: training\nchannels:\n  - conda-forge\n  - defaults\ndependencies:\n";
  for (int i = 0; i < kPackages; ++i) {
    text += "  - package-" + std::to_string(i) + ">=1." + std::to_string(i) + ",<3  # why\n";
  }
  text += "  - pip:\n";
  for (int i = 0; i < kPackages; ++i) {
    text += "      - library-" + std::to_string(i) + "==2." + std::to_string(i) + "\n";
  }
  return text;
}

std::string requirements_text() {
  std::string text = "--index-url https://example.org/simple\n";
  for (int i = 0; i < kPackages; ++i) {
    text += "library-" + std::to_string(i) + "[extra]==2." + std::to_string(i) +
            " ; python_version >= '3.9'  # why\n";
  }
  return text;
}

std::string dockerfile_text(std::string_view steps) {
  std::string text = "FROM python:3.11-slim\n";
  for (int i = 0; i < 40; ++i) {
    text += "RUN apt-get update && \\\n    # a comment\n    apt-get install -y tool-" +
            std::to_string(i) + "\nENV A=" + std::to_string(i) + " B=\"two words\"\n";
  }
  return text.append(steps);
}

void add_context(MemoryFiles& files, int count) {
  files.add("context/Dockerfile", dockerfile_text("COPY . /app\n"));
  files.add("context/.dockerignore", "*.pyc\n**/__pycache__\n!keep.pyc\n");
  for (int i = 0; i < count; ++i) {
    files.add("context/src/" + std::to_string(i % 20) + "/file-" + std::to_string(i) + ".py",
              "print(" + std::to_string(i) + ")\n");
  }
}

MemoryFiles all_files() {
  MemoryFiles files;
  files.add("environment.yml", conda_text());
  files.add("requirements.txt", requirements_text());
  files.add("v2.yml",
            "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\n"
            "name: training\nversion: 3\nimage: python:3.11-slim\nconda_file: environment.yml\n"
            "tags: {team: vision}\napt: [git, curl]\n");
  files.add("v1/azureml_environment.json",
            R"({"name": "training", "version": null, "environmentVariables": {"A": "1"},)"
            R"( "python": {"userManagedDependencies": false},)"
            R"( "docker": {"baseImage": "python:3.11-slim", "arguments": []}})");
  files.add("v1/conda_dependencies.yml", conda_text());
  files.add("Dockerfile", dockerfile_text(""));
  add_context(files, 1000);
  return files;
}

Definition loaded(const std::string& path) {
  MemoryFiles files = all_files();
  LoadRequest request;
  request.file = path;
  return load(request, files, ReadOptions()).value().environment.definition;
}

void parse(benchmark::State& state, const std::string& path) {
  MemoryFiles files = all_files();
  LoadRequest request;
  request.file = path;
  for (auto _ : state) {
    benchmark::DoNotOptimize(load(request, files, ReadOptions()).value());
  }
}

void hash(benchmark::State& state, const std::string& path) {
  const Definition definition = loaded(path);
  for (auto _ : state) {
    benchmark::DoNotOptimize(fingerprint(definition));
  }
}

void store(benchmark::State& state, const std::string& path) {
  const Definition definition = loaded(path);
  for (auto _ : state) {
    benchmark::DoNotOptimize(to_json(definition).dump());
  }
}

void restore(benchmark::State& state, const std::string& path) {
  const std::string text = to_json(loaded(path)).dump();
  for (auto _ : state) {
    benchmark::DoNotOptimize(definition_from_json(parse_json(text).value()).value());
  }
}

// NOLINTNEXTLINE(bugprone-macro-parentheses): names of captures
#define FORMAT_BENCHMARKS(NAME, PATH)                                  \
  BENCHMARK_CAPTURE(parse, NAME, PATH)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(hash, NAME, PATH)->Unit(benchmark::kMicrosecond)

FORMAT_BENCHMARKS(conda, "environment.yml");
FORMAT_BENCHMARKS(requirements, "requirements.txt");
FORMAT_BENCHMARKS(azureml_v2, "v2.yml");
FORMAT_BENCHMARKS(azureml_v1, "v1");
FORMAT_BENCHMARKS(dockerfile, "Dockerfile");
FORMAT_BENCHMARKS(context_of_1000_files, "context");
BENCHMARK_CAPTURE(store, azureml_v2, "v2.yml")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(restore, azureml_v2, "v2.yml")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(store, context_of_1000_files, "context")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(restore, context_of_1000_files, "context")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cloche::definition
