// What downloading costs besides the network: 36 packages of together 98 MB from this process, with
// their sha256 checked and written. Time and CPU are those of the thread that downloads.
#include <benchmark/benchmark.h>

#include "core/check.h"
#include "core/digest.h"
#include "io/http_testing.h"
#include "io/testing.h"
#include "source/conda/package_download.h"

namespace cloche::source {
namespace {

constexpr int kPackages = 36;
constexpr std::size_t kPackageBytes = std::size_t{98} * 1'000'000 / kPackages;

void thirty_six_packages(benchmark::State& state) {
  io::TestServer server;
  const Credentials credentials;
  Progress silent;
  std::vector<conda::PackageRecord> records;
  for (int i = 0; i < kPackages; ++i) {
    io::TestResource resource;
    resource.body = std::string(kPackageBytes, static_cast<char>('a' + i % 26));
    resource.body += std::to_string(i);
    conda::PackageRecord record;
    record.name = "p" + std::to_string(i);
    record.file_name = record.name + "-1-0.conda";
    record.url = server.url("/" + record.file_name);
    record.sha256 = Digest::of(resource.body).hex();
    record.size_bytes = resource.body.size();
    server.set("/" + record.file_name, std::move(resource));
    records.push_back(std::move(record));
  }
  io::HttpClient client;
  for (auto _ : state) {
    const io::TemporaryDirectory directory = io::test_directory();
    PackageCache cache(directory.path(), client, credentials);
    CHECK(cache.fetch(records, {}, {}, {}, silent).has_value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * kPackages *
                          static_cast<std::int64_t>(kPackageBytes));
}
BENCHMARK(thirty_six_packages)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cloche::source
