#include "runtime/bundle.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "runtime/cdi_bundle.h"
#include "runtime/init_report.h"
#include "runtime/seccomp.h"

// The defaults are those of the container engines (moby's oci/defaults.go, containers-common), but
// for capabilities: of theirs, NET_RAW, MKNOD and AUDIT_WRITE are left out, which training needs
// not.

namespace cloche::runtime {
namespace {

constexpr std::array kCapabilities = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",    "CAP_SETGID",           "CAP_SETUID",    "CAP_SETPCAP",
    "CAP_SETFCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"};

constexpr std::array kMaskedPaths = {"/proc/acpi",
                                     "/proc/asound",
                                     "/proc/interrupts",
                                     "/proc/kcore",
                                     "/proc/keys",
                                     "/proc/latency_stats",
                                     "/proc/sched_debug",
                                     "/proc/scsi",
                                     "/proc/timer_list",
                                     "/proc/timer_stats",
                                     "/sys/devices/virtual/powercap",
                                     "/sys/firmware"};

constexpr std::array kReadonlyPaths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                       "/proc/sysrq-trigger"};

Json strings(const auto& values) {
  Json out = Json::array();
  for (const auto& one : values) {
    out.push(Json(one));
  }
  return out;
}

Json mount(std::string_view target, std::string_view type, std::string_view source,
           const std::vector<std::string>& options) {
  return Json::object()
      .set("destination", target)
      .set("type", type)
      .set("source", source)
      .set("options", strings(options));
}

// No file of the host is reached by way of descriptors that somebody left open (CVE-2024-21626),
// nor by names that lead elsewhere than they seem to.
Status check_inside_path(const std::string& path, std::string_view what) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, "the {} {} {}", what, printable(path), why);
  };
  if (path.empty() || path.front() != '/') {
    return refuse("is not absolute");
  }
  if (path.find('\0') != std::string::npos) {
    return refuse("holds a NUL byte");
  }
  const std::string plain = normal_path(path);
  for (const std::string_view part : split(path, '/')) {
    if (part == "..") {
      return refuse("holds '..'");
    }
  }
  for (const std::string_view forbidden : {"/proc", "/sys"}) {
    if (plain == forbidden || plain.starts_with(std::string(forbidden) + "/")) {
      return refuse("lies in a file system of the kernel");
    }
  }
  return {};
}

Status check(const ContainerSpec& spec) {
  if (spec.args.empty() || spec.args.front().empty()) {
    return fail(ErrorKind::kInvalid, "there is no command to run");
  }
  for (const std::string& one : spec.args) {
    if (one.find('\0') != std::string::npos) {
      return fail(ErrorKind::kInvalid, "an argument of the command holds a NUL byte");
    }
  }
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos ||
        value.find('\0') != std::string::npos) {
      return fail(ErrorKind::kInvalid, "'{}' is no name of a variable", printable(name));
    }
  }
  TRY(check_inside_path(spec.cwd, "working directory"));
  for (const Mount& one : spec.mounts) {
    TRY(check_inside_path(one.target, "target of a mount"));
    if (normal_path(one.target) == "/") {
      return fail(ErrorKind::kInvalid, "nothing can be mounted at / of a container");
    }
    if (one.source.empty() || one.source.front() != '/') {
      return fail(ErrorKind::kInvalid, "the source of a mount, {}, is not absolute",
                  printable(one.source));
    }
  }
  return {};
}

