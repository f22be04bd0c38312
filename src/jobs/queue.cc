#include "jobs/queue.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/size.h"

namespace cloche::jobs {
namespace {

// Whether nobody has charge of the job. The lock is let go of at once.
Result<bool> is_orphan(const JobBook& book, const std::string& name) {
  return TRY(book.directory(name).take_charge()).has_value();
}

constexpr std::size_t kMaxPreparers = 3;  // preparing may be what kills them

// What becomes of a job whose preparer died: true, when another one is to go on.
Result<bool> goes_on(JobBook& book, const std::string& name) {
  bool out = false;
  TRY(book.change(name, [&](Job& job) -> Status {
    const bool preparing =
        job.status == JobStatus::kPreparing || job.status == JobStatus::kNotStarted;
    out = preparing && job.handed_over() && job.run.preparers.size() < kMaxPreparers;
    if (preparing && !out) {
      fail_job(job,
               job.handed_over()
                   ? fmt::format("{} processes that prepared it were ended", kMaxPreparers)
                   : "the command that submitted it was ended before the job was ready",
               book.now_ms());
    } else if (job.status == JobStatus::kCancelRequested && !job.row.claimed) {
      enter(job, JobStatus::kCanceled, book.now_ms());
    }
    return {};
  }));
  return out;
}

constexpr std::size_t kQuickEnds = 5;
constexpr std::int64_t kQuickMs = 60'000;

// Whether another supervisor is to be started for a claimed job that has none. Not where one after
// another ends at once, which a new one would do as well: what has not started has failed then, and
// what runs is left alone for a while.
Result<bool> may_supervise(JobBook& book, const std::string& name) {
  const auto too_often = [&](const Run& run) {
    return run.attempts.size() >= kQuickEnds &&
           book.now_ms() - run.attempts[run.attempts.size() - kQuickEnds].at < kQuickMs;
  };
  const Job job = TRY(book.get(name));
  if (!too_often(job.run)) {
    return true;
  }
  if (job.status == JobStatus::kQueued) {
    TRY(book.change(name, [&](Job& one) -> Status {
      if (one.status == JobStatus::kQueued && too_often(one.run)) {
        fail_job(one, fmt::format("{} processes that were to start it were ended", kQuickEnds),
                 book.now_ms());
      }
      return {};
    }));
  }
  return false;
}

// What claimed jobs leave of the machine.
class Room {
 public:
  explicit Room(const Machine& machine)
      : milli_cpus_(machine.milli_cpus),
        memory_(static_cast<std::int64_t>(machine.memory_bytes)),
        gpus_(machine.gpus) {}

  bool has(const workspace::JobRow& row) const {
    return row.milli_cpus <= milli_cpus_ && row.memory_bytes <= memory_ &&
           row.gpus <= static_cast<std::int64_t>(gpus_.size());
  }
  std::vector<std::string> choose_gpus(std::int64_t count) const {
    return {gpus_.begin(), gpus_.begin() + count};
  }
  Status take(const workspace::JobRow& row) {
    milli_cpus_ -= row.milli_cpus;
    memory_ -= row.memory_bytes;
    if (row.gpus != 0) {
      for (const std::string& one : TRY(from_row(row)).run.gpus) {
        std::erase(gpus_, one);
      }
    }
    return {};
  }

 private:
  std::int64_t milli_cpus_;
  std::int64_t memory_;
  std::vector<std::string> gpus_;  // the free ones
};

}  // namespace

Status weigh(Job& job, const Machine& machine) {
  const definition::JobResources& asked = job.submission.job.resources;
  const std::int64_t instances = asked.instance_count;
  const std::int64_t milli_cpus =
      asked.milli_cpus != 0
          ? asked.milli_cpus * instances
          : std::min(machine.milli_cpus,
                     1000 * instances * job.submission.job.distribution.processes_per_instance);
  const std::uint64_t memory = asked.memory_bytes * static_cast<std::uint64_t>(instances);
  const std::int64_t gpus = asked.gpus * instances;
  if (milli_cpus > machine.milli_cpus) {
    return fail(ErrorKind::kInvalid, "the job asks for {} processors, and this machine has {}",
                static_cast<double>(milli_cpus) / 1000,
                static_cast<double>(machine.milli_cpus) / 1000)
        .with_hint("lower resources.cpus or resources.instance_count");
  }
  if (memory > machine.memory_bytes) {
    return fail(ErrorKind::kInvalid, "the job asks for {} of memory, and this machine has {}",
                shown_size(memory), shown_size(machine.memory_bytes))
        .with_hint("lower resources.memory or resources.instance_count");
  }
  if (gpus > static_cast<std::int64_t>(machine.gpus.size())) {
    return fail(ErrorKind::kInvalid,
                "the job asks for {} GPUs, and this machine has {} that containers can be given",
                gpus, machine.gpus.size())
        .with_hint(machine.gpus.empty()
                       ? "let the driver's tool write a spec of the Container Device Interface, "
                         "for NVIDIA: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
                       : "lower resources.gpus");
  }
  job.row.milli_cpus = milli_cpus;
  job.row.memory_bytes = static_cast<std::int64_t>(memory);
  job.row.gpus = gpus;
  return {};
}

Result<std::vector<std::string>> claim_jobs(JobBook& book, const Machine& machine) {
  std::vector<std::string> out;
  TRY(book.history().together([&]() -> Status {
    const auto rows = TRY(book.history().list(
        {.include_archived = true, .only_unfinished = true, .oldest_first = true}));
    Room room(machine);
    for (const workspace::JobRow& row : rows) {
      if (row.claimed) {
        TRY(room.take(row));
      }
    }
    for (workspace::JobRow row : rows) {
      if (row.claimed || row.status != to_string(JobStatus::kQueued)) {
        continue;
      }
      if (!room.has(row)) {
        break;
      }
      row.claimed = true;
      if (row.gpus != 0) {
        Job job = TRY(from_row(std::move(row)));
        job.run.gpus = room.choose_gpus(job.row.gpus);
        row = to_row(job);
      }
      TRY(room.take(row));
      TRY(book.history().update(row));
      out.push_back(row.name);
    }
    return {};
  }));
  return out;
}

Status attend(JobBook& book, const Machine& machine, const StartSupervisor& start) {
  const auto rows = TRY(book.history().list({.include_archived = true, .only_unfinished = true}));
  for (const workspace::JobRow& row : rows) {
    const JobStatus status = TRY(parse_status(row.status));
    const bool preparing = status == JobStatus::kPreparing || status == JobStatus::kNotStarted ||
                           (status == JobStatus::kCancelRequested && !row.claimed);
    if ((!preparing && !row.claimed) || !TRY(is_orphan(book, row.name))) {
      continue;
    }
    if (TRY(preparing ? goes_on(book, row.name) : may_supervise(book, row.name))) {
      TRY(start(row.name));
    }
  }
  for (const std::string& name : TRY(claim_jobs(book, machine))) {
    TRY(start(name));
  }
  return {};
}

}  // namespace cloche::jobs
