// What a container is given with a device, as the device's vendor wrote it down: a spec of the
// Container Device Interface (SPEC.md of github.com/cncf-tags/container-device-interface;
// docs/formats/cdi.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::runtime {

struct CdiDeviceNode {
  std::string path = {};       // in the container
  std::string host_path = {};  // "": the same
  std::string type = {};       // "b", "c", "u", "p"; "": as on the host, as are numbers
  std::optional<std::int64_t> major = {};
  std::optional<std::int64_t> minor = {};
  std::optional<std::uint32_t> file_mode = {};
  std::optional<std::uint32_t> uid = {};
  std::optional<std::uint32_t> gid = {};
  std::string permissions = {};  // of "rwm"; "": all
};

struct CdiMount {
  std::string host_path = {};
  std::string container_path = {};
  std::string type = {};  // "": a bind mount
  std::vector<std::string> options = {};
};

struct CdiHook {
  std::string name = {};  // "createContainer", ...: config.md of the runtime-spec
  std::string path = {};
  std::vector<std::string> args = {};  // the first is the program's name
  std::vector<std::string> env = {};
  std::optional<std::int64_t> timeout_s = {};
};

// "containerEdits".
struct CdiEdits {
  std::vector<std::string> env = {};  // "NAME=value"
  std::vector<CdiDeviceNode> device_nodes = {};
  std::vector<CdiMount> mounts = {};
  std::vector<CdiHook> hooks = {};
  std::vector<std::uint32_t> additional_gids = {};
  std::vector<std::string> unsupported = {};  // names of edits that are not made here

  void append(const CdiEdits& more);
};

struct CdiDevice {
  std::string name = {};
  CdiEdits edits = {};
};

struct CdiSpec {
  std::string file = {};
  std::string kind = {};  // "nvidia.com/gpu"
  std::vector<CdiDevice> devices = {};
  CdiEdits edits = {};  // with any of the devices
};

// From JSON or YAML. kInvalid, with line: malformed, an unknown or missing field, a value that
// means nothing, a device twice; kUnsupported: a version before 0.3.0 or after 1.
Result<CdiSpec> parse_cdi_spec(std::string_view text, const std::string& file);

// Whether it has the form VENDOR/CLASS=NAME.
bool is_qualified_device(std::string_view name);

}  // namespace cloche::runtime
