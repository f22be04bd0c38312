#include "jobs/follower.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "jobs/launch_plan.h"
#include "jobs/log_times.h"
#include "jobs/wake.h"

namespace cloche::jobs {
namespace {

constexpr std::size_t kPart = std::size_t{1} << 18U;

class Follower {
 public:
  Follower(JobBook& book, Job job, const FollowOptions& options, FollowListener& listener,
           const std::stop_token& stop, Wake wake)
      : book_(book),
        job_(std::move(job)),
        options_(options),
        listener_(listener),
        stop_(stop),
        wake_(std::move(wake)),
        directory_(book.directory(job_.name())),
        log_folder_(options.preparation ? directory_.system_logs() : directory_.user_logs()),
        log_name_(options.preparation ? std::string(kSupervisorLog)
                                      : RunDirectory::log_name(has_rank_logs(job_), options.rank)) {
  }

  Result<Job> run() {
    while (true) {
      watch();
      // The job is read before the log: when it has ended, all of the log is there.
      job_ = TRY(book_.get(job_.name()));
      TRY(tell_events());
      TRY(tell_log());
      if (is_over()) {
        return job_;
      }
      TRY(look_after());
      if (!TRY(wake_.wait(stop_))) {
        return fail(ErrorKind::kCancelled, "stopped following; the job goes on")
            .with_hint(fmt::format("cloche job stream {} follows it again, cloche job cancel ends "
                                   "it",
                                   job_.name()));
      }
    }
  }

 private:
  bool is_over() const {
    const bool preparing = job_.status == JobStatus::kNotStarted ||
                           job_.status == JobStatus::kPreparing ||
                           job_.status == JobStatus::kCancelRequested;
    return is_final(job_.status) || !options_.until_end || (options_.preparation && !preparing);
  }

  // What there is to be watched comes into being as the job goes on. What cannot be watched yet is
  // announced by what can.
  void watch() {
    bell_ = bell_ || wake_.watch(directory_.bell()).has_value();
    if (!bell_) {
      directory_.ring();
      bell_ = wake_.watch(directory_.bell()).has_value();
    }
    logs_ = logs_ || wake_.watch(log_folder_).has_value();
  }

  Status look_after() {
    const Run& run = job_.run;
    const std::size_t known = run.preparers.size() + run.attempts.size();
    if (known == watched_) {
      return known != 0 && options_.revive ? revive_if_dead() : Status();
    }
    watched_ = known;
    const Attempt& last = run.attempts.empty() ? run.preparers.back() : run.attempts.back();
    wake_.watch_process(static_cast<pid_t>(last.pid));
    return {};
  }

  // Whether anybody has charge of it is told by its lock alone. A job that waits needs nobody.
  Status revive_if_dead() {
    if (job_.status == JobStatus::kQueued && !job_.row.claimed) {
      return {};
    }
    if (TRY(directory_.take_charge())) {
      TRY(options_.revive());
    }
    return {};
  }

  Status tell_events() {
    for (const workspace::JobEvent& event : TRY(book_.history().events(job_.row, last_event_))) {
      last_event_ = event.id;
      TRY(listener_.event(event));
    }
    return {};
  }

  Status tell_log() {
    if (!log_.valid()) {
      TRY(open_log());
    }
    if (!log_.valid()) {
      return {};
    }
    std::vector<char> buffer(kPart);
    while (!stop_.stop_requested()) {
      const std::size_t count = TRY(io::read_some(log_, buffer.data(), buffer.size(), log_name_));
      if (count == 0) {
        return {};
      }
      TRY(listener_.output(std::string_view(buffer.data(), count)));
    }
    return {};
  }

  Status open_log() {
    const auto tree = io::DirectoryTree::open(log_folder_);
    if (!tree) {
      return {};
    }
    auto file = tree->open_file(log_name_);
    if (!file) {
      return {};
    }
    log_ = std::move(*file);
    if (options_.since_ms != 0) {
      const std::uint64_t offset =
          log_offset_at(directory_.log_times() + "/" + log_name_, options_.since_ms);
      ::lseek(log_.get(), static_cast<off_t>(offset), SEEK_SET);
    }
    return {};
  }

  JobBook& book_;
  Job job_;
  const FollowOptions& options_;
  FollowListener& listener_;
  const std::stop_token& stop_;
  Wake wake_;
  RunDirectory directory_;
  std::string log_folder_;
  std::string log_name_;
  io::Descriptor log_;
  std::int64_t last_event_ = 0;
  std::size_t watched_ = 0;  // preparers and supervisors
  bool bell_ = false;
  bool logs_ = false;
};

}  // namespace

Result<Job> follow(JobBook& book, const std::string& name, const FollowOptions& options,
                   FollowListener& listener, const std::stop_token& stop) {
  Job job = TRY(book.get(name));
  const int ranks = rank_count(job);
  if (options.rank < 0 || options.rank >= ranks) {
    return fail(ErrorKind::kNotFound, "job {} has no rank {}", name, options.rank)
        .with_hint(ranks == 1 ? std::string("it has one process")
                              : fmt::format("its ranks are 0 to {}", ranks - 1));
  }
  return Follower(book, std::move(job), options, listener, stop, TRY(Wake::create())).run();
}

}  // namespace cloche::jobs
