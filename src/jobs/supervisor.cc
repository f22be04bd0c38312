#include "jobs/supervisor.h"

#include <algorithm>
#include <csignal>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "jobs/diagnosis.h"
#include "jobs/free_port.h"
#include "jobs/log_times.h"
#include "jobs/outputs.h"
#include "jobs/python_shim.h"
#include "jobs/snapshot.h"
#include "jobs/wake.h"

namespace cloche::jobs {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxHostsBytes = std::size_t{1} << 20U;
constexpr int kPort = 6105;  // Azure's, where nobody else is on the network

// The instances of a job while they run: a thread waits for each.
class Instances {
 public:
  struct One {
    std::string id;
    std::optional<Result<Ending>> ending = std::nullopt;
  };

  Instances(Launcher& launcher, const Wake& wake, const std::vector<std::string>& ids)
      : launcher_(launcher), wake_(wake) {
    for (const std::string& id : ids) {
      all_.push_back({.id = id});
    }
    for (std::size_t i = 0; i < all_.size(); ++i) {
      threads_.emplace_back([this, i](const std::stop_token& stop) { wait(i, stop); });
    }
  }
  Instances(const Instances&) = delete;
  Instances& operator=(const Instances&) = delete;
  ~Instances() = default;  // the threads stop waiting; the instances run on

  bool all_ended() { return count_ended() == all_.size(); }
  std::size_t count_ended() {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(all_, [](const One& one) { return one.ending.has_value(); }));
  }
  bool any_failed() {
    const std::scoped_lock lock(mutex_);
    return std::ranges::any_of(all_, [](const One& one) {
      return one.ending && (!one.ending->has_value() || (*one.ending)->exit_code != 0);
    });
  }

  void signal(int number) {
    for (const One& one : all_) {
      static_cast<void>(launcher_.signal(one.id, number));
    }
  }

  // Once all have ended. In the order in which they did, so that the first is the cause.
  std::vector<Result<Ending>> endings() {
    const std::scoped_lock lock(mutex_);
    std::vector<Result<Ending>> out;
    out.reserve(order_.size());
    for (const std::size_t place : order_) {
      out.push_back(*all_[place].ending);
    }
    return out;
  }

 private:
  void wait(std::size_t place, const std::stop_token& stop) {
    Result<Ending> ending = launcher_.wait(all_[place].id, stop);
    if (!ending && ending.error().kind == ErrorKind::kCancelled) {
      return;
    }
    {
      const std::scoped_lock lock(mutex_);
      all_[place].ending = std::move(ending);
      order_.push_back(place);
    }
    wake_.wake();
  }

  Launcher& launcher_;
  const Wake& wake_;
  std::mutex mutex_;  // guards the endings and their order
  std::vector<One> all_;
  std::vector<std::size_t> order_;
  std::vector<std::jthread> threads_;
};

class Supervisor {
 public:
  Supervisor(JobBook& book, Job job, const SupervisorSetting& setting, Wake wake,
             const std::stop_token& stop)
      : book_(book),
        job_(std::move(job)),
        setting_(setting),
        directory_(book.directory(job_.name())),
        wake_(std::move(wake)),
        stop_(stop) {}

  Result<bool> run() {
    TRY(directory_.create());
    TRY(wake_.watch(directory_.bell()));
    TRY(record_attempt());
    if (job_.status == JobStatus::kQueued) {
      auto begun = begin();
      if (!begun) {
        TRY(fail_now(std::move(begun).error()));
        return true;
      }
    }
    if (job_.status == JobStatus::kRunning || job_.status == JobStatus::kCancelRequested) {
      if (!TRY(watch())) {
        return false;
      }
    }
    TRY(finish());
    return true;
  }

 private:
  Status record_attempt() {
    job_ = TRY(book_.change(job_.name(), [&](Job& job) -> Status {
      job.run.attempts.push_back({.pid = ::getpid(),
                                  .host = setting_.machine.host,
                                  .boot_id = setting_.machine.boot_id,
                                  .at = book_.now_ms()});
      return {};
    }));
    if (job_.run.attempts.size() > 1) {
      return book_.note(job_, "taken over", fmt::format("supervised by process {}", ::getpid()));
    }
    return {};
  }

