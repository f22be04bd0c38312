// From a Packages file to an index. $CLOCHE_BENCH_INDEX names one, such as bookworm's main (50 MB);
// else one of that size is made up.
#include <cstdlib>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/digest.h"
#include "io/disk_files.h"
#include "source/debian/package_index.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30U;
constexpr std::size_t kPackages = 60'000;

// With the fields and lengths that Debian's have: 830 bytes a package.
std::string made_up_packages() {
  std::string out;
  for (std::size_t i = 0; i < kPackages; ++i) {
    const std::string hash = Digest::of(std::to_string(i)).hex();
    const auto name = [](std::size_t of) { return fmt::format("libpart{}-{}", of % 997, of); };
    out += fmt::format("Package: {}\nSource: part{} ({}.{}-1)\n", name(i), i % 997, i % 7, i % 41);
    out += fmt::format("Version: {}.{}-1+b{}\n", i % 7, i % 41, i % 3);
    out += fmt::format("Installed-Size: {}\n", 20 + i % 9000);
    out += "Maintainer: Debian Science Maintainers <debian-science@lists.debian.org>\n";
    out += fmt::format("Architecture: {}\n", i % 3 == 0 ? "all" : "amd64");
    out += fmt::format("Depends: libc6 (>= 2.{}), {} (= {}.{}-1), {} | {}, zlib1g (>= 1:1.1.4)\n",
                       i % 37, name(i / 2), i % 7, i % 41, name(i / 3), name(i / 5));
    out += fmt::format("Suggests: {}\n", name(i / 7));
    out += i % 4 == 0 ? fmt::format("Provides: virtual-{}\nMulti-Arch: same\n", i % 500) : "";
    out += "Description: a library of numbers, functions and what belongs to them\n";
    out += fmt::format("Homepage: https://www.example.org/part{}\n", i % 997);
    out += fmt::format("Description-md5: {}\n", hash.substr(0, 32));
    out += "Tag: devel::library, implemented-in::c++, role::shared-lib, field::mathematics\n";
    out += "Section: libs\nPriority: optional\n";
    out += fmt::format("Filename: pool/main/p/part{}/{}_{}.{}-1_amd64.deb\n", i % 997, name(i),
                       i % 7, i % 41);
    out += fmt::format("Size: {}\nMD5sum: {}\nSHA256: {}\n\n", 1000 + i, hash.substr(32), hash);
  }
  return out;
}

void make_index(benchmark::State& state) {
  const char* const path = std::getenv("CLOCHE_BENCH_INDEX");  // NOLINT(concurrency-mt-unsafe)
  const auto text = path == nullptr ? Result<std::string>(made_up_packages())
                                    : io::DiskFiles().read(path, kMaxBytes);
  if (!text) {
    state.SkipWithError("CLOCHE_BENCH_INDEX names no file that can be read");
    return;
  }
  for (auto _ : state) {
    const auto index = make_package_index(*text);
    if (!index) {
      state.SkipWithError(index.error().message.c_str());
      return;
    }
    benchmark::DoNotOptimize(index->data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text->size()) * state.iterations());
}
BENCHMARK(make_index)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cloche::source
