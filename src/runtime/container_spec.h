// Everything that decides a container, as plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cuda.h"

namespace cloche::runtime {

// Something of the host in the container.
struct Mount {
  std::string source = {};  // an absolute path of the host
  std::string target = {};  // an absolute path in the container; made when it is not there
  bool read_only = false;
};

enum class Network {
  kHost,  // the host's
  kNone,  // a loopback interface and nothing else
};

// What the processes of a container may take together; nothing: no limit (but for `pids`, whose
// default is kDefaultPids). A limit that this host cannot impose is refused, never ignored.
struct Limits {
  std::optional<std::uint64_t> memory_bytes = {};  // swap included
  std::optional<std::uint64_t> cpu_millis = {};    // thousandths of a processor
  std::optional<std::uint64_t> pids = {};
};

inline constexpr std::uint64_t kDefaultPids = 32768;
inline constexpr std::uint64_t kDefaultShmBytes = std::uint64_t{2} << 30U;

struct ContainerSpec {
  // The root file system: directories, the lowest first (UnpackedLayers), under a writable one.
  std::vector<std::string> lower = {};
  // "": changes are thrown away with the container. Else a directory, made when it is not there,
  // that keeps them in overlayfs's form (whiteouts are character devices 0/0).
  std::string upper = {};
  bool read_only = false;  // nothing can be written but to mounts, /dev/shm, /tmp and /run

  std::vector<std::string> args = {};  // the first: a path, or a name that env's PATH finds
  std::map<std::string, std::string> env = {};
  std::string cwd = "/";  // made when it is not there
  std::string user = {};  // "user", "user:group", "1000:1000" as in an image's config; "": root
  std::string hostname =
      {};  // "": the container's id, shortened; without meaning on Network::kHost

  std::vector<Mount> mounts = {};
  Network network = Network::kHost;
  // A network namespace to enter in place of `network`: "/run/netns/NAME". "": none.
  std::string network_namespace = {};
  // The host's /etc/hosts and /etc/resolv.conf, where there is a network. Their mount points are
  // made in the root file system when it has none, and so in `upper`.
  bool host_names = true;
  Limits limits = {};
  std::uint64_t shm_bytes = kDefaultShmBytes;
  std::vector<std::string> capabilities = {};  // beyond the default ones: "CAP_SYS_PTRACE"
  // "all", "0", "vendor.com/gpu=NAME": find_gpus() of gpus.h. What CDI specs say of them is done.
  std::vector<std::string> gpus = {};
  CudaNeeds cuda = {};  // of the image: compared with the driver when there are GPUs

  // The container gets a terminal of its own, whose other end is Container::console(); the three
  // streams below are not used then. Only of a container that lives with its caller.
  bool terminal = false;
  unsigned terminal_rows = 0;  // 0: unknown
  unsigned terminal_columns = 0;
  // Descriptors of the caller, which keeps them. -1: /dev/null.
  int in = -1;
  int out = -1;
  int err = -1;
};

}  // namespace cloche::runtime
