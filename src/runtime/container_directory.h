// The folder of one container: docs/formats/container.md. For the files of this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/file_lock.h"
#include "runtime/exit_status.h"

namespace cloche::runtime {

class ContainerDirectory {
 public:
  explicit ContainerDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string lock() const { return path_ + "/lock"; }  // held by the keeper while it lives
  std::string kind() const { return path_ + "/kind"; }  // "detached" or "attached"
  std::string keeper() const {
    return path_ + "/keeper";
  }  // its process number, as the host has it
  std::string cgroup() const { return path_ + "/cgroup"; }   // its path in each hierarchy
  std::string layers() const { return path_ + "/layers"; }   // what it stands on, a path a line
  std::string exit() const { return path_ + "/exit.json"; }  // how it ended
  std::string config() const { return path_ + "/config.json"; }
  std::string root() const { return path_ + "/root"; }    // where the root file system is mounted
  std::string upper() const { return path_ + "/upper"; }  // unless the caller keeps it
  std::string work() const { return path_ + "/work"; }
  std::string links() const { return path_ + "/links"; }
  std::string engine() const { return path_ + "/engine"; }  // what runc or crun keeps
  std::string engine_log() const { return path_ + "/engine.log"; }
  std::string pid() const { return path_ + "/pid"; }  // of the command, as the keeper sees it

  // Makes the folder and takes its lock. kConflict: there is one.
  Result<io::FileLock> create(std::string_view kind_of_it) const;

  bool exists() const;
  static std::string read(const std::string& file);  // trimmed; "" when it is not there

  // The lock, when no keeper lives.
  Result<std::optional<io::FileLock>> lock_if_dead() const;

  Result<ExitStatus> read_exit() const;  // kNotFound
  Status write_exit(const ExitStatus& status, bool synced) const;

  // All but what tells the end.
  Status remove_contents() const;
  Status remove() const;
  // The same for one whose keeper was killed: files in it may be of users that only a namespace
  // knows.
  Status remove_left() const;

 private:
  std::string path_;
};

// Writes what is lost in a crash of the machine.
Status write_file(const std::string& path, std::string_view content);

}  // namespace cloche::runtime
