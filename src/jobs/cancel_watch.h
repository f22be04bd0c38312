// Work on a job that ends when somebody cancels the job.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "core/result.h"
#include "jobs/job_book.h"

namespace cloche::jobs {

// While it lives, its token is stopped by `outer`, or when the job's cancellation is asked for. It
// looks with a database connection of its own, in a thread of its own.
class CancelWatch {
 public:
  static Result<CancelWatch> start(const JobBook& book, const std::string& name,
                                   const std::stop_token& outer);
  ~CancelWatch();
  CancelWatch(CancelWatch&&) noexcept;
  CancelWatch& operator=(CancelWatch&&) = delete;

  std::stop_token token() const;

 private:
  struct State;
  explicit CancelWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cloche::jobs
