// What it costs to find out that nothing has to be fetched: the target is under 2 ms of CPU.
#include <benchmark/benchmark.h>

#include "core/check.h"
#include "core/testing.h"
#include "io/http_testing.h"
#include "io/testing.h"
#include "source/conda/repodata_fetch.h"

namespace cloche::source {
namespace {

// Three channels, of each the platform and noarch; a new cache object and client each time, as a
// new process has them.
void everything_is_fresh(benchmark::State& state) {
  const io::TemporaryDirectory directory = io::test_directory();
  io::TestServer server;
  FakeClock clock;
  const Credentials credentials;
  Progress silent;
  std::vector<Channel> channels;
  for (const std::string name : {"/a", "/b", "/c"}) {
    const std::string url = server.url(name);
    channels.push_back({.name = name, .url = url, .mirrors = {url}, .subdirs = {}, .aliases = {}});
    for (const std::string subdir : {"/linux-64", "/noarch"}) {
      io::TestResource resource;
      resource.body = R"({"packages":{}})" + std::string(std::size_t{16} << 20U, ' ');
      resource.cache_control = "max-age=1200";
      server.set(name + subdir + "/repodata.json", std::move(resource));
    }
  }
  const std::vector<ChannelSubdir> subdirs = channel_subdirs(channels, "linux-64");
  const auto fetch = [&] {
    io::HttpClient client;
    RepodataCache cache(directory.path(), client, credentials, clock);
    Diagnostics diagnostics;
    CHECK(cache.fetch(subdirs, {}, {}, silent, diagnostics).has_value());
  };
  fetch();
  for (auto _ : state) {
    fetch();
  }
}
BENCHMARK(everything_is_fresh)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cloche::source
