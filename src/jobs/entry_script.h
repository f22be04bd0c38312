// The shell script that is a container's first process: it starts the command, once or once a rank,
// waits, and tells the end.
#pragma once

#include <string>
#include <vector>

#include "jobs/job.h"

namespace cloche::jobs {

// Where the script finds things, as its process sees them.
struct ScriptPlaces {
  std::string user_logs;
  std::string state;
};

// The arguments of the first process. The image needs sh; the command is bash's where there is one.
//   one process    the command's output is the container's
//   pytorch        a process a rank with RANK and LOCAL_RANK, each with its own log; the first that
//                  fails ends the others (SIGTERM, 5 seconds later SIGKILL), and is the container's
//                  end
//   mpi            the image's mpirun, each rank with its own log; in instances but the first, what
//                  runs the commands that mpirun has for them, by way of make_launch_pipes()
// `hosts`: the names of all instances, in order.
std::vector<std::string> entry_script(const definition::JobDistribution& distribution,
                                      const std::vector<std::string>& hosts, int instance,
                                      const std::string& command, const ScriptPlaces& places);

}  // namespace cloche::jobs