Json process(const ContainerSpec& spec, const ProcessUser& user, const BundlePlace& place) {
  std::map<std::string, std::string> variables = spec.env;
  for (const std::string& one : place.devices.env) {
    const std::size_t equals = one.find('=');
    variables[one.substr(0, equals)] = one.substr(equals + 1);
  }
  if (!user.home.empty()) {
    variables.try_emplace("HOME", user.home);
  }
  Json env = Json::array();
  for (const auto& [name, value] : variables) {
    env.push(fmt::format("{}={}", name, value));
  }
  std::vector<std::string> names(kCapabilities.begin(), kCapabilities.end());
  for (const std::string& one : spec.capabilities) {
    if (std::ranges::find(names, one) == names.end()) {
      names.push_back(one);
    }
  }
  // Of a user who is not root, only the bounding set: nothing can be regained.
  const Json all = strings(names);
  const Json own = user.uid == 0 ? all : Json::array();
  Json who = Json::object().set("uid", std::int64_t{user.uid}).set("gid", std::int64_t{user.gid});
  Json groups = Json::array();
  for (const std::uint32_t one : user.groups) {
    groups.push(std::int64_t{one});
  }
  if (place.several_users) {  // else the caller's own groups stay
    for (const std::uint32_t one : place.devices.additional_gids) {
      groups.push(std::int64_t{one});
    }
  }
  if (!groups.items().empty()) {
    who.set("additionalGids", std::move(groups));
  }
  std::vector<std::string> args = {kInitPath, spec.terminal ? "terminal" : "streams"};
  args.insert(args.end(), spec.args.begin(), spec.args.end());
  Json out = Json::object();
  if (spec.terminal && spec.terminal_rows > 0 && spec.terminal_columns > 0) {
    out.set("consoleSize", Json::object()
                               .set("height", std::int64_t{spec.terminal_rows})
                               .set("width", std::int64_t{spec.terminal_columns}));
  }
  return out.set("terminal", spec.terminal)
      .set("user", std::move(who))
      .set("args", strings(args))
      .set("env", std::move(env))
      .set("cwd", spec.cwd)
      .set("capabilities", Json::object()
                               .set("bounding", all)
                               .set("effective", own)
                               .set("permitted", own)
                               .set("inheritable", Json::array())
                               .set("ambient", Json::array()))
      .set("noNewPrivileges", true)
      .set("oomScoreAdj", 0);
}

