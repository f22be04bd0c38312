// Packages to files. The packages come from bench/make_conda_packages.py, into the directory that
// CLOCHE_BENCH_PACKAGES names; without it there is nothing to measure.
#include <algorithm>
#include <filesystem>

#include <benchmark/benchmark.h>

#include "core/testing.h"
#include "io/decompress.h"
#include "io/system.h"
#include "io/temporary.h"
#include "source/conda/package_files.h"
#include "source/conda/prefix_install.h"
#include "source/conda/prefix_replacement.h"

namespace cloche::source {
namespace {

std::vector<InstallPackage> packages() {
  std::vector<InstallPackage> all;
  const std::string folder = io::environment_variable("CLOCHE_BENCH_PACKAGES");
  if (folder.empty()) {
    return all;
  }
  for (const auto& one : std::filesystem::directory_iterator(folder)) {
    const std::string name = one.path().filename().string();
    if (one.path().extension() == ".conda") {
      InstallPackage package;
      package.record.name = name.substr(0, name.find('-'));
      package.record.version = "1.0";
      package.record.build = "0";
      package.record.channel = "https://conda.anaconda.org/bench";
      package.record.subdir = "linux-64";
      package.record.file_name = name;
      package.archive = one.path().string();
      all.push_back(std::move(package));
    }
  }
  std::ranges::sort(all, {}, &InstallPackage::archive);
  return all;
}

class NullSink : public FileSink {
 public:
  Status directory(const std::string&) override { return {}; }
  Status file(const File&) override { return {}; }
  Status content(std::string_view piece) override {
    bytes += piece.size();
    return {};
  }
  Status file_end(const std::string&) override { return {}; }
  Status symlink(const std::string&, const std::string&) override { return {}; }
  Status hardlink(const std::string&, const std::string&) override { return {}; }
  std::uint64_t bytes = 0;
};

// What nobody can do without: the packages decompressed.
void decompress_only(benchmark::State& state) {
  const std::vector<InstallPackage> all = packages();
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    for (const InstallPackage& one : all) {
      const PackageArchive archive = *PackageArchive::open(one.archive);
      EntryStream stream = *archive.contents();
      io::TarEntry entry;
      while (*stream.next(entry)) {
        bytes += entry.size_bytes;
      }
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(decompress_only)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

// Read, relocated, hashed and checked, and thrown away.
void deliver(benchmark::State& state) {
  const std::vector<InstallPackage> all = packages();
  const Placement placement = Placement::of("/opt/cloche/env", nullptr);
  NullSink sink;
  for (auto _ : state) {
    for (const InstallPackage& one : all) {
      PackageFiles files =
          *PackageFiles::open(*PackageArchive::open(one.archive), one.record, placement);
      if (!files.deliver(sink)) {
        state.SkipWithError("refused");
      }
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(sink.bytes));
}
BENCHMARK(deliver)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

// A whole environment on the disk, records and all. The argument: how many threads help.
void install(benchmark::State& state) {
  const std::vector<InstallPackage> all = packages();
  io::SystemClock clock;
  Progress progress;
  // Removed at the end only: ext4 searches long for inodes when many were just deleted.
  const io::TemporaryDirectory place = *io::TemporaryDirectory::create();
  int count = 0;
  io::ThreadPool pool(static_cast<unsigned>(state.range(0)));
  for (auto _ : state) {
    const auto report = install_prefix(
        all,
        {.prefix = place.path() + "/" + std::to_string(count++), .prefix_in_files = "/opt/cloche"},
        pool, clock, progress);
    if (!report) {
      state.SkipWithError(report.error().message.c_str());
    } else {
      state.counters["files"] = static_cast<double>(report->files);
      state.counters["bytes"] = static_cast<double>(report->bytes);
    }
  }
}
BENCHMARK(install)->Arg(0)->Arg(1)->Iterations(3)->MeasureProcessCPUTime()->UseRealTime()->Unit(
    benchmark::kMillisecond);

void replace_binary(benchmark::State& state) {
  const std::string placeholder = "/home/conda/feedstock_root/" + std::string(228, 'p');
  std::string content;
  while (content.size() < std::size_t{16} << 20U) {
    content += std::string(3000, '\0') + "some text/with slashes/" + std::string(900, 'x');
  }
  content.replace(1'000'000, placeholder.size(), placeholder);
  for (auto _ : state) {
    benchmark::DoNotOptimize(replace_prefix(FileMode::kBinary, content, placeholder, "/opt/env"));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * content.size()));
}
BENCHMARK(replace_binary)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cloche::source
