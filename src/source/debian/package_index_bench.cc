// From a Packages file to an index. $CLOCHE_BENCH_INDEX names one, such as bookworm's main (50 MB).
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "io/disk_files.h"
#include "source/debian/package_index.h"

namespace cloche::source {
namespace {

void make_index(benchmark::State& state) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 30U;
  const char* const path = std::getenv("CLOCHE_BENCH_INDEX");  // NOLINT(concurrency-mt-unsafe)
  const auto text = io::DiskFiles().read(path == nullptr ? "" : path, kMaxBytes);
  if (!text) {
    state.SkipWithError("CLOCHE_BENCH_INDEX names no Packages file");
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(make_package_index(*text));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text->size()) * state.iterations());
}
BENCHMARK(make_index)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cloche::source
