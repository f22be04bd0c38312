// From a job to what is started for it: pure, so that a test can read the whole of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "jobs/launcher.h"
#include "jobs/run_directory.h"

namespace cloche::jobs {

// What the machine decides.
struct LaunchSetting {
  std::string workspace_name = {};          // the last part of its path
  bool contained = true;                    // whether paths are those of the mounts
  int port = 6105;                          // where the ranks meet
  std::vector<std::string> addresses = {};  // of the instances; empty: all on 127.0.0.1
  std::vector<std::string> networks =
      {};  // of the instances: paths of namespaces; empty: the host's
};

// One launch an instance, in order.
std::vector<Launch> plan_launches(const Job& job, const RunDirectory& directory,
                                  const LaunchSetting& setting);

// What the instances' /etc/hosts says: each other's names, which gloo and MPI look up, and what the
// machine's says, where they are on its network.
std::string hosts_file(const Job& job, std::string_view of_machine, const LaunchSetting& setting);

// "node-<instance>".
std::string host_name(int instance);

// "job-<16 hex digits>-<instance>": the same for the same job of the same workspace.
std::string launch_id(const RunDirectory& directory, int instance);

// How many processes have logs of their own, and whether there are several.
int rank_count(const Job& job);
bool has_rank_logs(const Job& job);

}  // namespace cloche::jobs
