#include "jobs/launch_plan.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "definition/command_template.h"
#include "jobs/entry_script.h"
#include "package/conda/environment_prefix.h"

namespace cloche::jobs {
namespace {

using definition::CommandPiece;
using definition::JobDistribution;
using definition::JobInput;
using definition::JobOutput;

constexpr std::string_view kRoot = "/mnt/job";

// Places as the job's processes see them.
struct Places {
  std::string work;
  std::string outputs;
  std::string logs;
  std::string user_logs;
  std::string state;
  std::string library;
  std::string named;
  std::string inputs;  // "" where inputs are seen at their own paths
};

Places places_of(const RunDirectory& directory, int instance, bool contained) {
  if (!contained) {
    return {.work = directory.work(instance),
            .outputs = directory.outputs(),
            .logs = directory.logs(),
            .user_logs = directory.user_logs(),
            .state = directory.state(),
            .library = directory.library(),
            .named = directory.named(),
            .inputs = {}};
  }
  const std::string root(kRoot);
  return {.work = root + "/code",
          .outputs = root + "/code/outputs",
          .logs = root + "/code/logs",
          .user_logs = root + "/user_logs",
          .state = root + "/state",
          .library = root + "/lib",
          .named = root + "/named",
          .inputs = root + "/inputs"};
}

std::string input_path(const std::string& name, const JobInput& input, const Places& places) {
  if (input.kind == JobInput::Kind::kLiteral || places.inputs.empty()) {
    return input.value;
  }
  const std::string folder = places.inputs + "/" + name;
  return input.kind == JobInput::Kind::kFile ? folder + "/" + std::string(base_name(input.value))
                                             : folder;
}

std::string output_path(const std::string& name, const JobOutput& output, const Places& places) {
  const std::string folder = places.named + "/" + name;
  return output.kind == JobOutput::Kind::kFile ? folder + "/" + name : folder;
}

std::string filled_command(const Submission& submission, const Places& places) {
  const auto pieces = definition::split_command(submission.job.command);
  if (!pieces) {
    return submission.job.command;  // checked when it was submitted
  }
  return fill_command(*pieces, [&](const CommandPiece& piece) {
    if (piece.kind == CommandPiece::Kind::kInput) {
      const auto found = submission.job.inputs.find(piece.text);
      return found == submission.job.inputs.end() ? std::string()
                                                  : input_path(piece.text, found->second, places);
    }
    const auto found = submission.job.outputs.find(piece.text);
    return found == submission.job.outputs.end() ? std::string()
                                                 : output_path(piece.text, found->second, places);
  });
}

// What Azure calls an experiment's id is a UUID; the same experiment has the same here.
std::string experiment_id(const std::string& name) {
  const std::string hex = Digest::of("cloche experiment\n" + name).hex();
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20, 12));
}

void add_azure_variables(const Job& job, int instance, const LaunchSetting& setting,
                         std::map<std::string, std::string>& out) {
  const std::string node = fmt::format("{}", instance);
  out["AZUREML_RUN_ID"] = job.name();
  out["AZUREML_ROOT_RUN_ID"] = job.name();
  out["AZUREML_EXPERIMENT_NAME"] = job.row.experiment;
  out["AZUREML_EXPERIMENT_ID"] = experiment_id(job.row.experiment);
  out["AZUREML_ARM_PROJECT_NAME"] = job.row.experiment;
  out["AZUREML_ARM_WORKSPACE_NAME"] = setting.workspace_name;
  out["AZUREML_CR_NODE_RANK"] = node;
  out["AZUREML_CONDA_ENVIRONMENT_PATH"] = conda::kEnvironmentPrefix;
  out["AZ_BATCHAI_TASK_INDEX"] = node;
  out["AZ_BATCHAI_JOB_TEMP_DIR"] = "/tmp";
  for (const auto& [name, input] : job.submission.job.inputs) {
    if (input.kind == JobInput::Kind::kLiteral) {
      out["AZUREML_PARAMETER_" + name] = input.value;
    }
  }
}

void add_rank_variables(const Job& job, int instance, const LaunchSetting& setting,
                        std::map<std::string, std::string>& out) {
  const JobDistribution& distribution = job.submission.job.distribution;
  const int instances = job.submission.job.resources.instance_count;
  if (distribution.kind == JobDistribution::Kind::kNone && instances == 1) {
    return;
  }
  const std::string master =
      setting.addresses.empty() ? std::string("127.0.0.1") : setting.addresses.front();
  const std::string with_port = fmt::format("{}:{}", master, setting.port);
  const int processes = distribution.processes_per_instance;
  out["MASTER_ADDR"] = master;
  out["MASTER_PORT"] = fmt::format("{}", setting.port);
  out["NODE_RANK"] = fmt::format("{}", instance);
  out["WORLD_SIZE"] = fmt::format("{}", instances * processes);
  out["LOCAL_WORLD_SIZE"] = fmt::format("{}", processes);
  if (distribution.kind == JobDistribution::Kind::kNone) {
    out["RANK"] = fmt::format("{}", instance);
    out["LOCAL_RANK"] = "0";
  }
  out["AZ_BATCH_MASTER_NODE"] = with_port;
  out["AZ_BATCHAI_MPI_MASTER_NODE"] = master;
  out["AZ_BATCH_HOST_LIST"] = setting.addresses.empty() ? master : join(setting.addresses, ",");
}

