// An index of shards of conda-forge's size: what it costs before the first name is asked for.
#include <fstream>

#include <benchmark/benchmark.h>

#include "core/check.h"
#include "core/digest.h"
#include "io/testing.h"
#include "source/conda/msgpack_testing.h"
#include "source/conda/sharded_index.h"

namespace cloche::source {
namespace {

constexpr int kNames = 30'000;

void open_an_index(benchmark::State& state) {
  const io::TemporaryDirectory directory = io::test_directory();
  MsgpackWriter index;
  index.map(2).text("version").integer(1).text("shards").map(kNames);
  for (int i = 0; i < kNames; ++i) {
    const std::string name = "package-" + std::to_string(i);
    index.text(name).binary(raw_hash(Digest::of(name).hex()));
  }
  RepodataFile file;
  file.path = directory.path() + "/repodata_shards.msgpack.zst";
  file.url = "https://host/channel/linux-64/repodata_shards.msgpack.zst";
  std::ofstream(file.path, std::ios::binary) << index.zstd();
  io::HttpClient client;
  const Credentials credentials;
  for (auto _ : state) {
    CHECK(ShardedIndex::open(file, directory.path(), client, credentials).has_value());
  }
}
BENCHMARK(open_an_index)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cloche::source
