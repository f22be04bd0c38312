// The jobs of a workspace: one row a job, and what happened to each, in order. What a job is and
// what its states mean is the module `jobs`'s to say; here they are kept.
// docs/formats/workspace.md describes the tables.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/digest.h"
#include "core/result.h"
#include "workspace/database.h"

namespace cloche::workspace {

struct JobRow {
  std::int64_t id = 0;
  std::string name = {};
  std::string experiment = {};
  std::string status = {};  // Azure's words: "Queued", "Running", "Completed", ...
  bool finished = false;    // no status comes after this one
  bool archived = false;
  // Somebody was told to supervise it: it holds what it asks of the machine until it is finished.
  bool claimed = false;
  std::int64_t created_at = 0;  // milliseconds
  std::string created_by = {};
  std::int64_t milli_cpus = 0;  // asked, all instances together
  std::int64_t memory_bytes = 0;
  std::int64_t gpus = 0;
  std::string code_digest = {};   // 64 hex digits; "": no code
  std::string image_digest = {};  // 64 hex digits; "" until it is known
  std::string definition = {};    // JSON; never changes
  std::string run = {};           // JSON
};

struct JobEvent {
  std::int64_t id = 0;
  std::int64_t at = 0;  // milliseconds
  std::string kind = {};
  std::string detail = {};
};

struct JobQuery {
  std::string experiment = {};  // "": all
  std::string status = {};
  bool include_archived = false;
  bool only_unfinished = false;
  bool oldest_first = false;
  std::int64_t limit = 0;  // 0: none
};

// A view of a workspace, which outlives it. Like that one, of one thread.
class RunHistory {
 public:
  RunHistory(Database& database, Clock& clock, std::string user, std::string directory,
             bool read_only)
      : database_(&database),
        clock_(&clock),
        user_(std::move(user)),
        directory_(std::move(directory)),
        read_only_(read_only) {}

  const std::string& user() const { return user_; }
  const std::string& directory() const { return directory_; }  // the workspace's
  Clock& clock() const { return *clock_; }

  // `work` as one transaction: all of what it does is kept, or with its error nothing. No other
  // process changes anything meanwhile. kPermission: the workspace can only be read.
  Status together(const std::function<Status()>& work);

  // Those below are to be called within together() where they change something.

  // Sets the id. kConflict: there is a job of that name.
  Status add(JobRow& row);
  // status, finished, archived, claimed, image_digest and run.
  Status update(const JobRow& row);
  Status add_event(const JobRow& row, std::string_view kind, std::string_view detail);

  Result<std::optional<JobRow>> find(std::string_view name);
  Result<JobRow> get(std::string_view name);  // kNotFound, with the nearest name
  Result<std::vector<JobRow>> list(const JobQuery& query);
  // Oldest first, those after the event `after_id`.
  Result<std::vector<JobEvent>> events(const JobRow& row, std::int64_t after_id = 0);

 private:
  Database* database_;
  Clock* clock_;
  std::string user_;
  std::string directory_;
  bool read_only_;
};

}  // namespace cloche::workspace
