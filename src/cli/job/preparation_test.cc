#include "cli/job/preparation.h"

#include <gtest/gtest.h>

#include "jobs/job_book.h"
#include "jobs/testing.h"
#include "workspace/testing.h"

namespace cloche::cli {
namespace {

class RecordFailure : public testing::Test {
 protected:
  // What becomes of a job that could not be prepared.
  jobs::Job after(jobs::JobStatus status, bool handed_over, ErrorKind kind) {
    jobs::Job job = jobs::command_job("job", "true");
    EXPECT_TRUE(book_.add(job).has_value());
    const auto change = [&](jobs::Job& one) -> Status {
      one.run.environment.fingerprint = handed_over ? "0123" : "";
      if (status != one.status) {
        jobs::enter(one, status, book_.now_ms());
      }
      return {};
    };
    EXPECT_TRUE(book_.change("job", change).has_value());
    EXPECT_TRUE(record_failure("job", fail(kind, "no").with_hint("try"), book_).has_value());
    return book_.get("job").value();
  }

  workspace::TestWorkspace workspace_;
  jobs::JobBook book_{workspace_->run_history()};
};

TEST_F(RecordFailure, IsTheEndWithItsReason) {
  const jobs::Job job = after(jobs::JobStatus::kPreparing, false, ErrorKind::kNotFound);
  EXPECT_EQ(job.status, jobs::JobStatus::kFailed);
  EXPECT_EQ(job.run.failed_in, "Preparing");
  EXPECT_EQ(job.run.reason, "no");
  EXPECT_EQ(job.run.diagnosis, "try");
}

TEST_F(RecordFailure, IsACancellationWhereThatWasAskedFor) {
  const jobs::Job job = after(jobs::JobStatus::kCancelRequested, false, ErrorKind::kNotFound);
  EXPECT_EQ(job.status, jobs::JobStatus::kCanceled);
  EXPECT_EQ(job.run.reason, "");
}

TEST_F(RecordFailure, AnotherPreparerGoesOnWhereThisOneWasStopped) {
  EXPECT_EQ(after(jobs::JobStatus::kPreparing, true, ErrorKind::kCancelled).status,
            jobs::JobStatus::kPreparing);
}

TEST_F(RecordFailure, NobodyGoesOnWithWhatWasNotHandedOver) {
  EXPECT_EQ(after(jobs::JobStatus::kPreparing, false, ErrorKind::kCancelled).status,
            jobs::JobStatus::kFailed);
}

}  // namespace
}  // namespace cloche::cli
