#include "cli/job/record.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "cli/messages.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

Json time_or_null(std::int64_t ms) { return ms == 0 ? Json() : Json(to_rfc3339(ms)); }

Json stage_records(const jobs::Run& run, std::int64_t now) {
  Json out = Json::array();
  for (const jobs::Stage stage : jobs::kStages) {
    const auto duration = duration_ms(run, stage, now);
    out.push(Json::object()
                 .set("stage", to_string(stage))
                 .set("began_at", time_or_null(run.began.at(static_cast<std::size_t>(stage))))
                 .set("duration_ms", duration ? Json(*duration) : Json()));
  }
  return out;
}

Json map_record(const definition::StringMap& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) {
    out.set(key, value);
  }
  return out;
}

Json definition_record(const jobs::Submission& submission) {
  const definition::CommandJob& job = submission.job;
  Json inputs = Json::object();
  for (const auto& [name, input] : job.inputs) {
    inputs.set(name, Json::object().set("type", to_string(input.kind)).set("value", input.value));
  }
  Json outputs = Json::object();
  for (const auto& [name, output] : job.outputs) {
    outputs.set(name, Json::object().set("type", to_string(output.kind)));
  }
  Json resources;
  resources.set("instance_count", job.resources.instance_count)
      .set("shm_size", static_cast<std::int64_t>(job.resources.shm_bytes))
      .set("cpus", job.resources.milli_cpus == 0
                       ? Json()
                       : Json(static_cast<double>(job.resources.milli_cpus) / 1000))
      .set("memory", job.resources.memory_bytes == 0
                         ? Json()
                         : Json(static_cast<std::int64_t>(job.resources.memory_bytes)))
      .set("gpus", job.resources.gpus);
  Json out;
  out.set("command", job.command)
      .set("code", text_or_null(job.code))
      .set("code_digest", submission.code.empty() ? Json() : Json(submission.code.to_string()))
      .set("environment", submission.environment)
      .set("environment_variables", map_record(job.environment_variables))
      .set("inputs", std::move(inputs))
      .set("outputs", std::move(outputs))
      .set("distribution", to_string(job.distribution.kind))
      .set("process_count_per_instance", job.distribution.processes_per_instance)
      .set("resources", std::move(resources))
      .set("timeout_s", job.timeout_s == 0 ? Json() : Json(job.timeout_s))
      .set("folder", submission.folder)
      .set("rerun_of", text_or_null(submission.rerun_of));
  return out;
}

Json environment_record(const jobs::JobEnvironment& environment) {
  Json out;
  out.set("name", text_or_null(environment.name))
      .set("version", text_or_null(environment.version))
      .set("fingerprint", text_or_null(environment.fingerprint))
      .set("lock_digest", text_or_null(environment.lock))
      .set("image_digest", text_or_null(environment.image));
  return out;
}

Json input_records(const jobs::Run& run) {
  Json out = Json::array();
  for (const jobs::InputRecord& input : run.inputs) {
    out.push(Json::object()
                 .set("name", input.name)
                 .set("digest", text_or_null(input.digest))
                 .set("files", static_cast<std::int64_t>(input.files))
                 .set("bytes", static_cast<std::int64_t>(input.bytes)));
  }
  return out;
}

Json output_records(const jobs::Run& run) {
  Json out = Json::array();
  for (const jobs::OutputFile& file : run.outputs) {
    out.push(Json::object()
                 .set("path", file.path)
                 .set("size", static_cast<std::int64_t>(file.size_bytes))
                 .set("digest", file.digest));
  }
  return out;
}

}  // namespace

Json job_summary_record(const jobs::Job& job, std::int64_t now) {
  const jobs::Run& run = job.run;
  Json out;
  out.set("name", job.name())
      .set("display_name", text_or_null(job.submission.job.display_name))
      .set("experiment_name", job.row.experiment)
      .set("status", to_string(job.status))
      .set("archived", job.row.archived)
      .set("created_at", to_rfc3339(job.row.created_at))
      .set("created_by", job.row.created_by)
      .set("ended_at", time_or_null(run.ended))
      .set("stages", stage_records(run, now))
      .set("environment", environment_record(run.environment))
      .set("exit_code", run.exit_code ? Json(*run.exit_code) : Json())
      .set("reason", text_or_null(run.reason));
  return out;
}

