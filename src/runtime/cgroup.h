// Control groups (cgroups(7)): where a container's may be, what it counted, its removal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::runtime {

// How this host has them. v1: a hierarchy for each controller; v2: one for all ("unified"); hybrid:
// the controllers in v1, beside an empty v2. Hybrid is v1 here.
struct CgroupHost {
  int version = 0;  // 0: none
  // v1: controller -> its folder; v2: only "" -> the folder of all.
  std::map<std::string, std::string> folders;
  std::string own;  // of this process, in v2
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup.
CgroupHost cgroup_host(std::string_view mountinfo, std::string_view own_cgroup);
CgroupHost cgroup_host();

// Where a container of that id can have its cgroup: "cgroupsPath" for the engine.
struct CgroupPlace {
  std::string path;                   // "" : this user cannot make any
  std::set<std::string> controllers;  // of memory, cpu, pids
  bool limits_swap = false;
};
CgroupPlace cgroup_place(const CgroupHost& host, const std::string& id);

// What it counted, while it is there; nothing where it does not.
struct CgroupUsage {
  std::optional<std::uint64_t> peak_memory_bytes = {};
  std::optional<std::uint64_t> cpu_user_ms = {};
  std::optional<std::uint64_t> cpu_system_ms = {};
  bool out_of_memory = false;
  bool out_of_pids = false;
};
CgroupUsage cgroup_usage(const CgroupHost& host, const std::string& path);

// Removes it from every hierarchy, waiting a little for processes that are being killed. True when
// nothing of it is left.
bool remove_cgroup(const CgroupHost& host, const std::string& path);

}  // namespace cloche::runtime
