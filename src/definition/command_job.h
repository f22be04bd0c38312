// A command job as its author wrote it: the entity, and the reader of Azure ML v2 command-job YAML.
// docs/formats/command-job.md describes every key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/azureml_v2.h"
#include "definition/environment.h"

namespace cloche::definition {

// A value that the command names: text, or a file or folder of this machine.
struct JobInput {
  enum class Kind { kLiteral, kFile, kFolder, kAny };  // kAny: whatever stands at the path
  Kind kind = Kind::kLiteral;
  std::string value;  // the text, or the path
  Location at;

  bool operator==(const JobInput&) const = default;
};

struct JobOutput {
  enum class Kind { kFile, kFolder };
  Kind kind = Kind::kFolder;
  Location at;

  bool operator==(const JobOutput&) const = default;
};

struct JobDistribution {
  enum class Kind { kNone, kPyTorch, kMpi };
  Kind kind = Kind::kNone;
  int processes_per_instance = 1;

  bool operator==(const JobDistribution&) const = default;
};

inline constexpr std::uint64_t kDefaultShmBytes = std::uint64_t{2} << 30U;  // Azure's

// What each instance asks of the machine. 0: it does not say.
struct JobResources {
  int instance_count = 1;
  std::uint64_t shm_bytes = kDefaultShmBytes;
  std::int64_t milli_cpus = 0;
  std::uint64_t memory_bytes = 0;
  int gpus = 0;

  bool operator==(const JobResources&) const = default;
};

struct CommandJob {
  std::string name;  // "": one is made
  std::string display_name;
  std::string experiment_name;  // "": the workspace's rule
  std::string description;
  StringMap tags;
  std::string command;  // with its ${{...}}, all of which are defined
  std::string code;     // a folder; "": none
  std::optional<EnvironmentUse> environment;
  Location environment_at;
  StringMap environment_variables;
  std::map<std::string, JobInput> inputs;
  std::map<std::string, JobOutput> outputs;
  std::string compute;  // "": this machine. Whether there is such a compute is asked at submission
  Location compute_at;
  JobDistribution distribution;
  JobResources resources;
  std::int64_t timeout_s = 0;  // 0: none
};

std::string_view to_string(JobInput::Kind kind);   // "literal", "uri_file", "uri_folder", "path"
std::string_view to_string(JobOutput::Kind kind);  // "uri_file", "uri_folder"
std::string_view to_string(JobDistribution::Kind kind);  // "none", "pytorch", "mpi"

// The compute that is this machine, besides none.
inline constexpr std::string_view kLocalCompute = "local";

// ^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$ : kInvalid.
Status check_job_name(std::string_view name);

inline constexpr std::size_t kMaxCommandJobBytes = std::size_t{512} << 10U;
inline constexpr std::size_t kMaxCommandBytes = std::size_t{100} << 10U;  // one argument of exec

// Reads the text of a job file. Paths in it are relative to `file`. What the file names (code,
// inputs) is looked at when the job is submitted, but for what an inline environment names.
// kInvalid: with file, line, key and the nearest valid key; an input or output of the command that
// is not there. kUnsupported: another kind of job, or what only Azure's service has.
Result<CommandJob> parse_command_job(std::string_view text, const std::string& file,
                                     FileSource& files, const ReadOptions& options,
                                     Diagnostics& diagnostics);

// kInvalid unless every place of the command is an input or output of the job; for a job that did
// not come from a file.
Status check_command(const CommandJob& job);

// "2g", "512m", "64k", "1024b" in powers of 1024, as Azure and Docker have it. kInvalid.
Result<std::uint64_t> parse_shm_size(std::string_view text);

// "0.5", "2": thousandths of a processor. kInvalid.
Result<std::int64_t> parse_cpus(std::string_view text);

}  // namespace cloche::definition
