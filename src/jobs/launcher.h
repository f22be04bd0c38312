// The seam to whatever runs processes: containers in the product (container_launcher.h), plain
// processes in tests (testing.h). What was started runs on when its starter dies.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"

namespace cloche::jobs {

// Something of the host in the container.
struct LaunchMount {
  std::string source;
  std::string target;
  bool read_only = false;
};

struct Launch {
  std::string id;     // letters, digits and '-', at most 64
  std::string image;  // digest of the manifest, "sha256:..."
  std::vector<std::string> args = {};
  std::map<std::string, std::string> variables = {};  // win over the image's
  std::string cwd = {};                               // as the process sees it
  std::vector<LaunchMount> mounts = {};
  std::uint64_t shm_bytes = 0;
  std::uint64_t memory_bytes = 0;      // 0: no limit
  std::int64_t milli_cpus = 0;         // 0: no limit
  std::vector<std::string> gpus = {};  // qualified names
  std::string hostname = {};
  std::string network = {};  // path of a network namespace; "": the host's
  std::string log = {};      // stdout and stderr are appended there
};

struct Ending {
  int exit_code = 0;  // 128 and the signal's number when a signal ended it
  int signal = 0;
  bool out_of_memory = false;
  std::string reason = {};  // which limit ended it, or ""
  std::uint64_t peak_memory_bytes = 0;
  std::int64_t cpu_ms = 0;
};

// Any thread may call.
class Launcher {
 public:
  virtual ~Launcher() = default;

  // Whether what is started sees other paths than we do: those of its mounts.
  virtual bool contained() const = 0;

  // Returns when it runs. kConflict: there is one of that id. kNotFound: no such command.
  virtual Status start(const Launch& launch) = 0;

  // Waits for the end of one, by whomever it was started. kNotFound: there is none of that id.
  // kUnavailable: it has ended and nobody knows how. kCancelled: stopped while waiting.
  virtual Result<Ending> wait(const std::string& id, const std::stop_token& stop) = 0;

  // To all of its processes; nothing when there are none.
  virtual Status signal(const std::string& id, int number) = 0;

  // Forgets one that has ended; nothing when there is none.
  virtual Status remove(const std::string& id) = 0;
};

}  // namespace cloche::jobs
