#include "runtime/gpus.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/text.h"

namespace cloche::runtime {
namespace {

constexpr std::string_view kGpuClass = "/gpu";
constexpr std::string_view kAll = "all";

std::vector<std::string> gpu_kinds(const CdiRegistry& registry) {
  std::vector<std::string> out = registry.kinds();
  std::erase_if(out, [](const std::string& one) { return !one.ends_with(kGpuClass); });
  return out;
}

Error no_gpus(const CdiRegistry& registry) {
  return fail(ErrorKind::kNotFound,
              "this machine has no GPU that containers can be given: no spec "
              "of the Container Device Interface names one")
      .with_hint(
          "let the driver's tool write one, for NVIDIA: nvidia-ctk cdi generate "
          "--output=/etc/cdi/nvidia.yaml; or run without --gpus")
      .with_details(registry.complaints());
}

Result<std::string> only_kind(const CdiRegistry& registry) {
  const std::vector<std::string> kinds = gpu_kinds(registry);
  if (kinds.empty()) {
    return no_gpus(registry);
  }
  if (kinds.size() > 1) {
    return fail(ErrorKind::kConflict, "this machine has several kinds of GPUs: {}",
                join(kinds, ", "))
        .with_hint(fmt::format("say which: --gpus {}=all", kinds.front()));
  }
  return kinds.front();
}

// The paths of a device's nodes: what tells GPUs apart.
std::set<std::string> nodes_of(const CdiDevice& device) {
  std::set<std::string> out;
  for (const CdiDeviceNode& one : device.edits.device_nodes) {
    out.insert(one.host_path.empty() ? one.path : one.host_path);
  }
  return out;
}

// By the name "all" where the vendor gave it, else every single one.
std::vector<std::string> all_of(const std::string& kind, const CdiRegistry& registry) {
  const std::string name = fmt::format("{}={}", kind, kAll);
  if (registry.find(name) != nullptr) {
    return {name};
  }
  std::vector<std::string> out = single_gpus(registry);
  std::erase_if(out, [&](const std::string& one) { return !one.starts_with(kind + "="); });
  return out.empty() ? registry.devices_of(kind) : out;  // conflicts are told by edits()
}

Error system_complaint(int number, const std::string& path, std::string_view what) {
  return fail(ErrorKind::kUnavailable, "the {} {} that the spec of a GPU names {}", what,
              printable(path), number == ENOENT ? "is not there" : "cannot be looked at")
      .with_hint(
          "the spec is of another driver or boot: let the driver's tool write it anew "
          "(nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml)");
}

Status complete(CdiDeviceNode& node) {
  if (node.type == "p" || (!node.type.empty() && node.major && node.minor)) {
    return {};
  }
  const std::string path = node.host_path.empty() ? node.path : node.host_path;
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    return system_complaint(errno, path, "device node");
  }
  const bool character = S_ISCHR(info.st_mode);
  const bool block = S_ISBLK(info.st_mode);
  if (!character && !block) {
    return fail(ErrorKind::kInvalid, "{}, which the spec of a GPU names, is no device node",
                printable(path));
  }
  node.type = character ? "c" : "b";
  node.major = static_cast<std::int64_t>(major(info.st_rdev));
  node.minor = static_cast<std::int64_t>(minor(info.st_rdev));
  constexpr std::uint32_t kPermissionBits = 0777;
  node.file_mode = node.file_mode.value_or(info.st_mode & kPermissionBits);
  return {};
}

bool is_bind(const CdiMount& one) { return one.type.empty() || one.type == "bind"; }

}  // namespace

Result<std::vector<std::string>> find_gpus(const std::vector<std::string>& asked,
                                           const CdiRegistry& registry) {
  std::vector<std::string> out;
  const auto take = [&](std::string_view word) -> Status {
    if (word == "none" || word.empty()) {
      return {};
    }
    const std::size_t equals = word.find('=');
    const std::string kind = equals != std::string_view::npos ? std::string(word.substr(0, equals))
                                                              : TRY(only_kind(registry));
    const std::string_view name = equals != std::string_view::npos ? word.substr(equals + 1) : word;
    const std::string qualified = fmt::format("{}={}", kind, name);
    if (!is_qualified_device(qualified)) {
      return fail(ErrorKind::kInvalid, "'{}' is no name of a GPU", printable(word))
          .with_hint("all, none, numbers such as 0,1, or vendor.com/gpu=NAME");
    }
    const std::vector<std::string> found =
        name == kAll ? all_of(kind, registry) : std::vector<std::string>{qualified};
    if (found.empty()) {
      return gpu_kinds(registry).empty() ? Status(no_gpus(registry))
                                         : Status(registry.edits({qualified}).error());
    }
    out.insert(out.end(), found.begin(), found.end());
    return {};
  };
  for (const std::string& one : asked) {
    for (const std::string_view word : split(one, ',')) {
      TRY(take(trim(word)));
    }
  }
  return out;
}

std::vector<std::string> single_gpus(const CdiRegistry& registry) {
  std::vector<std::string> out;
  for (const std::string& kind : gpu_kinds(registry)) {
    std::set<std::set<std::string>> seen;
    for (const std::string& name : registry.devices_of(kind)) {
      const CdiDevice* const device = registry.find(name);
      if (device != nullptr && device->name != kAll && seen.insert(nodes_of(*device)).second) {
        out.push_back(name);
      }
    }
  }
  return out;
}

Result<CdiEdits> gpu_edits(const std::vector<std::string>& qualified, const CdiRegistry& registry) {
  CdiEdits out = TRY(registry.edits(qualified));
  for (CdiDeviceNode& one : out.device_nodes) {
    TRY(complete(one));
  }
  for (const CdiMount& one : out.mounts) {
    struct stat info{};
    if (is_bind(one) && ::stat(one.host_path.c_str(), &info) != 0) {
      return system_complaint(errno, one.host_path, "file");
    }
  }
  for (const CdiHook& one : out.hooks) {
    struct stat info{};
    if (::stat(one.path.c_str(), &info) != 0) {
      return system_complaint(errno, one.path, "hook");
    }
  }
  return out;
}

}  // namespace cloche::runtime
