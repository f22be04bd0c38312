#include <string>

#include <benchmark/benchmark.h>

#include "core/testing.h"
#include "definition/requirements_txt.h"

namespace cloche::definition {
namespace {

// A file as people have it: mostly pins, some markers, extras, comments and options.
std::string typical_file(int lines) {
  std::string out = "--extra-index-url https://download.pytorch.org/whl/cu121\n";
  for (int i = 0; i < lines; ++i) {
    const std::string name = "package-" + std::to_string(i);
    switch (i % 8) {
      case 0:
        out += "# group " + name + "\n" + name + "[extra,more]>=1.2,<2\n";
        break;
      case 1:
        out += name + "==1.2.3 ; python_version < \"3.12\" and sys_platform == \"linux\"\n";
        break;
      default:
        out += name + "==" + std::to_string(i) + ".4.1\n";
    }
  }
  return out;
}

// With two hashes on each requirement, as pip-compile writes it.
std::string hashed_file(int lines) {
  const std::string hash(64, 'a');
  std::string out;
  for (int i = 0; i < lines; ++i) {
    out += "package-" + std::to_string(i) + "==1.2.3 \\\n    --hash=sha256:" + hash +
           " \\\n    --hash=sha256:" + hash + "\n    # via something\n";
  }
  return out;
}

void parse(benchmark::State& state, const std::string& text) {
  MemoryFiles files;
  for (auto _ : state) {
    Diagnostics diagnostics;
    benchmark::DoNotOptimize(parse_requirements_txt(text, "requirements.txt", files, diagnostics));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void BM_ParseRequirementsTxt(benchmark::State& state) {
  parse(state, typical_file(static_cast<int>(state.range(0))));
}
BENCHMARK(BM_ParseRequirementsTxt)->Arg(20)->Arg(200)->Arg(5000);

void BM_ParseHashedRequirementsTxt(benchmark::State& state) {
  parse(state, hashed_file(static_cast<int>(state.range(0))));
}
BENCHMARK(BM_ParseHashedRequirementsTxt)->Arg(200);

}  // namespace
}  // namespace cloche::definition
