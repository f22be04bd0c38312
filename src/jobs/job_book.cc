#include "jobs/job_book.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "io/file.h"
#include "io/temporary.h"

namespace cloche::jobs {
namespace {

// A name that is easy to say and to type, as Azure's are: "calm_river_k3x9q2".
std::string make_name() {
  static constexpr std::array<std::string_view, 16> kFirst = {
      "amber", "brave", "calm", "clear", "deep",  "early", "fair",  "green",
      "high",  "keen",  "lone", "mild",  "quiet", "sunny", "tidal", "warm"};
  static constexpr std::array<std::string_view, 16> kSecond = {
      "bay",   "brook", "cloud", "creek", "dune", "field", "glade", "grove",
      "heath", "hill",  "lake",  "marsh", "pine", "river", "stone", "wood"};
  constexpr std::size_t kSuffix = 8;
  const std::string random = io::random_name();  // 16 hex digits
  const auto digit = [&](std::size_t place) {
    const char c = random.at(place);
    return static_cast<std::size_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  return fmt::format("{}_{}_{}", kFirst.at(digit(0)), kSecond.at(digit(1)),
                     random.substr(random.size() - kSuffix));
}

Error name_taken(const std::string& name) {
  return fail(ErrorKind::kConflict, "there is a job {} already", name)
      .with_hint("leave the name out, and one is made; or choose another");
}

std::optional<Stage> stage_of(JobStatus status) {
  switch (status) {
    case JobStatus::kPreparing:
      return Stage::kPreparing;
    case JobStatus::kQueued:
      return Stage::kQueued;
    case JobStatus::kRunning:
      return Stage::kRunning;
    case JobStatus::kFinalizing:
      return Stage::kFinalizing;
    default:
      return std::nullopt;
  }
}

}  // namespace

void enter(Job& job, JobStatus status, std::int64_t now) {
  job.status = status;
  if (const auto stage = stage_of(status)) {
    std::int64_t& began = job.run.began.at(static_cast<std::size_t>(*stage));
    began = began == 0 ? now : began;
  }
  if (is_final(status)) {
    job.run.ended = now;
  }
}

void fail_job(Job& job, std::string reason, std::int64_t now) {
  for (const Stage stage : kStages) {
    if (job.run.began.at(static_cast<std::size_t>(stage)) != 0) {
      job.run.failed_in = to_string(stage);
    }
  }
  job.run.reason = std::move(reason);
  enter(job, JobStatus::kFailed, now);
}

Result<io::FileLock> JobBook::add(Job& job) {
  const bool named = !job.submission.job.name.empty();
  job.row.name = named ? job.submission.job.name : make_name();
  job.submission.job.name = job.row.name;
  job.row.experiment = job.submission.job.experiment_name;
  job.row.created_at = now_ms();
  job.row.created_by = history_.user();
  enter(job, JobStatus::kPreparing, job.row.created_at);
  job.row = to_row(job);
  if (named && TRY(history_.find(job.row.name))) {
    return name_taken(job.row.name);
  }
  // Before the job is seen by others, who would take it for left behind.
  auto charge = TRY(directory(job.row.name).take_charge());
  if (!charge) {
    return name_taken(job.row.name);
  }
  TRY(history_.together([&]() -> Status {
    TRY(history_.add(job.row));
    return history_.add_event(job.row, "status", job.row.status);
  }));
  // Whoever follows it listens for its bell from now on.
  directory(job.row.name).ring();
  ring_bell(queue_bell(workspace()));
  return std::move(*charge);
}

Result<Job> JobBook::get(std::string_view name) { return from_row(TRY(history_.get(name))); }

Result<std::vector<Job>> JobBook::list(const workspace::JobQuery& query) {
  std::vector<Job> out;
  for (workspace::JobRow& row : TRY(history_.list(query))) {
    out.push_back(TRY(from_row(std::move(row))));
  }
  return out;
}

Result<Job> JobBook::change(std::string_view name, const std::function<Status(Job&)>& change) {
  std::optional<Job> out;
  TRY(history_.together([&]() -> Status {
    Job job = TRY(from_row(TRY(history_.get(name))));
    const JobStatus before = job.status;
    TRY(change(job));
    job.row = to_row(job);
    TRY(history_.update(job.row));
    if (job.status != before) {
      TRY(history_.add_event(job.row, "status", job.row.status));
    }
    out = std::move(job);
    return {};
  }));
  directory(name).ring();
  ring_bell(queue_bell(workspace()));
  return std::move(*out);
}

Status JobBook::note(const Job& job, std::string_view kind, std::string_view detail) {
  TRY(history_.together([&] { return history_.add_event(job.row, kind, detail); }));
  directory(job.name()).ring();
  return {};
}

}  // namespace cloche::jobs