Json job_record(const jobs::Job& job, std::int64_t now) {
  const jobs::Run& run = job.run;
  Json out = job_summary_record(job, now);
  Json gpus = Json::array();
  for (const std::string& one : run.gpus) {
    gpus.push(one);
  }
  out.set("description", text_or_null(job.submission.job.description))
      .set("tags", map_record(job.submission.job.tags))
      .set("definition", definition_record(job.submission))
      .set("failed_in", text_or_null(run.failed_in))
      .set("signal", run.signal == 0 ? Json() : Json(run.signal))
      .set("out_of_memory", run.out_of_memory)
      .set("timed_out", run.timed_out)
      .set("canceled_by", text_or_null(run.canceled_by))
      .set("diagnosis", text_or_null(run.diagnosis))
      .set("host", run.attempts.empty() ? Json() : Json(run.attempts.back().host))
      .set("attempts", static_cast<std::int64_t>(run.attempts.size()))
      .set("peak_memory", run.peak_memory_bytes == 0
                              ? Json()
                              : Json(static_cast<std::int64_t>(run.peak_memory_bytes)))
      .set("cpu_ms", run.cpu_ms == 0 ? Json() : Json(run.cpu_ms))
      .set("gpus", std::move(gpus))
      .set("inputs", input_records(run))
      .set("outputs", output_records(run))
      .set("outputs_cut", run.outputs_cut);
  return out;
}

std::string duration_text(std::int64_t ms) {
  constexpr std::int64_t kMinute = 60'000;
  constexpr std::int64_t kHour = 60 * kMinute;
  if (ms < kMinute) {
    return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  }
  if (ms < kHour) {
    return fmt::format("{} min {:02} s", ms / kMinute, ms % kMinute / 1000);
  }
  return fmt::format("{} h {:02} min", ms / kHour, ms % kHour / kMinute);
}

std::string stages_text(const Json& record) {
  constexpr std::int64_t kWidth = 50;
  std::string words;
  std::string bar;
  std::int64_t total = 0;
  for (const Json& one : record["stages"].items()) {
    total += one["duration_ms"].is_null() ? 0 : one["duration_ms"].as_integer();
  }
  for (const Json& one : record["stages"].items()) {
    if (one["duration_ms"].is_null()) {
      continue;
    }
    const std::int64_t duration = one["duration_ms"].as_integer();
    const std::string stage = one.string_or_empty("stage");
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", stage, duration_text(duration));
    const std::int64_t cells =
        total == 0 ? 1 : std::max<std::int64_t>(1, duration * kWidth / total);
    bar.append(static_cast<std::size_t>(cells), stage.front());
  }
  return words + "\n" + bar;
}

std::string ending_text(const Json& record) {
  const std::string status = record.string_or_empty("status");
  std::string out =
      fmt::format("job {} {}", record.string_or_empty("name"),
                  status == "Completed"  ? "is completed"
                  : status == "Canceled" ? "was canceled"
                  : status == "Failed"   ? "failed in stage " + record.string_or_empty("failed_in")
                                         : "is " + status);
  if (const std::string reason = record.string_or_empty("reason"); !reason.empty()) {
    out += ": " + printable(reason);
  }
  out += "\n";
  if (const std::string diagnosis = record.string_or_empty("diagnosis"); !diagnosis.empty()) {
    out += "hint: " + printable(diagnosis) + "\n";
  }
  return out;
}

int job_exit_code(const jobs::Job& job) {
  switch (job.status) {
    case jobs::JobStatus::kFailed:
      return 1;
    case jobs::JobStatus::kCanceled:
      return exit_code(ErrorKind::kCancelled);
    default:
      return 0;
  }
}

}  // namespace cloche::cli
