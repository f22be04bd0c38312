#include <string>

#include <benchmark/benchmark.h>

#include "core/testing.h"
#include "definition/azureml_hash.h"
#include "definition/azureml_v1.h"
#include "definition/azureml_v2.h"
#include "definition/fingerprint.h"

namespace cloche::definition {
namespace {

constexpr const char* kV2 =
    "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\n"
    "name: docker-image-plus-conda-example\nversion: 1.10\n"
    "image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04\nconda_file: conda.yml\n"
    "description: Environment created from a Docker image plus Conda environment.\n"
    "tags: {os: ubuntu, os_version: 20.04, cuda: 11.3, torch: \"1.11\"}\n";

std::string conda() {
  std::string out =
      "name: env\nchannels: [conda-forge]\ndependencies:\n- python=3.10\n- pip=24.0\n";
  for (int i = 0; i < 20; ++i) {
    out += "- package" + std::to_string(i) + "=1." + std::to_string(i) + "\n";
  }
  out += "- pip:\n";
  for (int i = 0; i < 20; ++i) {
    out += "  - wheel" + std::to_string(i) + "==2." + std::to_string(i) + "\n";
  }
  return out;
}

MemoryFiles project() {
  MemoryFiles files;
  files.add("env.yml", kV2).add("conda.yml", conda());
  Diagnostics diagnostics;
  const auto environment = parse_azureml_v2(kV2, "env.yml", files, {}, diagnostics);
  const auto written = write_azureml_v1(*environment);
  for (const auto& [name, content] : *written) {
    files.add("v1/" + name, content);
  }
  return files;
}

void parse_v2(benchmark::State& state) {
  MemoryFiles files = project();
  for (auto _ : state) {
    Diagnostics diagnostics;
    benchmark::DoNotOptimize(parse_azureml_v2(kV2, "env.yml", files, {}, diagnostics));
  }
}
BENCHMARK(parse_v2);

void parse_and_fingerprint_v2(benchmark::State& state) {
  MemoryFiles files = project();
  for (auto _ : state) {
    Diagnostics diagnostics;
    const auto environment = parse_azureml_v2(kV2, "env.yml", files, {}, diagnostics);
    benchmark::DoNotOptimize(fingerprint(environment->definition));
  }
}
BENCHMARK(parse_and_fingerprint_v2);

void parse_and_fingerprint_v1(benchmark::State& state) {
  MemoryFiles files = project();
  for (auto _ : state) {
    Diagnostics diagnostics;
    const auto environment = load_azureml_v1("v1", files, {}, diagnostics);
    benchmark::DoNotOptimize(fingerprint(environment->definition));
  }
}
BENCHMARK(parse_and_fingerprint_v1);

void anonymous_version(benchmark::State& state) {
  MemoryFiles files = project();
  const std::string text = conda();
  Environment environment;
  environment.definition.base = ImageBase{"python:3.11", {}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(azureml_anonymous_version(environment, text, files));
  }
}
BENCHMARK(anonymous_version);

}  // namespace
}  // namespace cloche::definition
