// A container that runs, or has run.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include <sys/types.h>

#include "core/result.h"
#include "io/descriptor.h"
#include "runtime/exit_status.h"

namespace cloche::runtime {

// Made by Engine. Move-only; its functions may be called by any thread. Destroying it does nothing
// to a detached container; one that lives with its caller is killed and removed.
class Container {
 public:
  ~Container();
  Container(Container&& other) noexcept;
  Container& operator=(Container&&) = delete;

  const std::string& id() const { return id_; }

  // The end of its terminal that is ours; invalid when it has none.
  const io::Descriptor& console() const { return console_; }

  // Whether it runs.
  bool running() const;

  // Sends a signal to its command, or to every process in it. Nothing when it has ended. SIGKILL to
  // the command ends all of them.
  Status signal(int number, bool everyone = false) const;

  // Waits for its end and tells it, as often as asked. After SIGKILL the whole of it is gone: no
  // process, no mount, no cgroup. kCancelled: stopped while waiting; it runs on. kUnavailable: it
  // has ended, and nobody knows how (its keeper was killed, or the machine was restarted).
  Result<ExitStatus> wait(const std::stop_token& stop = {}) const;

  // Readable when it has ended; invalid when it has already.
  io::Descriptor watch() const { return keeper(); }

  // Waits so long; whether it has ended.
  bool ends_within(std::chrono::milliseconds time) const;

  // Forgets it: id and end are unknown afterwards. kConflict: it runs.
  Status remove() &&;

 private:
  friend class Engine;
  Container(std::string id, std::string directory);

  io::Descriptor find_keeper() const;  // pidfd; invalid when it has ended
  io::Descriptor keeper() const;       // the same, found once: whatever becomes of the folder
  void reap() const;

  std::string id_;
  std::string directory_;
  io::Descriptor keeper_;
  io::Descriptor console_;
  mutable pid_t child_ = -1;  // of this process, while it lives with it
};

}  // namespace cloche::runtime