  // Everything up to the start of the containers.
  Status begin() {
    TRY(prepare_folders());
    LaunchSetting place{.workspace_name = setting_.workspace_name,
                        .contained = setting_.launcher.contained(),
                        .port = TRY(free_port())};
    if (has_network()) {
      PrivateNetwork network = TRY(setting_.make_network(network_id(), instances()));
      place.port = kPort;
      place.addresses = std::move(network.addresses);
      place.networks = std::move(network.paths);
    }
    io::DiskFiles files;
    const auto machine = files.read("/etc/hosts", kMaxHostsBytes);
    TRY(io::write_file_atomically(directory_.hosts(),
                                  hosts_file(job_, machine ? *machine : "", place)));
    const std::vector<Launch> launches = plan_launches(job_, directory_, place);
    job_ = TRY(book_.change(job_.name(), [&](Job& job) -> Status {
      if (job.status != JobStatus::kQueued) {
        return fail(ErrorKind::kCancelled, "the job was canceled");
      }
      enter(job, JobStatus::kRunning, book_.now_ms());
      return {};
    }));
    for (const Launch& launch : launches) {
      auto started = setting_.launcher.start(launch);
      // Of an attempt that died between start and here.
      if (!started && started.error().kind != ErrorKind::kConflict) {
        kill_all();
        return started;
      }
    }
    job_ = TRY(book_.change(job_.name(), [](Job& job) -> Status {
      job.run.started = true;
      return {};
    }));
    return {};
  }

  Status prepare_folders() {
    TRY(directory_.remove_temporary());
    TRY(directory_.create());
    TRY(directory_.keep_reserve());
    TRY(write_python_shim(directory_));
    const definition::CommandJob& asked = job_.submission.job;
    for (const auto& [name, unused] : asked.outputs) {
      TRY(io::make_directories(directory_.named() + "/" + name));
    }
    for (int i = 0; i < asked.resources.instance_count; ++i) {
      const std::string work = directory_.work(i);
      TRY(io::make_directories(work));
      if (!job_.submission.code.empty()) {
        TRY(restore_snapshot(job_.submission.code, setting_.blobs, work)
                .context("putting the code in place"));
      }
      TRY(take_in_outputs(work, directory_, i == 0));
      if (asked.distribution.kind == definition::JobDistribution::Kind::kMpi && i > 0) {
        TRY(directory_.make_launch_pipes(host_name(i)));
      }
    }
    return {};
  }

