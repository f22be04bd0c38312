// Jobs without containers, for tests of every module above.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "jobs/job.h"
#include "jobs/launcher.h"

namespace cloche::jobs {

// Starts plain processes: a keeper each, which waits for the process, ends what is left of its
// group, and writes down the end below `directory`. So they live on when the test's supervisor
// dies, as containers do. Mounts are not made: processes see our paths.
class PlainLauncher : public Launcher {
 public:
  explicit PlainLauncher(std::string directory) : directory_(std::move(directory)) {}

  bool contained() const override { return false; }
  Status start(const Launch& launch) override;
  Result<Ending> wait(const std::string& id, const std::stop_token& stop) override;
  Status signal(const std::string& id, int number) override;
  Status remove(const std::string& id) override;

 private:
  std::string file(const std::string& id, const char* what) const;

  std::string directory_;
};

// A job of a command, prepared and ready to be entered.
Job command_job(const std::string& name, const std::string& command);

}  // namespace cloche::jobs
