#include "jobs/machine.h"

#include <algorithm>
#include <array>
#include <fstream>

#include <sched.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "runtime/cdi_registry.h"
#include "runtime/gpus.h"

namespace cloche::jobs {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

Machine this_machine() {
  Machine out;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) {
    out.host = name.data();
  }
  out.boot_id = first_line("/proc/sys/kernel/random/boot_id");
  cpu_set_t set;
  CPU_ZERO(&set);
  const int cpus = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : ::get_nprocs();
  out.milli_cpus = std::int64_t{1000} * std::max(1, cpus);
  struct sysinfo info{};
  if (::sysinfo(&info) == 0) {
    out.memory_bytes = info.totalram * info.mem_unit;
  }
  using runtime::CdiRegistry;
  out.gpus = runtime::single_gpus(CdiRegistry::read(CdiRegistry::folders()));
  return out;
}

}  // namespace cloche::jobs
