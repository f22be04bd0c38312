// The root file system of a container: directories laid over each other by the kernel.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace cloche::runtime {

struct Overlay {
  std::vector<std::string> lower;  // the lowest first; at least one
  std::string upper;               // both are there, empty or of an earlier mount, and on one
  std::string work;                // file system
  bool in_user_namespace = false;  // attributes are user.overlay.*
};

inline constexpr std::size_t kMaxOverlayLayers = 500;  // the kernel's OVL_MAX_STACK

// Mounts it at `target`. The mount does not survive a crash of the machine ("volatile": nothing is
// synced). `scratch` is a directory of the caller's for short names, which older kernels need.
// Changes the current directory of the process. kInvalid: too many layers; kUnsupported: the kernel
// has no overlay file system, or does not take these directories; kPermission.
Status mount_overlay(const Overlay& overlay, const std::string& target, const std::string& scratch);

}  // namespace cloche::runtime
