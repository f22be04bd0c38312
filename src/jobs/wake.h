// Waiting for changes of files, for the end of processes and for a stop, without looking again and
// again: inotify(7), pidfd_open(2).
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::jobs {

// One thread waits; any thread may call wake().
class Wake {
 public:
  static Result<Wake> create();

  // From now on a change of the file, or of a file in the folder, ends a wait. What is not there
  // yet cannot be watched: kNotFound.
  Status watch(const std::string& path);

  // The end of a process ends a wait, also where it ended already.
  void watch_process(pid_t pid);

  void wake() const;

  // Returns after a change since the last wait, after wake(), a stop, or so long.
  // nothing: as long as it takes. False: because of a stop.
  Result<bool> wait(const std::stop_token& stop,
                    std::optional<std::chrono::milliseconds> limit = std::nullopt);

 private:
  Wake(io::Descriptor changes, io::Descriptor woken)
      : changes_(std::move(changes)), woken_(std::move(woken)) {}

  io::Descriptor changes_;
  io::Descriptor woken_;
  io::Descriptor process_;
};

}  // namespace cloche::jobs
