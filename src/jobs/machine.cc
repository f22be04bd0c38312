#include "jobs/machine.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <sched.h>
#include <sys/sysinfo.h>
#include <unistd.h>

namespace cloche::jobs {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// As the driver numbers them; /dev/nvidiactl and the like have other names.
int count_gpus() {
  int count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", error)) {
    const std::string name = entry.path().filename().string();
    constexpr std::string_view kStem = "nvidia";
    count += name.starts_with(kStem) && name.size() > kStem.size() &&
                     name.find_first_not_of("0123456789", kStem.size()) == std::string::npos
                 ? 1
                 : 0;
  }
  return count;
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
  out.gpus = count_gpus();
  return out;
}

}  // namespace cloche::jobs
