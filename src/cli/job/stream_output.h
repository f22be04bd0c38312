// A job's log and events as a command shows them while it follows.
#pragma once

#include <string>
#include <string_view>

#include "cli/context.h"
#include "jobs/follower.h"

namespace cloche::cli {

// The log goes to standard output as it is; on a terminal what could reach its controls is made
// visible first. Events go to standard error. With `--output json` both are JSON lines on standard
// error, since standard output is the command's record.
class StreamOutput : public jobs::FollowListener {
 public:
  explicit StreamOutput(Context& context) : context_(context) {}

  Status event(const workspace::JobEvent& event) override;
  Status output(std::string_view bytes) override;
  Status finish();  // a last line without its end

 private:
  Status write_line(std::string_view line);

  Context& context_;
  std::string pending_;
};

// Follows a job to its end, with supervisors found again where one dies.
Result<jobs::Job> stream_job(const std::string& name, jobs::FollowOptions options,
                             class JobAccess& access, const std::stop_token& stop,
                             Context& context);

}  // namespace cloche::cli
