// `cloche worker`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/interrupt.h"
#include "cli/job/access.h"
#include "cli/job/preparation.h"
#include "cli/store/contents.h"
#include "core/files.h"
#include "io/file.h"
#include "jobs/container_launcher.h"
#include "jobs/supervisor.h"
#include "jobs/wake.h"

namespace cloche::cli {
namespace {

struct WorkerOptions {
  std::string job;
  bool once = false;
};

std::string job_worker_text(const Json& /*data*/, const Style& /*style*/) { return ""; }

// The last part of the path that says something: the project's folder above .cloche.
std::string workspace_name(const std::string& directory) {
  const std::string normal = normal_path(directory);
  return std::string(base_name(base_name(normal) == ".cloche" ? parent_path(normal) : normal));
}

Result<Report> supervise_one(const std::string& name, JobAccess& access,
                             const std::stop_token& stop) {
  jobs::ContainerLauncher launcher(cache_place(), image::Layout(access.workspace().directory()));
  const jobs::SupervisorSetting setting{
      .launcher = launcher,
      .blobs = access.workspace().blobs(),
      .machine = access.machine(),
      .workspace_name = workspace_name(access.workspace().directory()),
      .make_network = jobs::make_private_network,
      .remove_network = jobs::remove_private_network};
  const bool ended = TRY(jobs::supervise(access.book(), name, setting, stop));
  Json data;
  data.set("job", name).set("ended", ended);
  return Report{.data = std::move(data), .text = job_worker_text};
}

Status work(bool once, JobAccess& access, const std::stop_token& stop) {
  const std::string bell = jobs::queue_bell(access.book().workspace());
  TRY(io::make_directories(parent_path(bell)));
  jobs::ring_bell(bell);
  jobs::Wake wake = TRY(jobs::Wake::create());
  TRY(wake.watch(bell));
  do {
    TRY(access.attend());
    // Supervisors that died ring no bell: now and then one looks for them.
    constexpr std::chrono::minutes kLookAgain{1};
    if (once || !TRY(wake.wait(stop, kLookAgain))) {
      return {};
    }
  } while (!stop.stop_requested());
  return {};
}

// A job that is still to be prepared, from there; it goes on here when it is its turn at once.
Result<Report> look_after_one(const std::string& name, JobAccess& access,
                              const std::stop_token& stop, Context& context) {
  if (TRY(prepare_job(name, access, stop, context)) && !TRY(access.attend_as(name))) {
    return Report{.data = Json::object().set("job", name).set("ended", false),
                  .text = job_worker_text};
  }
  auto report = supervise_one(name, access, stop);
  if (stop.stop_requested()) {
    return report;
  }
  // Whoever waits behind it: there is room now.
  TRY(access.attend());
  return report;
}

Result<Report> run_worker(const WorkerOptions& options, Context& context) {
  const Interrupt interrupt;
  if (!options.job.empty()) {
    JobAccess access = TRY(JobAccess::open_only(context));
    return look_after_one(options.job, access, interrupt.token(), context);
  }
  JobAccess access = TRY(JobAccess::open(context));
  TRY(work(options.once, access, interrupt.token()));
  Json data;
  data.set("job", nullptr).set("ended", nullptr);
  return Report{.data = std::move(data), .text = job_worker_text};
}

constexpr std::array<Argument, 2> kJobWorkerArguments = {{
    {.name = "job",
     .value = "JOB",
     .help = "Prepare this one job and supervise it to its end; what the program starts for each "
             "job by itself",
     .field = kField<&WorkerOptions::job>},
    {.name = "once",
     .help = "Look after the jobs once, and end",
     .field = kField<&WorkerOptions::once>},
}};

constexpr std::array<Example, 2> kJobWorkerExamples = {{
    {"Until it is stopped; in a service that starts with the machine", "cloche worker"},
    {"Once, as from a timer", "cloche worker --once"},
}};

}  // namespace

const Command kWorker = {
    .path = "worker",
    .summary = "look after the jobs of a workspace",
    .description =
        "Starts jobs that wait when there is room, and finds those again whose supervisor died. "
        "Every job command does so as well, so a worker is needed only where jobs are to go on "
        "after a restart of the machine without anybody there. Ending it ends no job.",
    .arguments = kJobWorkerArguments,
    .examples = kJobWorkerExamples,
    .see_also = "job create, job list",
    .run = run<WorkerOptions, run_worker>,
};

}  // namespace cloche::cli
