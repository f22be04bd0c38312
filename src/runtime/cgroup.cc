#include "runtime/cgroup.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/disk_files.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxText = std::size_t{1} << 20U;
constexpr std::array kLimiting = {"memory", "cpu", "pids"};

// Files of /proc and /sys have no size; a reader that asks for it first would find nothing.
std::string text_of(const std::string& path) {
  return io::DiskFiles().read(path, kMaxText).value_or("");
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  text = trim(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

// The number behind a word at the start of a line: "oom_kill 3".
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view word) {
  for (const std::string_view line : split_lines(text)) {
    if (line.starts_with(word) && line.size() > word.size() && line[word.size()] == ' ') {
      return number_in(line.substr(word.size()));
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> divided(std::optional<std::uint64_t> value, std::uint64_t by) {
  return value ? std::optional(*value / by) : std::nullopt;
}

bool writable(const std::string& path) { return ::access(path.c_str(), W_OK) == 0; }

std::set<std::string> words_of(std::string_view text) {
  const std::string plain = collapse_blanks(text);
  std::set<std::string> out;
  for (const std::string_view word : split(plain, ' ')) {
    out.emplace(word);
  }
  return out;
}

CgroupPlace place_v1(const CgroupHost& host, const std::string& id) {
  CgroupPlace out;
  for (const auto& [controller, folder] : host.folders) {
    if (!writable(folder)) {
      return {};  // engines make one in each hierarchy, or none
    }
  }
  for (const char* one : kLimiting) {
    if (host.folders.contains(one)) {
      out.controllers.emplace(one);
    }
  }
  out.path = "/cloche-" + id;
  const auto memory = host.folders.find("memory");
  out.limits_swap = memory != host.folders.end() &&
                    ::access((memory->second + "/memory.memsw.limit_in_bytes").c_str(), F_OK) == 0;
  return out;
}

// The highest cgroup above this process's that is ours to write and shares controllers: what
// systemd has delegated to the user, or the root.
CgroupPlace place_v2(const CgroupHost& host, const std::string& id) {
  const std::string& root = host.folders.at("");
  CgroupPlace out;
  for (std::string own = host.own;; own = parent_path(own)) {
    const std::string relative = own == "/" ? "" : own;
    const std::string folder = root + relative;
    if (!writable(folder) || !writable(folder + "/cgroup.procs")) {
      break;
    }
    const std::set<std::string> shared = words_of(text_of(folder + "/cgroup.subtree_control"));
    const std::set<std::string> there = words_of(text_of(folder + "/cgroup.controllers"));
    std::set<std::string> usable;
    for (const char* one : kLimiting) {
      // Root's cgroup may hold processes and share all the same.
      if (shared.contains(one) || (relative.empty() && there.contains(one))) {
        usable.emplace(one);
      }
    }
    if (!usable.empty()) {
      out.path = fmt::format("{}/cloche-{}", relative, id);
      out.controllers = std::move(usable);
      out.limits_swap = true;
    }
    if (relative.empty()) {
      break;
    }
  }
  return out;
}

std::string folder_v1(const CgroupHost& host, const std::string& controller,
                      const std::string& path) {
  const auto folder = host.folders.find(controller);
  return folder == host.folders.end() ? "" : folder->second + path;
}

CgroupUsage usage_v1(const CgroupHost& host, const std::string& path) {
  const std::string memory = folder_v1(host, "memory", path);
  const std::string cpu = folder_v1(host, "cpuacct", path);
  const std::string pids = folder_v1(host, "pids", path);
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  CgroupUsage out;
  out.peak_memory_bytes = number_in(text_of(memory + "/memory.max_usage_in_bytes"));
  out.cpu_user_ms = divided(number_in(text_of(cpu + "/cpuacct.usage_user")), kNsPerMs);
  out.cpu_system_ms = divided(number_in(text_of(cpu + "/cpuacct.usage_sys")), kNsPerMs);
  out.out_of_memory =
      number_after(text_of(memory + "/memory.oom_control"), "oom_kill").value_or(0) > 0;
  out.out_of_pids = number_after(text_of(pids + "/pids.events"), "max").value_or(0) > 0;
  return out;
}

CgroupUsage usage_v2(const CgroupHost& host, const std::string& path) {
  const std::string folder = host.folders.at("") + path;
  const std::string cpu = text_of(folder + "/cpu.stat");
  constexpr std::uint64_t kUsPerMs = 1000;
  CgroupUsage out;
  out.peak_memory_bytes = number_in(text_of(folder + "/memory.peak"));
  out.cpu_user_ms = divided(number_after(cpu, "user_usec"), kUsPerMs);
  out.cpu_system_ms = divided(number_after(cpu, "system_usec"), kUsPerMs);
  out.out_of_memory = number_after(text_of(folder + "/memory.events"), "oom_kill").value_or(0) > 0;
  out.out_of_pids = number_after(text_of(folder + "/pids.events"), "max").value_or(0) > 0;
  return out;
}

// With the groups that a process made inside it.
bool remove_folder(const std::string& folder) {
  constexpr int kTries = 50;
  constexpr std::chrono::milliseconds kPause{10};
  for (int i = 0; i < kTries; ++i) {
    if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) {
      return true;
    }
    if (errno != EBUSY && errno != ENOTEMPTY) {
      return false;
    }
    std::error_code ignored;
    for (const auto& one : std::filesystem::directory_iterator(folder, ignored)) {
      if (one.is_directory(ignored)) {
        ::rmdir(one.path().c_str());
      }
    }
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

}  // namespace

CgroupHost cgroup_host(std::string_view mountinfo, std::string_view own_cgroup) {
  CgroupHost out;
  std::string unified;
  for (const std::string_view line : split_lines(mountinfo)) {
    // proc_pid_mountinfo(5): "36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root
    // rw,errors=continue"
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) {
      continue;
    }
    const auto before = split(line.substr(0, dash), ' ');
    const auto after = split(line.substr(dash + 3), ' ');
    constexpr std::size_t kMountPoint = 4;
    if (before.size() <= kMountPoint || after.size() < 3) {
      continue;
    }
    const std::string folder(before[kMountPoint]);
    if (after[0] == "cgroup2") {
      unified = folder;
    } else if (after[0] == "cgroup") {
      for (const std::string_view option : split(after[2], ',')) {
        if (option != "rw" && option != "ro" && option != "relatime") {
          out.folders.emplace(option, folder);
        }
      }
    }
  }
  if (!out.folders.empty()) {
    out.version = 1;
    if (!unified.empty()) {
      out.folders.emplace("unified", unified);  // hybrid: engines make one there too
    }
    return out;
  }
  if (!unified.empty()) {
    out.version = 2;
    out.folders.emplace("", unified);
    for (const std::string_view line : split_lines(own_cgroup)) {
      if (line.starts_with("0::/")) {
        out.own = normal_path(line.substr(3));
      }
    }
  }
  return out;
}

CgroupHost cgroup_host() {
  return cgroup_host(text_of("/proc/self/mountinfo"), text_of("/proc/self/cgroup"));
}

CgroupPlace cgroup_place(const CgroupHost& host, const std::string& id) {
  switch (host.version) {
    case 1:
      return place_v1(host, id);
    case 2:
      return host.own.empty() ? CgroupPlace() : place_v2(host, id);
    default:
      return {};
  }
}

CgroupUsage cgroup_usage(const CgroupHost& host, const std::string& path) {
  switch (host.version) {
    case 1:
      return usage_v1(host, path);
    case 2:
      return usage_v2(host, path);
    default:
      return {};
  }
}

bool remove_cgroup(const CgroupHost& host, const std::string& path) {
  bool gone = true;
  for (const auto& [controller, folder] : host.folders) {
    gone = remove_folder(folder + path) && gone;
  }
  return gone;
}

}  // namespace cloche::runtime
