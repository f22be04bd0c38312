// A job: what was submitted, which never changes, and its run: what became of it.
//
// Plain values, stored as JSON in the workspace (docs/formats/run-directory.md). The rules of how a
// run goes on are lifecycle.h's.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "definition/command_job.h"
#include "workspace/run_history.h"

namespace cloche::jobs {

// Azure's words, as far as one machine needs them, in the order in which they come.
enum class JobStatus {
  kNotStarted,
  kPreparing,        // code, environment and image are found or made
  kQueued,           // for what it asks of the machine
  kRunning,          //
  kCancelRequested,  // somebody asked; its processes are being ended
  kFinalizing,       // outputs are recorded, containers removed
  kCompleted,
  kFailed,
  kCanceled,
};

std::string_view to_string(JobStatus status);  // "NotStarted", ...
Result<JobStatus> parse_status(std::string_view text);
inline bool is_final(JobStatus status) { return status >= JobStatus::kCompleted; }

// The stages whose times are kept.
enum class Stage { kPreparing, kQueued, kRunning, kFinalizing };
inline constexpr std::array<Stage, 4> kStages = {Stage::kPreparing, Stage::kQueued, Stage::kRunning,
                                                 Stage::kFinalizing};
std::string_view to_string(Stage stage);  // "Preparing", ...

// What was submitted. The command job's own environment is in `environment`, as text.
struct Submission {
  definition::CommandJob job;  // `environment` empty, `code` as given
  std::string environment;     // "train:3", a file's path, or "inline"
  std::string folder;          // where the submitter was
  Digest code;                 // of the snapshot; empty: no code
  std::uint64_t code_files = 0;
  std::uint64_t code_bytes = 0;
  std::string rerun_of;             // a job's name, or ""
  definition::StringMap preparing;  // how its environment is locked, in the words of the CLI
};

// The exact environment, once it is prepared.
struct JobEnvironment {
  std::string name;     // CliV2AnonymousEnvironment for a job's own
  std::string version;  // "" where it was not registered
  std::string fingerprint;
  std::string lock;  // digests as text, "" where there is none
  std::string image;
  definition::StringMap variables;  // of its definition
};

struct OutputFile {
  std::string path;  // below the run directory: "outputs/model.pt", "named/model/weights"
  std::uint64_t size_bytes = 0;
  std::string digest;  // "sha256:..."; of a link "link:TARGET"
};

// What an input of the machine was when the job was prepared.
struct InputRecord {
  std::string name;
  std::string digest;  // input_digest.h
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Whoever took charge of a run: one a supervisor, more when earlier ones died.
struct Attempt {
  std::int64_t pid = 0;
  std::string host;
  std::string boot_id;
  std::int64_t at = 0;  // milliseconds
};

struct Run {
  std::array<std::int64_t, 4> began = {};  // of each stage, milliseconds; 0: not reached
  std::int64_t ended = 0;
  JobEnvironment environment;  // known from when it is handed to a preparer; the image later
  std::vector<InputRecord> inputs;
  std::vector<std::string> gpus;  // its own while it is claimed, the instances' one after another
  std::vector<Attempt> preparers;
  std::vector<Attempt> attempts;  // of supervisors
  std::string canceled_by;
  bool timed_out = false;
  bool started = false;                   // its containers were started
  std::string failed_in;                  // the stage, when it failed: "Preparing", ...
  std::optional<std::int64_t> exit_code;  // of the process that decided the end
  std::int64_t signal = 0;
  bool out_of_memory = false;
  std::string reason;     // for people: why it failed
  std::string diagnosis;  // what to do about it, where that is known
  std::uint64_t peak_memory_bytes = 0;
  std::int64_t cpu_ms = 0;
  std::vector<OutputFile> outputs;
  bool outputs_cut = false;  // there are more than are listed
};

struct Job {
  workspace::JobRow row;
  JobStatus status = JobStatus::kNotStarted;
  Submission submission;
  Run run;

  const std::string& name() const { return row.name; }
  // Whether any process can prepare it: its environment is registered.
  bool handed_over() const { return !run.environment.fingerprint.empty(); }
};

// The row with definition, run and status written into it, and back. kCorrupt.
workspace::JobRow to_row(const Job& job);
Result<Job> from_row(workspace::JobRow row);

// Duration of a stage in milliseconds; until `now` when it goes on; nothing when it was not
// reached.
std::optional<std::int64_t> duration_ms(const Run& run, Stage stage, std::int64_t now);

}  // namespace cloche::jobs
