#include "runtime/container_directory.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system_error.h"
#include "io/tree_entry.h"
#include "runtime/user_namespace.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20U;

Status remove_tree(const std::string& folder, const std::string& name) {
  const io::DirectoryTree tree = TRY(io::DirectoryTree::open(folder));
  const auto place = TRY(tree.place_of(name));
  const io::TreeEntry entry(place, name);
  return TRY(entry.look()) ? entry.remove_all() : Status();
}

}  // namespace

Status write_file(const std::string& path, std::string_view content) {
  const io::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) {
    return io::system_error(errno, "write", path);
  }
  return io::write_all(file, content, path);
}

Result<io::FileLock> ContainerDirectory::create(std::string_view kind_of_it) const {
  TRY(io::make_directories(parent_path(path_)));
  if (::mkdir(path_.c_str(), 0700) != 0) {
    if (errno == EEXIST) {
      return fail(ErrorKind::kConflict, "there is a container {}", base_name(path_));
    }
    return io::system_error(errno, "create the directory", path_);
  }
  // Somebody who cleans up may have it for a moment.
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    auto taken = TRY(io::FileLock::try_take(lock()));
    if (taken) {
      TRY(write_file(kind(), kind_of_it));
      return std::move(*taken);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return fail(ErrorKind::kUnavailable, "cannot lock {}", printable(path_));
}

bool ContainerDirectory::exists() const {
  struct stat info{};
  return ::lstat(path_.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string ContainerDirectory::read(const std::string& file) {
  const auto text = io::DiskFiles().read(file, kMaxRecordBytes);
  return text ? std::string(trim(*text)) : "";
}

Result<std::optional<io::FileLock>> ContainerDirectory::lock_if_dead() const {
  return io::FileLock::try_take(lock());
}

Result<ExitStatus> ContainerDirectory::read_exit() const {
  const std::string text = TRY(io::DiskFiles().read(exit(), kMaxRecordBytes));
  return ExitStatus::from_json(TRY(parse_json(text, exit())));
}

Status ContainerDirectory::write_exit(const ExitStatus& status, bool synced) const {
  const std::string text = status.to_json().dump() + "\n";
  if (synced) {
    return io::write_file_atomically(exit(), text);
  }
  const std::string part = exit() + ".part";
  TRY(write_file(part, text));
  return std::rename(part.c_str(), exit().c_str()) == 0
             ? Status()
             : Status(io::system_error(errno, "write", exit()));
}

Status ContainerDirectory::remove_contents() const {
  for (const char* name : {"root", "upper", "work", "links", "engine", "engine.log", "pid",
                           "layers", "config.json", "hosts"}) {
    TRY(remove_tree(path_, name));
  }
  return {};
}

Status ContainerDirectory::remove() const {
  return remove_tree(parent_path(path_), std::string(base_name(path_)));
}

Status ContainerDirectory::remove_left() const {
  Status removed = remove();
  if (removed || ::geteuid() == 0) {
    return removed;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(become_root() && remove() ? 0 : 1);
  }
  int status = 1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? Status() : removed;
}

}  // namespace cloche::runtime
