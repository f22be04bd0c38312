// `cloche job compare`
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/job/access.h"
#include "cli/job/record.h"
#include "cli/messages.h"
#include "cli/table.h"
#include "core/size.h"
#include "core/text.h"
#include "jobs/metrics.h"

namespace cloche::cli {
namespace {

struct CompareOptions {
  std::vector<std::string> jobs;
  bool all = false;
};

// One line of the comparison: what, and a value for each job ("" when it has none).
struct Row {
  std::string what;
  std::vector<std::string> values;
};

std::string job_compare_text(const Json& data, const Style& style) {
  std::vector<std::string> headers = {""};
  for (const Json& job : data["jobs"].items()) {
    headers.push_back(job.as_string());
  }
  Table table(headers);
  for (const Json& row : data["rows"].items()) {
    std::vector<std::string> cells = {row.string_or_empty("what")};
    for (const Json& value : row["values"].items()) {
      cells.push_back(value.is_null() ? "-" : value.as_string());
    }
    table.add(std::move(cells));
  }
  return table.render(style);
}

class Comparison {
 public:
  explicit Comparison(const std::vector<jobs::Job>& all) : jobs_(all) {}

  template <class Value>
  void add(const std::string& what, const Value& value) {
    Row row{.what = what, .values = {}};
    row.values.reserve(jobs_.size());
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      row.values.push_back(value(jobs_[i], i));
    }
    rows_.push_back(std::move(row));
  }

  Json records(bool all) const {
    Json out = Json::array();
    for (const Row& row : rows_) {
      const bool same = std::ranges::all_of(
          row.values, [&](const std::string& one) { return one == row.values.front(); });
      if (same && !all) {
        continue;
      }
      Json values = Json::array();
      for (const std::string& one : row.values) {
        values.push(text_or_null(one));
      }
      out.push(
          Json::object().set("what", row.what).set("same", same).set("values", std::move(values)));
    }
    return out;
  }

 private:
  const std::vector<jobs::Job>& jobs_;
  std::vector<Row> rows_;
};

std::string running_time(const jobs::Job& job) {
  const auto ms = duration_ms(job.run, jobs::Stage::kRunning, job.run.ended);
  return ms ? duration_text(*ms) : "";
}

void add_facts(Comparison& out) {
  using jobs::Job;
  out.add("status", [](const Job& job, std::size_t) { return std::string(to_string(job.status)); });
  out.add("command", [](const Job& job, std::size_t) { return job.submission.job.command; });
  out.add("code", [](const Job& job, std::size_t) {
    return job.submission.code.empty() ? "" : job.submission.code.hex().substr(0, 12);
  });
  out.add("environment", [](const Job& job, std::size_t) {
    return job.run.environment.name.empty()
               ? ""
               : job.run.environment.name + ":" + job.run.environment.version;
  });
  out.add("lock", [](const Job& job, std::size_t) { return job.run.environment.lock; });
  out.add("image", [](const Job& job, std::size_t) { return job.run.environment.image; });
  out.add("exit code", [](const Job& job, std::size_t) {
    return job.run.exit_code ? fmt::format("{}", *job.run.exit_code) : "";
  });
  out.add("running", [](const Job& job, std::size_t) { return running_time(job); });
  out.add("processor time", [](const Job& job, std::size_t) {
    return job.run.cpu_ms == 0 ? "" : duration_text(job.run.cpu_ms);
  });
  out.add("peak memory", [](const Job& job, std::size_t) {
    return job.run.peak_memory_bytes == 0 ? "" : shown_size(job.run.peak_memory_bytes);
  });
}

// Values that jobs name, by name: inputs, variables, tags.
template <class Get>
void add_named(const std::string& prefix, const std::vector<jobs::Job>& all, Comparison& out,
               const Get& get) {
  std::set<std::string> names;
  for (const jobs::Job& job : all) {
    for (const auto& [name, unused] : get(job)) {
      names.insert(name);
    }
  }
  for (const std::string& name : names) {
    out.add(prefix + name, [&](const jobs::Job& job, std::size_t) {
      const auto& map = get(job);
      const auto found = map.find(name);
      if constexpr (std::is_same_v<std::decay_t<decltype(found->second)>, std::string>) {
        return found == map.end() ? std::string() : found->second;
      } else {
        return found == map.end() ? std::string() : found->second.value;
      }
    });
  }
}

void add_metrics(const std::vector<jobs::Metrics>& metrics, Comparison& out) {
  std::set<std::string> names;
  for (const jobs::Metrics& one : metrics) {
    for (const auto& [name, unused] : one) {
      names.insert(name);
    }
  }
  constexpr std::size_t kWidth = 16;
  for (const std::string& name : names) {
    out.add("metric " + name, [&](const jobs::Job&, std::size_t place) {
      const auto found = metrics[place].find(name);
      return found == metrics[place].end() ? std::string()
                                           : fmt::format("{:.6g} {}", found->second.back().value,
                                                         jobs::sparkline(found->second, kWidth));
    });
  }
}

Result<Report> run_compare(const CompareOptions& options, Context& context) {
  if (options.jobs.size() < 2) {
    return fail(ErrorKind::kUsage, "comparing takes two jobs or more");
  }
  JobAccess access = TRY(JobAccess::open(context));
  std::vector<jobs::Job> all;
  std::vector<jobs::Metrics> metrics;
  Json names = Json::array();
  all.reserve(options.jobs.size());
  metrics.reserve(options.jobs.size());
  for (const std::string& name : options.jobs) {
    all.push_back(TRY(access.book().get(name)));
    metrics.push_back(TRY(jobs::read_metrics(access.book().directory(name).outputs())));
    names.push(name);
  }
  Comparison out(all);
  add_facts(out);
  add_named("input ", all, out,
            [](const jobs::Job& job) -> const auto& { return job.submission.job.inputs; });
  add_named("variable ", all, out, [](const jobs::Job& job) -> const auto& {
    return job.submission.job.environment_variables;
  });
  add_named("tag ", all, out,
            [](const jobs::Job& job) -> const auto& { return job.submission.job.tags; });
  add_metrics(metrics, out);
  Json data;
  data.set("jobs", std::move(names)).set("rows", out.records(options.all));
  return Report{.data = std::move(data), .text = job_compare_text};
}

constexpr std::array<Argument, 2> kJobCompareArguments = {{
    {.name = "JOB",
     .help = "Two jobs or more",
     .required = true,
     .field = kField<&CompareOptions::jobs>},
    {.name = "all",
     .letter = 'a',
     .help = "Also what is the same in all of them",
     .field = kField<&CompareOptions::all>},
}};

constexpr std::array<Example, 1> kJobCompareExamples = {{
    {"What made the difference?", "cloche job compare calm_river_1f0e9a3c warm_hill_07be21d5"},
}};

}  // namespace

const Command kJobCompare = {
    .path = "job compare",
    .summary = "put jobs side by side",
    .description =
        "Shows what differs between jobs: command, code, environment, inputs, variables, tags, "
        "what "
        "they took, and the last value of each metric with its course.",
    .arguments = kJobCompareArguments,
    .examples = kJobCompareExamples,
    .see_also = "job show, env diff",
    .run = run<CompareOptions, run_compare>,
};

}  // namespace cloche::cli
