// The keeper of a container: the process that makes it, waits for it and clears up.
//
//   cloche ── C ── keeper (pid 1 of a pid namespace, own mounts) ── init (pid 1 of the container)
//
// C is only the way into the namespace: it ends at once when the container is detached, else when
// the keeper does. Nothing that the keeper mounts is seen outside, and when it dies, however it
// dies, the kernel ends everything below it. Of a container that lives with its caller, each of the
// chain is killed by the kernel when the one before it dies.
#pragma once

#include <string>

#include <sys/types.h>

#include "core/result.h"
#include "io/descriptor.h"
#include "io/file_lock.h"
#include "runtime/cdi_spec.h"
#include "runtime/container_directory.h"
#include "runtime/container_spec.h"

namespace cloche::runtime {

struct KeeperTask {
  const ContainerSpec& spec;
  const ContainerDirectory& directory;
  std::string id;
  std::string program;  // runc or crun
  std::string init;     // init_program()
  CdiEdits devices;     // of gpu_edits()
  bool detached = false;
};

struct StartedKeeper {
  pid_t child = -1;        // to be waited for, when it is not detached
  io::Descriptor console;  // with a terminal
};

// Forks the keeper; returns when the container's command runs, or with what prevented it. The lock
// is the keeper's from then on.
Result<StartedKeeper> start_keeper(const KeeperTask& task, io::FileLock lock);

}  // namespace cloche::runtime
