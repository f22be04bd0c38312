// Where a job's files lie: <workspace>/jobs/<name>/. docs/formats/run-directory.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/file_lock.h"

namespace cloche::jobs {

// What preparers and supervisors say, below system_logs/.
inline constexpr std::string_view kSupervisorLog = "supervisor.log";

class RunDirectory {
 public:
  RunDirectory(const std::string& workspace, const std::string& name);

  const std::string& path() const { return path_; }
  std::string user_logs() const { return path_ + "/user_logs"; }
  std::string outputs() const { return path_ + "/outputs"; }
  std::string logs() const { return path_ + "/logs"; }
  std::string named() const { return path_ + "/named"; }  // the outputs that the command names
  std::string library() const { return path_ + "/lib"; }  // on the job's PYTHONPATH
  std::string state() const { return path_ + "/state"; }  // of the ranks, for one another
  std::string hosts() const { return path_ + "/hosts"; }  // their /etc/hosts
  std::string system_logs() const { return path_ + "/system_logs"; }
  std::string log_times() const { return path_ + "/log_times"; }
  std::string work(int instance) const;  // the working directory, with the code
  std::string bell() const { return path_ + "/bell"; }
  std::string reserve() const { return path_ + "/reserve"; }

  // The process log of a rank: std_log.txt of the only process, std_log_<rank>.txt of several.
  static std::string log_name(bool several, int rank);

  // Makes what a run needs, but for the working directories.
  Status create() const;

  // Makes the FIFOs below state() by which mpirun's instance has `host` run something and hears of
  // its end: launch_<host>, ended_<host>. For who made them only.
  Status make_launch_pipes(const std::string& host) const;

  // The right to prepare or supervise the job; nothing when somebody has it. It ends with its
  // holder, however that dies.
  Result<std::optional<io::FileLock>> take_charge() const;

  // Wakes who waits for a change of the job (wake.h). Never fails: a bell is no truth.
  void ring() const;

  // Removes what only a running job needs: working directories, state, hosts, the reserve.
  Status remove_temporary() const;

  // Space that is given back when the disk is full, so that the end of the run can be written.
  Status keep_reserve() const;
  void release_reserve() const;
  bool is_full() const;  // no room besides the reserve

 private:
  std::string path_;
};

// The bell of all jobs of a workspace, for workers.
std::string queue_bell(const std::string& workspace);
void ring_bell(const std::string& path);

}  // namespace cloche::jobs
