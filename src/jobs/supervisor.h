// One job from the queue to its end, by one process.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "core/result.h"
#include "jobs/job_book.h"
#include "jobs/launch_plan.h"
#include "jobs/launcher.h"
#include "jobs/machine.h"
#include "jobs/private_network.h"

namespace cloche::jobs {

struct SupervisorSetting {
  Launcher& launcher;
  const blob::BlobStore& blobs;  // where the code is
  Machine machine;
  std::string workspace_name = {};
  // How instances beyond one get a network (private_network.h); empty: they share the host's.
  std::function<Result<PrivateNetwork>(const std::string& id, int instances)> make_network = {};
  std::function<void(const std::string& id, int instances)> remove_network = {};
  // Between SIGTERM and SIGKILL when a job is canceled or its time is over.
  std::chrono::milliseconds grace = std::chrono::seconds(10);
};

// Takes charge of a claimed job and brings it to its end: code and folders are put in place, the
// containers started and watched, a cancellation or the end of its time carried out, outputs
// recorded. A job that runs already, because its supervisor died, is found again by its containers;
// what can no longer be known is its reason to be Failed.
// True: the job is finished. False: somebody else has charge of it, or it waits; or a stop came,
// which leaves everything running for the next supervisor. An error of the job is no error here.
Result<bool> supervise(JobBook& book, const std::string& name, const SupervisorSetting& setting,
                       const std::stop_token& stop);

// Somebody wants the job ended. A waiting job is Canceled at once; of a running one the supervisor
// is told. Nothing when it has ended already.
Result<Job> request_cancel(JobBook& book, const std::string& name);

}  // namespace cloche::jobs
