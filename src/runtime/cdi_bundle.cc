#include "runtime/cdi_bundle.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "runtime/host_path.h"

namespace cloche::runtime {
namespace {

Json strings(const std::vector<std::string>& values) {
  Json out = Json::array();
  for (const std::string& one : values) {
    out.push(one);
  }
  return out;
}

Json device(const CdiDeviceNode& node, const ProcessUser& user) {
  Json out = Json::object().set("path", node.path).set("type", node.type);
  if (node.type != "p") {
    out.set("major", node.major.value_or(0)).set("minor", node.minor.value_or(0));
  }
  if (node.file_mode) {
    out.set("fileMode", std::int64_t{*node.file_mode});
  }
  // As in the interface's own library: who is not root can use what he was given.
  const auto owner = [&](const char* key, std::optional<std::uint32_t> given, std::uint32_t own) {
    if (given || own != 0) {
      out.set(key, std::int64_t{given.value_or(own)});
    }
  };
  owner("uid", node.uid, user.uid);
  owner("gid", node.gid, user.gid);
  return out;
}

Json rule(const CdiDeviceNode& node) {
  return Json::object()
      .set("allow", true)
      .set("type", node.type == "b" ? "b" : "c")
      .set("major", node.major.value_or(0))
      .set("minor", node.minor.value_or(0))
      .set("access", node.permissions.empty() ? "rwm" : node.permissions);
}

Json hook(const CdiHook& one) {
  Json out = Json::object().set("path", one.path);
  if (!one.args.empty()) {
    out.set("args", strings(one.args));
  }
  // Always said: a hook without variables of its own gets the container's from runc, so an image's
  // LD_PRELOAD would be loaded into a program that runs on the host (CVE-2025-23266).
  out.set("env", one.env.empty() ? strings({std::string(kHostPath)}) : strings(one.env));
  if (one.timeout_s && *one.timeout_s > 0) {
    out.set("timeout", *one.timeout_s);
  }
  return out;
}

Json& member(Json& object, std::string_view key, Json empty) {
  const auto found = std::ranges::find(object.members(), key, &Json::Member::first);
  if (found != object.members().end()) {
    return found->second;
  }
  return object.members().emplace_back(std::string(key), std::move(empty)).second;
}

}  // namespace

Json cdi_mount(const CdiMount& mount) {
  const bool bind = mount.type.empty() || mount.type == "bind";
  std::vector<std::string> options = mount.options;
  const bool said = std::ranges::any_of(
      options, [](const std::string& one) { return one == "bind" || one == "rbind"; });
  if (bind && !said) {
    options.insert(options.begin(), "rbind");
  }
  return Json::object()
      .set("destination", mount.container_path)
      .set("type", bind ? "bind" : mount.type)
      .set("source", mount.host_path)
      .set("options", strings(options));
}

void add_cdi_devices(const CdiEdits& edits, const ProcessUser& user, const BundlePlace& place,
                     Json& config) {
  Json& linux_part = member(config, "linux", Json::object());
  for (const CdiDeviceNode& one : edits.device_nodes) {
    member(linux_part, "devices", Json::array()).push(device(one, user));
    if (!place.in_user_namespace && one.type != "p") {
      member(member(linux_part, "resources", Json::object()), "devices", Json::array())
          .push(rule(one));
    }
  }
  for (const CdiHook& one : edits.hooks) {
    member(member(config, "hooks", Json::object()), one.name, Json::array()).push(hook(one));
  }
}

}  // namespace cloche::runtime
