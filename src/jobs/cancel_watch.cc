#include "jobs/cancel_watch.h"

#include <functional>
#include <thread>
#include <utility>

#include "jobs/wake.h"
#include "workspace/workspace.h"

namespace cloche::jobs {

struct CancelWatch::State {
  State(workspace::Workspace opened, Wake prepared, std::string job, const std::stop_token& outer)
      : workspace(std::move(opened)),
        wake(std::move(prepared)),
        name(std::move(job)),
        passed_on(outer, [this] { source.request_stop(); }),
        thread([this](const std::stop_token& stop) { watch(stop); }) {}

  // An error ends the watching only: the job is then canceled when its preparation has ended.
  void watch(const std::stop_token& stop) {
    JobBook book(workspace.run_history());
    while (true) {
      const auto job = book.get(name);
      if (!job) {
        return;
      }
      if (job->status == JobStatus::kCancelRequested) {
        source.request_stop();
        return;
      }
      const auto changed = wake.wait(stop);
      if (!changed || !*changed) {
        return;
      }
    }
  }

  workspace::Workspace workspace;
  Wake wake;
  std::string name;
  std::stop_source source;
  std::stop_callback<std::function<void()>> passed_on;
  std::jthread thread;  // last: it ends before what it uses
};

CancelWatch::CancelWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
CancelWatch::CancelWatch(CancelWatch&&) noexcept = default;
CancelWatch::~CancelWatch() = default;

Result<CancelWatch> CancelWatch::start(const JobBook& book, const std::string& name,
                                       const std::stop_token& outer) {
  Wake wake = TRY(Wake::create());
  const RunDirectory directory = book.directory(name);
  directory.ring();  // so that there is a bell to be watched
  TRY(wake.watch(directory.bell()));
  workspace::Workspace workspace =
      TRY(workspace::Workspace::open({.directory = book.workspace(), .user = ""}));
  return CancelWatch(std::make_unique<State>(std::move(workspace), std::move(wake), name, outer));
}

std::stop_token CancelWatch::token() const { return state_->source.get_token(); }

}  // namespace cloche::jobs
