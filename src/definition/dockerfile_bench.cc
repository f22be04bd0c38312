// How fast Dockerfiles and contexts are read. Bytes a second are of the text.
#include <string>

#include <benchmark/benchmark.h>

#include "definition/build_context.h"
#include "definition/dockerfile.h"
#include "definition/dockerignore.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kStage =
    R"(FROM mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04 AS stage
ENV CONDA_PREFIX=/azureml-envs/env \
    PATH="/azureml-envs/env/bin:$PATH"
# the compilers that the extensions need
RUN apt-get update && apt-get install -y --no-install-recommends \
      build-essential \
      # for the client
      curl git \
    && rm -rf /var/lib/apt/lists/*
COPY --chown=1000:1000 requirements.txt environment.yml /tmp/
RUN --mount=type=cache,target=/root/.cache pip install -r /tmp/requirements.txt
RUN <<EOT
set -e
conda env create -p $CONDA_PREFIX -f /tmp/environment.yml
EOT
LABEL org.opencontainers.image.title="an image" version=1
CMD ["python", "-m", "server"]
)";

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

void set_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void parse(benchmark::State& state) {
  const std::string text = repeated(kStage, static_cast<std::size_t>(state.range(0)));
  for ([[maybe_unused]] auto round : state) {
    Diagnostics diagnostics;
    benchmark::DoNotOptimize(parse_dockerfile(text, "Dockerfile", diagnostics));
  }
  set_bytes(state, text.size());
}
BENCHMARK(parse)->Arg(1)->Arg(10)->Arg(1'000);

void parse_and_canonical(benchmark::State& state) {
  const std::string text = repeated(kStage, 10);
  for ([[maybe_unused]] auto round : state) {
    Diagnostics diagnostics;
    auto dockerfile = parse_dockerfile(text, "Dockerfile", diagnostics);
    for (const Instruction& instruction : dockerfile->instructions) {
      benchmark::DoNotOptimize(instruction.canonical());
    }
  }
  set_bytes(state, text.size());
}
BENCHMARK(parse_and_canonical);

void refuse_garbage(benchmark::State& state) {
  const std::string text = repeated("\x01garbage \\\n", std::size_t{95'000});
  for ([[maybe_unused]] auto round : state) {
    Diagnostics diagnostics;
    benchmark::DoNotOptimize(parse_dockerfile(text, "Dockerfile", diagnostics));
  }
  set_bytes(state, text.size());
}
BENCHMARK(refuse_garbage);

void expand(benchmark::State& state) {
  const Variables variables = {{"PATH", "/usr/local/bin:/usr/bin"}, {"TAG", "3.12"}};
  for ([[maybe_unused]] auto round : state) {
    benchmark::DoNotOptimize(expand_word("\"/opt/${TAG:-3.11}/bin:${PATH##*:}\"", variables));
  }
}
BENCHMARK(expand);

void ignore_paths(benchmark::State& state) {
  const auto patterns =
      Dockerignore::parse(".git\n**/__pycache__\n**/*.pyc\ndata/*\n!data/small\nnode_modules\n");
  for ([[maybe_unused]] auto round : state) {
    benchmark::DoNotOptimize(patterns->ignores("src/package/module/sub/file_name.py"));
  }
}
BENCHMARK(ignore_paths);

void find_copied_files(benchmark::State& state) {
  BuildContextBase context;
  context.dockerfile = "FROM x\nCOPY src/*.py requirements.txt /app/\nCOPY data /data\n";
  for (int i = 0; i < 10'000; ++i) {
    ContextFile file;
    file.path = "src/package" + std::to_string(i % 100) + "/module" + std::to_string(i) + ".py";
    context.files.push_back(file);
  }
  for ([[maybe_unused]] auto round : state) {
    benchmark::DoNotOptimize(copied_files(context));
  }
}
BENCHMARK(find_copied_files);

}  // namespace
}  // namespace cloche::definition
