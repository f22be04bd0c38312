// What the workspace costs, and that the cost does not grow with what is registered.
// Populated workspaces stand in memory (/dev/shm) where there is one, so that the figures are the
// program's; registering is measured on the disk too, where syncing decides.
#include <map>
#include <memory>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/check.h"
#include "io/testing.h"
#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

definition::Environment nth_environment(std::int64_t n) {
  return conda_environment(fmt::format("environment-{:06}", n),
                           {"python=3.11", "numpy=1.26.4", "pandas=2.2.3", "scikit-learn=1.5.2",
                            fmt::format("package-{}=1.0", n)});
}

class Populated {
 public:
  explicit Populated(std::int64_t count) : directory_(io::test_directory()) {
    for (std::int64_t n = 0; n < count; ++n) {
      auto registered = workspace_.create(nth_environment(n));
      CHECK(registered.has_value());
      if (n == count / 2) {
        fingerprint_ = registered->entry.fingerprint;
        name_ = registered->entry.environment.name;
      }
    }
  }

  Workspace& workspace() { return workspace_; }
  const std::string& directory() const { return directory_.path(); }
  const std::string& fingerprint() const { return fingerprint_; }
  const std::string& name() const { return name_; }

 private:
  io::TemporaryDirectory directory_;
  Workspace workspace_ = std::move(*Workspace::open({.directory = directory_.path()}));
  std::string fingerprint_;
  std::string name_;
};

Populated& populated(std::int64_t count) {
  static std::map<std::int64_t, std::unique_ptr<Populated>> made;
  auto& one = made[count];
  if (one == nullptr) {
    one = std::make_unique<Populated>(count);
  }
  return *one;
}

void register_each(benchmark::State& state, io::TemporaryDirectory directory) {
  auto workspace = std::move(*Workspace::open({.directory = directory.path()}));
  std::int64_t n = 0;
  for (auto _ : state) {
    CHECK(workspace.create(nth_environment(n++)).has_value());
  }
  state.SetItemsProcessed(n);
}

void Register10000InMemory(benchmark::State& state) { register_each(state, io::test_directory()); }
BENCHMARK(Register10000InMemory)->Iterations(10'000)->Unit(benchmark::kMicrosecond);

void Register10000OnDisk(benchmark::State& state) {
  register_each(state, std::move(*io::TemporaryDirectory::create(".")));
}
BENCHMARK(Register10000OnDisk)->Iterations(10'000)->Unit(benchmark::kMicrosecond)->UseRealTime();

void RegisterTheSameAgain(benchmark::State& state) {
  Populated& one = populated(state.range(0));
  const auto environment = nth_environment(state.range(0) / 2);
  for (auto _ : state) {
    CHECK(!one.workspace().create(environment)->created);
  }
}
BENCHMARK(RegisterTheSameAgain)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void LookUpByFingerprint(benchmark::State& state) {
  Populated& one = populated(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(one.workspace().find_by_fingerprint(one.fingerprint()));
  }
}
BENCHMARK(LookUpByFingerprint)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Unit(benchmark::kMicrosecond);

void Show(benchmark::State& state) {
  Populated& one = populated(state.range(0));
  const auto reference = ref(one.name());
  for (auto _ : state) {
    benchmark::DoNotOptimize(one.workspace().get(reference));
  }
}
BENCHMARK(Show)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

// What one process does: open, look up, close.
void OpenAndShow(benchmark::State& state) {
  Populated& one = populated(state.range(0));
  const auto reference = ref(one.name());
  for (auto _ : state) {
    auto workspace = Workspace::open({.directory = one.directory()});
    benchmark::DoNotOptimize(workspace->get(reference));
  }
}
BENCHMARK(OpenAndShow)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void ListOnePageOf50(benchmark::State& state) {
  Populated& one = populated(state.range(0));
  const ListOptions options{.tag = "", .after_name = one.name(), .limit = 50};
  for (auto _ : state) {
    benchmark::DoNotOptimize(one.workspace().list(options));
  }
}
BENCHMARK(ListOnePageOf50)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void ListAll(benchmark::State& state) {
  Populated& one = populated(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(one.workspace().list({}));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ListAll)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cloche::workspace
