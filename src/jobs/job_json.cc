// The stored form of jobs.
#include <array>
#include <utility>

#include "definition/byte_text.h"
#include "definition/json_record.h"
#include "jobs/job.h"

namespace cloche::jobs {
namespace {

using definition::EnumWord;
using definition::JobDistribution;
using definition::JobInput;
using definition::JobOutput;
using definition::JsonRecord;
using definition::StringMap;
using definition::text_to_json;

constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53U;

constexpr std::array<EnumWord<JobInput::Kind>, 4> kInputWords = {
    {{JobInput::Kind::kLiteral, "literal"},
     {JobInput::Kind::kFile, "uri_file"},
     {JobInput::Kind::kFolder, "uri_folder"},
     {JobInput::Kind::kAny, "path"}}};
constexpr std::array<EnumWord<JobOutput::Kind>, 2> kOutputWords = {
    {{JobOutput::Kind::kFile, "uri_file"}, {JobOutput::Kind::kFolder, "uri_folder"}}};
constexpr std::array<EnumWord<JobDistribution::Kind>, 3> kDistributionWords = {
    {{JobDistribution::Kind::kNone, "none"},
     {JobDistribution::Kind::kPyTorch, "pytorch"},
     {JobDistribution::Kind::kMpi, "mpi"}}};

Json map_json(const StringMap& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) {
    out.set(key, text_to_json(value));
  }
  return out;
}

Result<StringMap> read_map(const Json& json) {
  StringMap out;
  if (!json.is_object()) {
    return definition::damaged("no object of texts");
  }
  for (const auto& [key, value] : json.members()) {
    out[key] = TRY(definition::text_from_json(value));
  }
  return out;
}

Json number(std::uint64_t value) { return {static_cast<std::int64_t>(value)}; }

Json submission_json(const Submission& from) {
  const definition::CommandJob& job = from.job;
  Json inputs = Json::object();
  for (const auto& [name, input] : job.inputs) {
    inputs.set(
        name,
        Json::object().set("type", to_string(input.kind)).set("value", text_to_json(input.value)));
  }
  Json outputs = Json::object();
  for (const auto& [name, output] : job.outputs) {
    outputs.set(name, Json::object().set("type", to_string(output.kind)));
  }
  Json distribution;
  distribution.set("type", to_string(job.distribution.kind))
      .set("process_count_per_instance", job.distribution.processes_per_instance);
  Json resources;
  resources.set("instance_count", job.resources.instance_count)
      .set("shm_bytes", number(job.resources.shm_bytes))
      .set("milli_cpus", job.resources.milli_cpus)
      .set("memory_bytes", number(job.resources.memory_bytes))
      .set("gpus", job.resources.gpus);
  Json out;
  out.set("format", kFormat)
      .set("display_name", text_to_json(job.display_name))
      .set("description", text_to_json(job.description))
      .set("tags", map_json(job.tags))
      .set("command", text_to_json(job.command))
      .set("code", text_to_json(job.code))
      .set("code_digest", from.code.empty() ? "" : from.code.to_string())
      .set("code_files", number(from.code_files))
      .set("code_bytes", number(from.code_bytes))
      .set("environment", text_to_json(from.environment))
      .set("environment_variables", map_json(job.environment_variables))
      .set("inputs", std::move(inputs))
      .set("outputs", std::move(outputs))
      .set("distribution", std::move(distribution))
      .set("resources", std::move(resources))
      .set("timeout_s", job.timeout_s)
      .set("folder", text_to_json(from.folder))
      .set("rerun_of", from.rerun_of)
      .set("preparing", map_json(from.preparing));
  return out;
}

Result<Submission> read_submission(const Json& json) {
  const JsonRecord record =
      TRY(JsonRecord::open(json, {"format", "display_name", "description", "tags", "command",
                                  "code", "code_digest", "code_files", "code_bytes", "environment",
                                  "environment_variables", "inputs", "outputs", "distribution",
                                  "resources", "timeout_s", "folder", "rerun_of", "preparing"}));
  TRY(record.integer("format", kFormat, kFormat));
  Submission out;
  definition::CommandJob& job = out.job;
  job.display_name = TRY(record.text("display_name"));
  job.description = TRY(record.text("description"));
  job.tags = TRY(read_map(record["tags"]));
  job.command = TRY(record.text("command"));
  job.code = TRY(record.text("code"));
  if (const std::string digest = TRY(record.text("code_digest")); !digest.empty()) {
    out.code = TRY(Digest::parse(digest));
  }
  out.code_files = static_cast<std::uint64_t>(TRY(record.integer("code_files", 0, kMaxInteger)));
  out.code_bytes = static_cast<std::uint64_t>(TRY(record.integer("code_bytes", 0, kMaxInteger)));
  out.environment = TRY(record.text("environment"));
  job.environment_variables = TRY(read_map(record["environment_variables"]));
  if (!record["inputs"].is_object() || !record["outputs"].is_object()) {
    return definition::damaged("no inputs or outputs");
  }
  for (const auto& [name, value] : record["inputs"].members()) {
    const JsonRecord one = TRY(JsonRecord::open(value, {"type", "value"}));
    job.inputs[name] = {
        .kind = TRY(one.word(kInputWords, "type")), .value = TRY(one.text("value")), .at = {}};
  }
  for (const auto& [name, value] : record["outputs"].members()) {
    const JsonRecord one = TRY(JsonRecord::open(value, {"type"}));
    job.outputs[name] = {.kind = TRY(one.word(kOutputWords, "type")), .at = {}};
  }
  const JsonRecord distribution =
      TRY(JsonRecord::open(record["distribution"], {"type", "process_count_per_instance"}));
  job.distribution.kind = TRY(distribution.word(kDistributionWords, "type"));
  job.distribution.processes_per_instance =
      static_cast<int>(TRY(distribution.integer("process_count_per_instance", 1, 1 << 16)));
  const JsonRecord resources = TRY(JsonRecord::open(
      record["resources"], {"instance_count", "shm_bytes", "milli_cpus", "memory_bytes", "gpus"}));
  job.resources.instance_count =
      static_cast<int>(TRY(resources.integer("instance_count", 1, 1 << 16)));
  job.resources.shm_bytes =
      static_cast<std::uint64_t>(TRY(resources.integer("shm_bytes", 0, kMaxInteger)));
  job.resources.milli_cpus = TRY(resources.integer("milli_cpus", 0, kMaxInteger));
  job.resources.memory_bytes =
      static_cast<std::uint64_t>(TRY(resources.integer("memory_bytes", 0, kMaxInteger)));
  job.resources.gpus = static_cast<int>(TRY(resources.integer("gpus", 0, 1 << 16)));
  job.timeout_s = TRY(record.integer("timeout_s", 0, kMaxInteger));
  out.folder = TRY(record.text("folder"));
  out.rerun_of = TRY(record.text("rerun_of"));
  if (!record["preparing"].is_null()) {  // older ones have none
    out.preparing = TRY(read_map(record["preparing"]));
  }
  return out;
}

Json environment_json(const JobEnvironment& from) {
  Json out;
  out.set("name", from.name)
      .set("version", from.version)
      .set("fingerprint", from.fingerprint)
      .set("lock", from.lock)
      .set("image", from.image)
      .set("variables", map_json(from.variables));
  return out;
}

Json attempts_json(const std::vector<Attempt>& from) {
  Json out = Json::array();
  for (const Attempt& one : from) {
    out.push(Json::object()
                 .set("pid", one.pid)
                 .set("host", text_to_json(one.host))
                 .set("boot_id", one.boot_id)
                 .set("at", one.at));
  }
  return out;
}

Json run_json(const Run& from) {
  Json began = Json::array();
  for (const std::int64_t one : from.began) {
    began.push(one);
  }
  Json inputs = Json::array();
  for (const InputRecord& one : from.inputs) {
    inputs.push(Json::object()
                    .set("name", one.name)
                    .set("digest", one.digest)
                    .set("files", number(one.files))
                    .set("bytes", number(one.bytes)));
  }
  Json gpus = Json::array();
  for (const std::string& one : from.gpus) {
    gpus.push(one);
  }
  Json outputs = Json::array();
  for (const OutputFile& one : from.outputs) {
    outputs.push(Json::object()
                     .set("path", text_to_json(one.path))
                     .set("size", number(one.size_bytes))
                     .set("digest", text_to_json(one.digest)));
  }
  Json out;
  out.set("format", kFormat)
      .set("began", std::move(began))
      .set("ended", from.ended)
      .set("environment", environment_json(from.environment))
      .set("inputs", std::move(inputs))
      .set("gpus", std::move(gpus))
      .set("preparers", attempts_json(from.preparers))
      .set("attempts", attempts_json(from.attempts))
      .set("canceled_by", text_to_json(from.canceled_by))
      .set("timed_out", from.timed_out)
      .set("started", from.started)
      .set("failed_in", from.failed_in)
      .set("exit_code", from.exit_code ? Json(*from.exit_code) : Json())
      .set("signal", from.signal)
      .set("out_of_memory", from.out_of_memory)
      .set("reason", text_to_json(from.reason))
      .set("diagnosis", text_to_json(from.diagnosis))
      .set("peak_memory_bytes", number(from.peak_memory_bytes))
      .set("cpu_ms", from.cpu_ms)
      .set("outputs", std::move(outputs))
      .set("outputs_cut", from.outputs_cut);
  return out;
}

Result<JobEnvironment> read_environment(const Json& json) {
  const JsonRecord record =
      TRY(JsonRecord::open(json, {"name", "version", "fingerprint", "lock", "image", "variables"}));
  JobEnvironment out;
  out.name = TRY(record.text("name"));
  out.version = TRY(record.text("version"));
  out.fingerprint = TRY(record.text("fingerprint"));
  out.lock = TRY(record.text("lock"));
  out.image = TRY(record.text("image"));
  out.variables = TRY(read_map(record["variables"]));
  return out;
}

Result<Attempt> read_attempt(const Json& json) {
  const JsonRecord record = TRY(JsonRecord::open(json, {"pid", "host", "boot_id", "at"}));
  return Attempt{.pid = TRY(record.integer("pid", 0, kMaxInteger)),
                 .host = TRY(record.text("host")),
                 .boot_id = TRY(record.text("boot_id")),
                 .at = TRY(record.integer("at", 0, kMaxInteger))};
}

Result<InputRecord> read_input(const Json& json) {
  const JsonRecord record = TRY(JsonRecord::open(json, {"name", "digest", "files", "bytes"}));
  return InputRecord{
      .name = TRY(record.text("name")),
      .digest = TRY(record.text("digest")),
      .files = static_cast<std::uint64_t>(TRY(record.integer("files", 0, kMaxInteger))),
      .bytes = static_cast<std::uint64_t>(TRY(record.integer("bytes", 0, kMaxInteger)))};
}

Result<OutputFile> read_output(const Json& json) {
  const JsonRecord record = TRY(JsonRecord::open(json, {"path", "size", "digest"}));
  return OutputFile{
      .path = TRY(record.text("path")),
      .size_bytes = static_cast<std::uint64_t>(TRY(record.integer("size", 0, kMaxInteger))),
      .digest = TRY(record.text("digest"))};
}

Result<Run> read_run(const Json& json) {
  const JsonRecord record = TRY(JsonRecord::open(
      json,
      {"format",    "began",    "ended",         "environment", "inputs",    "gpus",
       "preparers", "attempts", "canceled_by",   "timed_out",   "started",   "failed_in",
       "exit_code", "signal",   "out_of_memory", "reason",      "diagnosis", "peak_memory_bytes",
       "cpu_ms",    "outputs",  "outputs_cut"}));
  TRY(record.integer("format", kFormat, kFormat));
  Run out;
  const Json& began = record["began"];
  if (!began.is_array() || began.items().size() != out.began.size()) {
    return definition::damaged("no times of stages");
  }
  for (std::size_t i = 0; i < out.began.size(); ++i) {
    if (!began.items()[i].is_integer()) {
      return definition::damaged("a time is no number");
    }
    out.began.at(i) = began.items()[i].as_integer();
  }
  out.ended = TRY(record.integer("ended", 0, kMaxInteger));
  out.environment = TRY(read_environment(record["environment"]));
  if (!record["inputs"].is_null()) {  // older ones have none
    out.inputs = TRY(definition::read_list<InputRecord>(record["inputs"], "inputs", read_input));
    out.gpus =
        TRY(definition::read_list<std::string>(record["gpus"], "gpus", definition::text_from_json));
    out.preparers =
        TRY(definition::read_list<Attempt>(record["preparers"], "preparers", read_attempt));
  }
  out.attempts = TRY(definition::read_list<Attempt>(record["attempts"], "attempts", read_attempt));
  out.canceled_by = TRY(record.text("canceled_by"));
  out.timed_out = TRY(record.boolean("timed_out"));
  out.started = TRY(record.boolean("started"));
  out.failed_in = TRY(record.text("failed_in"));
  if (!record["exit_code"].is_null()) {
    out.exit_code = TRY(record.integer("exit_code", -kMaxInteger, kMaxInteger));
  }
  out.signal = TRY(record.integer("signal", 0, 1024));
  out.out_of_memory = TRY(record.boolean("out_of_memory"));
  out.reason = TRY(record.text("reason"));
  out.diagnosis = TRY(record.text("diagnosis"));
  out.peak_memory_bytes =
      static_cast<std::uint64_t>(TRY(record.integer("peak_memory_bytes", 0, kMaxInteger)));
  out.cpu_ms = TRY(record.integer("cpu_ms", 0, kMaxInteger));
  out.outputs = TRY(definition::read_list<OutputFile>(record["outputs"], "outputs", read_output));
  out.outputs_cut = TRY(record.boolean("outputs_cut"));
  return out;
}

}  // namespace

workspace::JobRow to_row(const Job& job) {
  workspace::JobRow out = job.row;
  out.status = to_string(job.status);
  out.finished = is_final(job.status);
  out.code_digest = job.submission.code.empty() ? "" : job.submission.code.hex();
  const std::string& image = job.run.environment.image;
  out.image_digest = image.substr(image.find(':') + 1);
  out.definition = submission_json(job.submission).canonical();
  out.run = run_json(job.run).canonical();
  return out;
}

Result<Job> from_row(workspace::JobRow row) {
  Job out;
  out.status = TRY(parse_status(row.status).context("reading job {}", row.name));
  const Json submission = TRY(parse_json(row.definition).context("reading job {}", row.name));
  out.submission = TRY(read_submission(submission).context("reading job {}", row.name));
  out.submission.job.name = row.name;
  out.submission.job.experiment_name = row.experiment;
  const Json run = TRY(parse_json(row.run).context("reading job {}", row.name));
  out.run = TRY(read_run(run).context("reading job {}", row.name));
  out.row = std::move(row);
  return out;
}

}  // namespace cloche::jobs