Json mounts(const ContainerSpec& spec, const BundlePlace& place) {
  Json out = Json::array();
  out.push(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  out.push(mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  std::vector<std::string> terminals = {"nosuid", "noexec", "newinstance", "ptmxmode=0666",
                                        "mode=0620"};
  if (place.several_users) {
    terminals.emplace_back("gid=5");
  }
  out.push(mount("/dev/pts", "devpts", "devpts", terminals));
  out.push(
      mount("/dev/shm", "tmpfs", "shm",
            {"nosuid", "noexec", "nodev", "mode=1777", fmt::format("size={}", spec.shm_bytes)}));
  out.push(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  if (place.in_user_namespace && spec.network == Network::kHost) {
    // The host's network is not this user namespace's, so no sysfs of its own is allowed.
    out.push(mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}));
  } else {
    out.push(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  }
  out.push(mount(kInitPath, "bind", place.init, {"bind", "rprivate", "nosuid", "nodev", "ro"}));
  if (spec.read_only) {
    for (const char* folder : {"/tmp", "/run"}) {
      out.push(mount(folder, "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"}));
    }
  }
  const auto bind = [&](const Mount& one) {
    std::vector<std::string> options = {"rbind", "rprivate", "nosuid", "nodev"};
    options.emplace_back(one.read_only ? "ro" : "rw");
    out.push(mount(one.target, "bind", one.source, options));
  };
  for (const CdiMount& one : place.devices.mounts) {
    out.push(cdi_mount(one));
  }
  std::ranges::for_each(place.files, bind);
  std::ranges::for_each(spec.mounts, bind);
  return out;
}

Error cannot_limit(std::string_view what, const BundlePlace& place) {
  return fail(ErrorKind::kUnsupported, "the {} of a container cannot be limited here: {}", what,
              place.cgroup.empty() ? "no cgroup can be written by this user"
                                   : "its cgroup has no such controller")
      .with_hint("run as root, or let systemd delegate the controller to this user (Delegate=yes)");
}

Result<Json> resources(const ContainerSpec& spec, const BundlePlace& place) {
  const auto can = [&](std::string_view controller) {
    return !place.cgroup.empty() && place.cgroup_controllers.contains(std::string(controller));
  };
  Json out = Json::object();
  if (!place.in_user_namespace) {
    // The devices that engines allow are added by runc and crun themselves.
    out.set("devices", Json::array().push(Json::object().set("allow", false).set("access", "rwm")));
  }
  if (spec.limits.memory_bytes) {
    if (!can("memory")) {
      return cannot_limit("memory", place);
    }
    const auto bytes = static_cast<std::int64_t>(*spec.limits.memory_bytes);
    Json memory = Json::object().set("limit", bytes);
    if (place.cgroup_limits_swap) {
      memory.set("swap", bytes);
    }
    out.set("memory", std::move(memory));
  }
  if (spec.limits.cpu_millis) {
    if (!can("cpu")) {
      return cannot_limit("processor time", place);
    }
    constexpr std::int64_t kPeriodUs = 100'000;
    const auto millis = static_cast<std::int64_t>(*spec.limits.cpu_millis);
    out.set("cpu", Json::object().set("period", kPeriodUs).set("quota", millis * kPeriodUs / 1000));
  }
  if (spec.limits.pids && !can("pids")) {
    return cannot_limit("number of processes", place);
  }
  if (can("pids")) {
    out.set("pids", Json::object().set("limit", static_cast<std::int64_t>(
                                                    spec.limits.pids.value_or(kDefaultPids))));
  }
  return out;
}

// The network is the container's own, and belongs to a user whom it has.
bool may_set_network(const ContainerSpec& spec, const BundlePlace& place) {
  return spec.network_namespace.empty() ? spec.network == Network::kNone : !place.in_user_namespace;
}

Result<Json> linux_part(const ContainerSpec& spec, const BundlePlace& place) {
  Json namespaces = Json::array();
  std::vector<std::string> wanted = {"pid", "ipc", "uts", "mount"};
  if (!spec.network_namespace.empty()) {
    namespaces.push(Json::object().set("type", "network").set("path", spec.network_namespace));
  } else if (spec.network == Network::kNone) {
    wanted.emplace_back("network");
  }
  if (place.cgroup_namespace && !place.cgroup.empty()) {
    wanted.emplace_back("cgroup");
  }
  for (const std::string& one : wanted) {
    namespaces.push(Json::object().set("type", one));
  }
  Json out = Json::object();
  out.set("namespaces", std::move(namespaces))
      .set("maskedPaths", strings(kMaskedPaths))
      .set("readonlyPaths", strings(kReadonlyPaths))
      .set("resources", TRY(resources(spec, place)));
  // Who is given the machine's administration would be stopped by the filter only.
  if (std::ranges::find(spec.capabilities, "CAP_SYS_ADMIN") == spec.capabilities.end()) {
    out.set("seccomp", seccomp_filter());
  }
  // Without NET_RAW ping(8) needs this group's right; it ends at the namespace.
  if (place.ping_groups && may_set_network(spec, place)) {
    out.set("sysctl", Json::object().set("net.ipv4.ping_group_range", "0 0"));
  }
  if (!place.cgroup.empty()) {
    out.set("cgroupsPath", place.cgroup);
  }
  return out;
}

}  // namespace

Result<Json> bundle_config(const ContainerSpec& spec, const ProcessUser& user,
                           const BundlePlace& place) {
  TRY(check(spec));
  constexpr std::size_t kShownId = 12;
  Json out = Json::object();
  out.set("ociVersion", "1.0.2")
      .set("root", Json::object().set("path", place.root).set("readonly", spec.read_only))
      .set("hostname", spec.hostname.empty() ? place.id.substr(0, kShownId) : spec.hostname)
      .set("process", process(spec, user, place))
      .set("mounts", mounts(spec, place))
      .set("linux", TRY(linux_part(spec, place)));
  add_cdi_devices(place.devices, user, place, out);
  return out;
}

}  // namespace cloche::runtime
