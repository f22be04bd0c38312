// The OCI runtime-spec's config.json of a container (runtime-spec 1.0.2, config.md,
// config-linux.md).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "runtime/cdi_spec.h"
#include "runtime/container_spec.h"

namespace cloche::runtime {

// What is known of the place a container is to run in.
struct BundlePlace {
  std::string id;
  std::string root;                          // the mounted root file system
  std::string init;                          // the program of init_program.h, on the host
  bool in_user_namespace = false;            // where we are root, of few users
  bool several_users = true;                 // more than one user and group is there
  std::string cgroup;                        // cgroupsPath; "": none can be had
  std::set<std::string> cgroup_controllers;  // that can limit: memory, cpu, pids
  bool cgroup_limits_swap = false;
  bool cgroup_namespace = false;  // cgroup v2
  bool ping_groups = false;       // the kernel has net.ipv4.ping_group_range
  std::vector<Mount> files;       // /etc/hosts, /etc/resolv.conf
  CdiEdits devices = {};          // of gpu_edits()
};

struct ProcessUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::string home;
};

// kInvalid: a path that is not absolute, leads into /proc or holds "..", a variable that is none,
// no command; kUnsupported: a limit that `place` cannot impose, with the reason.
Result<Json> bundle_config(const ContainerSpec& spec, const ProcessUser& user,
                           const BundlePlace& place);

}  // namespace cloche::runtime
