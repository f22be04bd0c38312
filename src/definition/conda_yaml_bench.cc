// Parsing environment.yml in-process: a small file as people write it, and one of 1,000 packages.
#include <string>

#include <benchmark/benchmark.h>

#include "core/testing.h"
#include "definition/conda_yaml.h"

namespace cloche::definition {
namespace {

std::string small_file() {
  return "name: train\n"
         "channels:\n"
         "  - conda-forge\n"
         "dependencies:\n"
         "  - python=3.11\n"
         "  - numpy>=1.26,<2\n"
         "  - pytorch=2.1.*=*cuda*\n"
         "  - cudatoolkit  # [linux]\n"
         "  - scikit-learn=1.4\n"
         "  - pip\n"
         "  - pip:\n"
         "      - azureml-mlflow==1.55.0\n"
         "      - datasets>=2.16\n"
         "variables:\n"
         "  TOKENIZERS_PARALLELISM: \"false\"\n";
}

std::string large_file() {
  std::string out = "name: all\nchannels:\n  - conda-forge\ndependencies:\n";
  for (int i = 0; i < 1000; ++i) {
    out += "  - package-" + std::to_string(i) + "=1." + std::to_string(i) + ".*=py311_" +
           std::to_string(i % 3) + "\n";
  }
  return out;
}

void parse(benchmark::State& state, const std::string& text) {
  MemoryFiles files;
  for (auto _ : state) {
    Diagnostics diagnostics;
    auto env = parse_conda_yaml(text, "environment.yml", files, {}, diagnostics);
    benchmark::DoNotOptimize(env);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void parse_conda_yaml_small(benchmark::State& state) { parse(state, small_file()); }
void parse_conda_yaml_1000_packages(benchmark::State& state) { parse(state, large_file()); }
BENCHMARK(parse_conda_yaml_small);
BENCHMARK(parse_conda_yaml_1000_packages);

}  // namespace
}  // namespace cloche::definition
