// Containers by runc or crun, whichever works on this host.
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "runtime/container.h"
#include "runtime/container_spec.h"
#include "runtime/exit_status.h"

namespace cloche::runtime {

// What becomes of a container when the process (the thread) that started it dies.
enum class Lifetime {
  kWithCaller,  // it dies too, at once, also by kill -9
  kDetached,    // it runs on; Engine::open() finds it again
};

// Containers have a folder each under <cache>/containers/ (docs/formats/container.md) and a keeper:
// a process that mounts the root file system, starts the container through runc or crun, waits for
// its end and writes it down. Mounts are the keeper's own, so they end with it. Safe for many
// threads and processes.
class Engine {
 public:
  // Finds crun or runc: each that is there is asked to run something, and the first that can is
  // remembered in <cache>/engine.json until it, the kernel or the user is another. Removes what
  // killed processes left. kUnsupported: none is there, or none works, with what each one said.
  static Result<Engine> find(const std::string& cache, const std::stop_token& stop,
                             Progress& progress);

  const std::string& program() const { return program_; }

  // Starts a container; returns when its command runs. `id`: letters, digits and "-_", at most 64;
  // "": one is made. kConflict: there is one of that id. kInvalid, kUnsupported: as bundle_config()
  // and mount_overlay(); kNotFound: no such command in it.
  Result<Container> start(const ContainerSpec& spec, Lifetime lifetime, std::string id = "") const;

  // start(), wait() and remove(). After a stop SIGTERM to every process in it, ten seconds later
  // SIGKILL, and kCancelled.
  Result<ExitStatus> run(const ContainerSpec& spec, const std::stop_token& stop) const;

  // One that was started detached, also by another process, also before a restart. kNotFound.
  Result<Container> open(const std::string& id) const;

  // The ids of those that are detached, running or not.
  Result<std::vector<std::string>> list() const;

  // The directories that containers in this cache stand on which live now (ContainerSpec::lower).
  static Result<std::set<std::string>> layers_in_use(const std::string& cache);

  // Removes what containers of killed callers left behind: folders and cgroups.
  Status clean() const;

 private:
  Engine(std::string cache, std::string program)
      : cache_(std::move(cache)), program_(std::move(program)) {}

  std::string cache_;
  std::string program_;
};

}  // namespace cloche::runtime