  int instances() const { return job_.submission.job.resources.instance_count; }
  bool has_network() const { return instances() > 1 && setting_.make_network != nullptr; }
  std::string network_id() const { return launch_id(directory_, 0); }

  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    out.reserve(static_cast<std::size_t>(job_.submission.job.resources.instance_count));
    for (int i = 0; i < job_.submission.job.resources.instance_count; ++i) {
      out.push_back(launch_id(directory_, i));
    }
    return out;
  }

  void kill_all() {
    for (const std::string& id : ids()) {
      static_cast<void>(setting_.launcher.signal(id, SIGKILL));
      static_cast<void>(setting_.launcher.wait(id, {}));
    }
  }

  // Until all instances have ended. False: a stop came first.
  Result<bool> watch() {
    TRY(wake_.watch(directory_.user_logs()));
    Instances instances(setting_.launcher, wake_, ids());
    std::optional<std::int64_t> kill_at;
    bool killed = false;
    bool asked_to_end = false;
    while (!instances.all_ended()) {
      note_logs();
      job_ = TRY(book_.get(job_.name()));
      const std::int64_t now = book_.now_ms();
      const std::optional<std::int64_t> over_at = time_over();
      if (over_at && now >= *over_at && !job_.run.timed_out && !asked_to_end) {
        TRY(note_timeout());
      }
      const bool to_end = job_.status == JobStatus::kCancelRequested || job_.run.timed_out ||
                          instances.any_failed();
      if (to_end && !asked_to_end) {
        asked_to_end = true;
        instances.signal(SIGTERM);
        kill_at = now + setting_.grace.count();
      }
      if (kill_at && now >= *kill_at && !killed) {
        killed = true;
        instances.signal(SIGKILL);
      }
      std::optional<std::int64_t> next;
      if (kill_at && !killed) {
        next = kill_at;
      } else if (over_at && !asked_to_end) {
        next = over_at;
      }
      if (note_later_) {
        next = std::min(next.value_or(*note_later_), *note_later_);
      }
      if (!TRY(wake_.wait(stop_,
                          next ? std::optional(milliseconds(std::max<std::int64_t>(1, *next - now)))
                               : std::nullopt))) {
        return false;
      }
    }
    note_logs();
    endings_ = instances.endings();
    return true;
  }

  // nothing: no limit.
  std::optional<std::int64_t> time_over() const {
    const std::int64_t seconds = job_.submission.job.timeout_s;
    const std::int64_t began = job_.run.began.at(static_cast<std::size_t>(Stage::kRunning));
    return seconds > 0 ? std::optional(began + (seconds * 1000)) : std::nullopt;
  }

  Status note_timeout() {
    job_ = TRY(book_.change(job_.name(), [](Job& job) -> Status {
      job.run.timed_out = true;
      return {};
    }));
    return book_.note(job_, "timeout",
                      fmt::format("{} seconds are over", job_.submission.job.timeout_s));
  }

  // At most ten times a second, however much is written.
  void note_logs() {
    const std::int64_t now = book_.now_ms();
    constexpr std::int64_t kEvery = 100;
    note_later_.reset();
    if (now - noted_at_ < kEvery && now >= noted_at_) {
      note_later_ = noted_at_ + kEvery;
      return;
    }
    noted_at_ = now;
    const bool several = has_rank_logs(job_);
    for (int rank = 0; rank < rank_count(job_); ++rank) {
      const std::string name = RunDirectory::log_name(several, rank);
      note_log_size(directory_.user_logs() + "/" + name, directory_.log_times() + "/" + name, now);
    }
  }

  Status fail_now(Error error) {
    directory_.release_reserve();
    release();
    job_ = TRY(book_.change(job_.name(), [&](Job& job) -> Status {
      if (is_final(job.status)) {
        return {};
      }
      if (job.status == JobStatus::kCancelRequested) {
        enter(job, JobStatus::kCanceled, book_.now_ms());
        return {};
      }
      std::string reason = error.message;
      for (const std::string& one : error.context) {
        reason += ", " + one;
      }
      fail_job(job, std::move(reason), book_.now_ms());
      job.run.diagnosis = error.hint;
      return {};
    }));
    return {};
  }

  // Containers and what only a running job needs.
  void release() {
    for (const std::string& id : ids()) {
      static_cast<void>(setting_.launcher.remove(id));
    }
    if (has_network()) {
      setting_.remove_network(network_id(), instances());
    }
    if (auto removed = directory_.remove_temporary(); !removed) {
      static_cast<void>(book_.note(job_, "warning", removed.error().message));
    }
  }

  Status finish() {
    disk_full_ = directory_.is_full();
    directory_.release_reserve();
    job_ = TRY(book_.change(job_.name(), [&](Job& job) -> Status {
      take_endings(job);
      if (job.status != JobStatus::kCancelRequested) {
        enter(job, JobStatus::kFinalizing, book_.now_ms());
      } else {
        job.run.began.at(static_cast<std::size_t>(Stage::kFinalizing)) = book_.now_ms();
      }
      return {};
    }));
    RecordedOutputs outputs;
    auto recorded = record_outputs(directory_);
    if (recorded) {
      outputs = std::move(*recorded);
    } else {
      static_cast<void>(
          book_.note(job_, "warning", "recording outputs: " + recorded.error().message));
    }
    const std::string diagnosis = make_diagnosis();
    release();
    job_ = TRY(book_.change(job_.name(), [&](Job& job) -> Status {
      job.run.outputs = std::move(outputs.files);
      job.run.outputs_cut = outputs.cut;
      end(job, diagnosis);
      return {};
    }));
    return {};
  }

  void take_endings(Job& job) const {
    Run& run = job.run;
    if (run.exit_code || !run.reason.empty()) {
      return;  // of an attempt that died while finalizing
    }
    std::string limit;  // the first that was reached
    for (const Result<Ending>& one : endings_) {
      if (!one) {
        if (run.reason.empty()) {
          run.reason = lost_reason(one.error());
        }
        continue;
      }
      run.peak_memory_bytes += one->peak_memory_bytes;
      run.cpu_ms += one->cpu_ms;
      const bool decides = !run.exit_code || (*run.exit_code == 0 && one->exit_code != 0);
      if (decides) {
        run.exit_code = one->exit_code;
        run.signal = one->signal;
      }
      // Of mpi's instances only the first one's command fails, wherever the memory ran out.
      run.out_of_memory = run.out_of_memory || one->out_of_memory;
      if (limit.empty()) {
        limit = one->reason;
      }
    }
    if (run.exit_code && *run.exit_code != 0 && run.reason.empty()) {
      run.reason = limit;
    }
  }

  std::string lost_reason(const Error& error) const {
    const bool restarted = std::ranges::any_of(job_.run.attempts, [&](const Attempt& one) {
      return one.boot_id != setting_.machine.boot_id;
    });
    if (restarted) {
      return "the machine was restarted while the job ran";
    }
    if (!job_.run.started && error.kind == ErrorKind::kNotFound) {
      return "its supervisor was ended while it started the job";
    }
    return error.kind == ErrorKind::kNotFound
               ? std::string("its container is gone, and nobody knows how it ended")
               : error.message;
  }

  std::string make_diagnosis() const {
    const Run& run = job_.run;
    if (!run.exit_code || *run.exit_code == 0 || run.timed_out ||
        job_.status == JobStatus::kCancelRequested) {
      return {};
    }
    constexpr std::size_t kTailBytes = 64 << 10;
    constexpr std::size_t kTailLines = 200;
    std::string tail;
    const bool several = has_rank_logs(job_);
    for (int rank = 0; rank < std::min(rank_count(job_), 8); ++rank) {
      tail += log_tail(directory_.user_logs(), RunDirectory::log_name(several, rank), kTailBytes,
                       kTailLines);
    }
    if (several) {
      tail += log_tail(directory_.user_logs(), "std_log.txt", kTailBytes, kTailLines);
    }
    return diagnose({.exit_code = *run.exit_code,
                     .signal = run.signal,
                     .disk_full = disk_full_,
                     .out_of_memory = run.out_of_memory,
                     .memory_limit_bytes = job_.submission.job.resources.memory_bytes,
                     .shm_bytes = job_.submission.job.resources.shm_bytes,
                     .log_tail = tail});
  }

  void end(Job& job, const std::string& diagnosis) const {
    const std::int64_t now = book_.now_ms();
    Run& run = job.run;
    if (job.status == JobStatus::kCancelRequested) {
      enter(job, JobStatus::kCanceled, now);
      return;
    }
    if (run.exit_code && *run.exit_code == 0 && !run.timed_out && run.reason.empty()) {
      enter(job, JobStatus::kCompleted, now);
      return;
    }
    if (run.timed_out) {
      run.reason = fmt::format("its time was over: limits.timeout is {} seconds",
                               job.submission.job.timeout_s);
    } else if (run.reason.empty() && run.signal != 0) {
      run.reason = fmt::format("ended by signal {} ({})", run.signal,
                               ::sigabbrev_np(static_cast<int>(run.signal)));
    } else if (run.reason.empty()) {
      run.reason = fmt::format("the command ended with exit code {}", run.exit_code.value_or(-1));
    }
    run.failed_in = to_string(Stage::kRunning);
    run.diagnosis = diagnosis;
    enter(job, JobStatus::kFailed, now);
  }

  JobBook& book_;
  Job job_;
  const SupervisorSetting& setting_;
  RunDirectory directory_;
  Wake wake_;
  const std::stop_token& stop_;
  std::vector<Result<Ending>> endings_;
  std::int64_t noted_at_ = 0;
  std::optional<std::int64_t> note_later_;  // something was written too soon after that
  bool disk_full_ = false;
};

}  // namespace

Result<bool> supervise(JobBook& book, const std::string& name, const SupervisorSetting& setting,
                       const std::stop_token& stop) {
  const auto charge = TRY(book.directory(name).take_charge());
  if (!charge) {
    return false;
  }
  Job job = TRY(book.get(name));
  if (is_final(job.status) || !job.row.claimed) {
    return false;
  }
  return Supervisor(book, std::move(job), setting, TRY(Wake::create()), stop).run();
}

Result<Job> request_cancel(JobBook& book, const std::string& name) {
  return book.change(name, [&](Job& job) -> Status {
    if (is_final(job.status) || job.status == JobStatus::kCancelRequested) {
      return {};
    }
    job.run.canceled_by = book.history().user();
    const bool waits = job.status == JobStatus::kQueued && !job.row.claimed;
    if (job.status == JobStatus::kFinalizing) {
      job.run.canceled_by.clear();
      return {};  // it has ended; only its outputs are being recorded
    }
    enter(job, waits ? JobStatus::kCanceled : JobStatus::kCancelRequested, book.now_ms());
    return {};
  });
}

}  // namespace cloche::jobs