std::map<std::string, std::string> variables_of(const Job& job, int instance,
                                                const LaunchSetting& setting,
                                                const Places& places) {
  std::map<std::string, std::string> out;
  out["PYTHONUNBUFFERED"] = "1";  // so that the log is there while the job runs
  add_azure_variables(job, instance, setting, out);
  add_rank_variables(job, instance, setting, out);
  for (const definition::StringMap* more :
       {&job.run.environment.variables, &job.submission.job.environment_variables}) {
    for (const auto& [name, value] : *more) {
      out[name] = value;
    }
  }
  std::string& path = out["PYTHONPATH"];
  path = path.empty() ? places.library : places.library + ":" + path;
  return out;
}

void add_mounts(const Job& job, const RunDirectory& directory, int instance, const Places& places,
                std::vector<LaunchMount>& out) {
  out.push_back({directory.work(instance), places.work});
  out.push_back({directory.outputs(), places.outputs});
  out.push_back({directory.logs(), places.logs});
  out.push_back({directory.user_logs(), places.user_logs});
  out.push_back({directory.state(), places.state});
  out.push_back({directory.library(), places.library, true});
  for (const auto& [name, output] : job.submission.job.outputs) {
    out.push_back({directory.named() + "/" + name, places.named + "/" + name});
  }
  for (const auto& [name, input] : job.submission.job.inputs) {
    if (input.kind != JobInput::Kind::kLiteral) {
      out.push_back({input.value, input_path(name, input, places), true});
    }
  }
}

}  // namespace

std::string host_name(int instance) { return fmt::format("node-{}", instance); }

std::string launch_id(const RunDirectory& directory, int instance) {
  constexpr std::size_t kDigits = 16;
  return fmt::format("job-{}-{}", Digest::of(directory.path()).hex().substr(0, kDigits), instance);
}

int rank_count(const Job& job) {
  return job.submission.job.resources.instance_count *
         job.submission.job.distribution.processes_per_instance;
}

bool has_rank_logs(const Job& job) {
  return job.submission.job.distribution.kind != JobDistribution::Kind::kNone ||
         job.submission.job.resources.instance_count > 1;
}

std::string hosts_file(const Job& job, std::string_view of_machine, const LaunchSetting& setting) {
  std::string out = setting.addresses.empty()
                        ? std::string(of_machine)
                        : std::string("127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
  if (!out.empty() && !out.ends_with('\n')) {
    out += '\n';
  }
  for (int i = 0; i < job.submission.job.resources.instance_count; ++i) {
    const auto place = static_cast<std::size_t>(i);
    out += fmt::format("{} {}\n",
                       setting.addresses.empty() ? "127.0.0.1" : setting.addresses.at(place),
                       host_name(i));
  }
  return out;
}

std::vector<Launch> plan_launches(const Job& job, const RunDirectory& directory,
                                  const LaunchSetting& setting) {
  const definition::CommandJob& asked = job.submission.job;
  std::vector<std::string> hosts;
  hosts.reserve(static_cast<std::size_t>(asked.resources.instance_count));
  for (int i = 0; i < asked.resources.instance_count; ++i) {
    hosts.push_back(host_name(i));
  }
  std::vector<Launch> out;
  for (int i = 0; i < asked.resources.instance_count; ++i) {
    const Places places = places_of(directory, i, setting.contained);
    Launch one;
    one.id = launch_id(directory, i);
    one.image = job.run.environment.image;
    one.args = entry_script(asked.distribution, hosts, i, filled_command(job.submission, places),
                            {.user_logs = places.user_logs, .state = places.state});
    one.variables = variables_of(job, i, setting, places);
    one.cwd = places.work;
    add_mounts(job, directory, i, places, one.mounts);
    one.shm_bytes = asked.resources.shm_bytes;
    one.memory_bytes = asked.resources.memory_bytes;
    one.milli_cpus = asked.resources.milli_cpus;
    const auto gpus = static_cast<std::size_t>(asked.resources.gpus);
    for (std::size_t k = gpus * static_cast<std::size_t>(i);
         k < std::min(gpus * (static_cast<std::size_t>(i) + 1), job.run.gpus.size()); ++k) {
      one.gpus.push_back(job.run.gpus[k]);
    }
    one.hostname = host_name(i);
    if (!setting.networks.empty()) {
      one.network = setting.networks.at(static_cast<std::size_t>(i));
    }
    if (setting.contained) {
      one.mounts.push_back({directory.hosts(), "/etc/hosts", true});
    }
    // Ranks have logs of their own; what is left for the container's is the script's words.
    const bool ranks = asked.distribution.kind != JobDistribution::Kind::kNone;
    one.log = directory.user_logs() + "/" +
              (ranks ? std::string("std_log.txt")
                     : RunDirectory::log_name(asked.resources.instance_count > 1, i));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace cloche::jobs
