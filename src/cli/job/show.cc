// `cloche job show`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/job/access.h"
#include "cli/job/record.h"
#include "cli/table.h"
#include "core/size.h"
#include "core/text.h"
#include "jobs/launch_plan.h"
#include "jobs/log_times.h"
#include "jobs/metrics.h"

namespace cloche::cli {
namespace {

struct ShowOptions {
  std::string job;
  bool metrics = false;
};

constexpr std::size_t kTailLines = 20;
constexpr std::size_t kTailBytes = 16 << 10;
constexpr std::size_t kSparkWidth = 40;

std::string size_or_empty(const Json& value) {
  return value.is_integer() ? shown_size(static_cast<std::uint64_t>(value.as_integer())) : "";
}

std::vector<std::string> pairs(const Json& map) {
  std::vector<std::string> out;
  for (const auto& [key, value] : map.members()) {
    out.push_back(fmt::format(
        "{}={}", key, value.is_string() ? value.as_string() : value.string_or_empty("value")));
  }
  return out;
}

std::string environment_of(const Json& environment) {
  const std::string name = environment.string_or_empty("name");
  if (name.empty()) {
    return "";
  }
  return name == definition::kAnonymousName
             ? fmt::format("the job's own, {}", environment.string_or_empty("fingerprint"))
             : fmt::format("{}:{}", name, environment.string_or_empty("version"));
}

void add_outcome(const Json& data, Sheet& sheet) {
  if (data.string_or_empty("status") == "Failed") {
    sheet.add("failed in", data.string_or_empty("failed_in"));
  }
  sheet.add("exit code",
            data["exit_code"].is_null() ? "" : fmt::format("{}", data["exit_code"].as_integer()));
  sheet.add("signal",
            data["signal"].is_null() ? "" : fmt::format("{}", data["signal"].as_integer()));
  sheet.add("reason", data.string_or_empty("reason"));
  sheet.add("canceled by", data.string_or_empty("canceled_by"));
  sheet.add("peak memory", size_or_empty(data["peak_memory"]));
  sheet.add("processor time",
            data["cpu_ms"].is_null() ? "" : duration_text(data["cpu_ms"].as_integer()));
}

std::vector<std::string> input_digests(const Json& data) {
  std::vector<std::string> out;
  for (const Json& one : data["inputs"].items()) {
    const std::string digest = one.string_or_empty("digest");
    out.push_back(fmt::format("{}: {} ({})", one.string_or_empty("name"),
                              digest.empty() ? "not hashed" : digest, size_or_empty(one["bytes"])));
  }
  return out;
}

std::vector<std::string> outputs_of(const Json& data) {
  constexpr std::size_t kShown = 20;
  std::vector<std::string> out;
  for (const Json& one : data["outputs"].items()) {
    if (out.size() == kShown) {
      out.push_back(fmt::format("and {} more", data["outputs"].items().size() - kShown));
      break;
    }
    out.push_back(fmt::format("{} ({})", one.string_or_empty("path"), size_or_empty(one["size"])));
  }
  return out;
}

std::string metrics_text(const Json& metrics) {
  if (metrics.members().empty()) {
    return "no metrics: the job wrote no outputs/metrics.jsonl\n";
  }
  std::string out;
  std::size_t width = 0;
  for (const auto& [name, unused] : metrics.members()) {
    width = std::max(width, printable(name).size());
  }
  for (const auto& [name, one] : metrics.members()) {
    out += fmt::format("{:<{}}  {}  last {:.6g}, least {:.6g}, most {:.6g}, {} values\n",
                       printable(name), width, one.string_or_empty("sparkline"),
                       one["last"].as_double(), one["min"].as_double(), one["max"].as_double(),
                       one["count"].as_integer());
  }
  return out;
}

std::string job_show_text(const Json& data, const Style& style) {
  const Json& definition = data["definition"];
  const Json& environment = data["environment"];
  Sheet sheet;
  sheet.add("name", data.string_or_empty("name"));
  sheet.add("display name", data.string_or_empty("display_name"));
  sheet.add("experiment", data.string_or_empty("experiment_name"));
  sheet.add("status",
            data.string_or_empty("status") + (data["archived"].as_bool() ? ", archived" : ""));
  add_outcome(data, sheet);
  sheet.add("command", definition.string_or_empty("command"));
  sheet.add("code", definition.string_or_empty("code"));
  sheet.add("code digest", definition.string_or_empty("code_digest"));
  sheet.add("environment", environment_of(environment));
  sheet.add("lock", environment.string_or_empty("lock_digest"));
  sheet.add("image", environment.string_or_empty("image_digest"));
  sheet.add("inputs", pairs(definition["inputs"]));
  sheet.add("input digests", input_digests(data));
  sheet.add("variables", pairs(definition["environment_variables"]));
  sheet.add("tags", pairs(data["tags"]));
  sheet.add("description", data.string_or_empty("description"));
  sheet.add("rerun of", definition.string_or_empty("rerun_of"));
  sheet.add("created",
            data.string_or_empty("created_at") + " by " + data.string_or_empty("created_by"));
  sheet.add("host", data.string_or_empty("host"));
  sheet.add("directory", data.string_or_empty("directory"));
  sheet.add("outputs", outputs_of(data));
  std::string out = sheet.render(style) + "\n" + stages_text(data) + "\n";
  if (!data["metrics"].is_null()) {
    out += "\n" + metrics_text(data["metrics"]);
  }
  if (const std::string tail = data.string_or_empty("log_tail"); !tail.empty()) {
    out += "\nthe last of the log:\n" + printable_lines(tail);
    out += tail.ends_with('\n') ? "" : "\n";
  }
  if (const std::string diagnosis = data.string_or_empty("diagnosis"); !diagnosis.empty()) {
    out += "\nhint: " + printable(diagnosis) + "\n";
  }
  return out;
}

Json metrics_record(const jobs::Metrics& metrics) {
  Json out = Json::object();
  for (const auto& [name, points] : metrics) {
    double low = points.front().value;
    double high = low;
    Json values = Json::array();
    for (const jobs::MetricPoint& point : points) {
      low = std::min(low, point.value);
      high = std::max(high, point.value);
      values.push(Json::object().set("step", point.step).set("value", point.value));
    }
    out.set(name, Json::object()
                      .set("count", static_cast<std::int64_t>(points.size()))
                      .set("last", points.back().value)
                      .set("min", low)
                      .set("max", high)
                      .set("sparkline", jobs::sparkline(points, kSparkWidth))
                      .set("values", std::move(values)));
  }
  return out;
}

// Of the first rank that wrote anything.
std::string tail_of(const jobs::Job& job, const jobs::RunDirectory& directory) {
  std::string out;
  for (int rank = 0; rank < jobs::rank_count(job) && out.empty(); ++rank) {
    out = jobs::log_tail(directory.user_logs(),
                         jobs::RunDirectory::log_name(jobs::has_rank_logs(job), rank), kTailBytes,
                         kTailLines);
  }
  return out;
}

Result<Report> run_show(const ShowOptions& options, Context& context) {
  JobAccess access = TRY(JobAccess::open(context));
  const jobs::Job job = TRY(access.book().get(options.job));
  const jobs::RunDirectory directory = access.book().directory(job.name());
  Json data = job_record(job, access.book().now_ms());
  data.set("directory", directory.path());
  const bool failed = job.status == jobs::JobStatus::kFailed;
  const std::string tail = failed ? tail_of(job, directory) : std::string();
  data.set("log_tail", tail.empty() ? Json() : Json(tail));
  data.set("metrics",
           options.metrics ? metrics_record(TRY(jobs::read_metrics(directory.outputs()))) : Json());
  return Report{.data = std::move(data), .text = job_show_text};
}

constexpr std::array<Argument, 2> kJobShowArguments = {{
    {.name = "JOB", .help = "The job's name", .required = true, .field = kField<&ShowOptions::job>},
    {.name = "metrics",
     .help = "What it measured, each as a line of the terminal",
     .field = kField<&ShowOptions::metrics>},
}};

constexpr std::array<Example, 2> kJobShowExamples = {{
    {"Why did it fail?", "cloche job show calm_river_1f0e9a3c"},
    {"How did it learn?", "cloche job show calm_river_1f0e9a3c --metrics"},
}};

}  // namespace

const Command kJobShow = {
    .path = "job show",
    .summary = "show a job",
    .description =
        "Shows what is known of a job: what was submitted, the exact environment, the time of each "
        "stage with a bar in proportion (P preparing, Q queued, R running, F finalizing), what it "
        "took and what it wrote. Of a failure also the stage, the exit code or signal, the last "
        "lines of the log, and what to do, where that is known.",
    .arguments = kJobShowArguments,
    .examples = kJobShowExamples,
    .see_also = "job stream, job list, job compare",
    .run = run<ShowOptions, run_show>,
};

}  // namespace cloche::cli
