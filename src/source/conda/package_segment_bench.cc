// Packages to segments. The packages come from bench/make_conda_packages.py, into the directory
// that CLOCHE_BENCH_PACKAGES names; without it there is nothing to measure.
#include <algorithm>
#include <atomic>
#include <filesystem>

#include <benchmark/benchmark.h>

#include "blob/frame.h"
#include "blob/segment_store.h"
#include "io/system.h"
#include "io/temporary.h"
#include "source/conda/package_segment.h"

namespace cloche::source {
namespace {

struct Packages {
  std::vector<conda::PackageRecord> records;
  std::vector<std::string> archives;
};

Packages packages() {
  Packages all;
  const std::string folder = io::environment_variable("CLOCHE_BENCH_PACKAGES");
  std::vector<std::filesystem::path> paths;
  if (!folder.empty()) {
    for (const auto& one : std::filesystem::directory_iterator(folder)) {
      if (one.path().extension() == ".conda") {
        paths.push_back(one.path());
      }
    }
  }
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    const std::string name = path.filename().string();
    conda::PackageRecord& record = all.records.emplace_back();
    record.name = name.substr(0, name.find('-'));
    record.version = "1.0";
    record.build = "0";
    record.channel = "https://conda.anaconda.org/bench";
    record.subdir = "linux-64";
    record.file_name = name;
    record.size_bytes = std::filesystem::file_size(path);
    record.sha256 = Digest::of(name).hex();
    all.archives.push_back(path.string());
  }
  return all;
}

Result<PackageSegments> pack(const Packages& all, blob::SegmentStore& store, io::ThreadPool& pool,
                             blob::SegmentCompression compression) {
  Progress progress;
  return package_segments(
      all.records, {.compression = compression},
      [&](std::span<const std::size_t> wanted) -> Result<std::vector<std::string>> {
        std::vector<std::string> some;
        for (const std::size_t i : wanted) {
          some.push_back(all.archives[i]);
        }
        return some;
      },
      store, pool, progress);
}

constexpr auto kZstd = blob::SegmentCompression::kZstd;

// The arguments: threads besides the caller, compression.
void make_segments(benchmark::State& state) {
  const Packages all = packages();
  const io::TemporaryDirectory place =
      *io::TemporaryDirectory::create(io::environment_variable("CLOCHE_BENCH_STORE"));
  io::ThreadPool pool(static_cast<unsigned>(state.range(0)));
  std::uint64_t bytes = 0;
  std::uint64_t compressed = 0;
  int count = 0;
  for (auto _ : state) {
    blob::SegmentStore store(place.path() + "/" + std::to_string(count++));
    const auto packed =
        pack(all, store, pool, static_cast<blob::SegmentCompression>(state.range(1)));
    if (!packed) {
      state.SkipWithError(packed.error().message.c_str());
      return;
    }
    for (const PackageSegment& one : packed->segments) {
      bytes += one.segment.tar_bytes;
      compressed += one.segment.size_bytes;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["ratio"] = static_cast<double>(bytes) / static_cast<double>(compressed);
}
BENCHMARK(make_segments)
    ->Args({1, 0})
    ->Args({1, 1})
    ->Iterations(3)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// All found: what a second build pays.
void find_segments(benchmark::State& state) {
  const Packages all = packages();
  const io::TemporaryDirectory place = *io::TemporaryDirectory::create();
  io::ThreadPool pool(1);
  blob::SegmentStore store(place.path());
  if (const auto packed = pack(all, store, pool, kZstd); !packed) {
    state.SkipWithError(packed.error().message.c_str());
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(pack(all, store, pool, kZstd));
  }
}
BENCHMARK(find_segments)->UseRealTime()->Unit(benchmark::kMillisecond);

// The uncompressed segments, piece by piece.
std::vector<std::string> pieces_of(const Packages& all, blob::SegmentStore& store,
                                   std::vector<blob::Segment>& segments) {
  std::vector<std::string> pieces;
  io::ThreadPool pool(1);
  const auto packed = pack(all, store, pool, kZstd);
  if (!packed) {
    return pieces;
  }
  for (const PackageSegment& one : packed->segments) {
    segments.push_back(one.segment);
    const std::string blob = *store.blobs().read(one.segment.digest, std::size_t{1} << 30U);
    blob::FrameExpander expander(kZstd);
    for (std::string_view rest = blob; !rest.empty();) {
      pieces.emplace_back(*expander.expand(rest));
    }
  }
  return pieces;
}

// What nobody can do without: the same pieces compressed at the same level on two cores, thrown
// away.
void compress_only(benchmark::State& state) {
  const io::TemporaryDirectory place = *io::TemporaryDirectory::create();
  blob::SegmentStore store(place.path());
  std::vector<blob::Segment> segments;
  const std::vector<std::string> pieces = pieces_of(packages(), store, segments);
  const auto compression = static_cast<blob::SegmentCompression>(state.range(0));
  std::uint64_t bytes = 0;
  for (const std::string& piece : pieces) {
    bytes += piece.size();
  }
  io::ThreadPool pool(1);
  for (auto _ : state) {
    std::atomic<std::size_t> next = 0;
    const Status done = pool.run(2, [&](std::size_t) -> Status {
      blob::FrameCompressor compressor(compression);
      blob::FrameBuffer buffer;
      for (std::size_t i = next++; i < pieces.size(); i = next++) {
        benchmark::DoNotOptimize(TRY(compressor.compress(pieces[i], buffer)));
      }
      return {};
    });
    if (!done) {
      state.SkipWithError("failed");
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes * state.iterations()));
}
BENCHMARK(compress_only)
    ->Arg(0)
    ->Arg(1)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

// The disk: as many bytes as the segments have, in one file, synced.
void disk_write(benchmark::State& state) {
  const Packages all = packages();
  const io::TemporaryDirectory place =
      *io::TemporaryDirectory::create(io::environment_variable("CLOCHE_BENCH_STORE"));
  const std::string bytes(std::size_t{27} << 20U, 'x');
  int count = 0;
  for (auto _ : state) {
    auto file = *io::TemporaryFile::create(place.path());
    if (!file.write(bytes) ||
        !std::move(file).rename_to(place.path() + "/" + std::to_string(count++))) {
      state.SkipWithError("failed");
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size() * state.iterations()));
}
BENCHMARK(disk_write)->UseRealTime()->Iterations(3)->Unit(benchmark::kMillisecond);

// One layer out of everything: read, decompressed, hashed twice, written.
void put_layer(benchmark::State& state) {
  const io::TemporaryDirectory place = *io::TemporaryDirectory::create();
  blob::SegmentStore store(place.path());
  std::vector<blob::Segment> segments;
  std::uint64_t bytes = 0;
  for (const std::string& piece : pieces_of(packages(), store, segments)) {
    bytes += piece.size();
  }
  for (auto _ : state) {
    const blob::BlobStore target(place.path() + "/layout");
    std::filesystem::remove_all(target.root());
    benchmark::DoNotOptimize(store.put_layer(segments, target));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes * state.iterations()));
}
BENCHMARK(put_layer)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cloche::source
