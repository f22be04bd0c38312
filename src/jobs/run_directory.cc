#include "jobs/run_directory.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/file.h"
#include "io/system_error.h"
#include "io/tree_entry.h"

namespace cloche::jobs {
namespace {

constexpr off_t kReserveBytes = 1 << 20;

}  // namespace

RunDirectory::RunDirectory(const std::string& workspace, const std::string& name)
    : path_(workspace + "/jobs/" + name) {}

std::string RunDirectory::work(int instance) const {
  return fmt::format("{}/work/{}", path_, instance);
}

std::string RunDirectory::log_name(bool several, int rank) {
  return several ? fmt::format("std_log_{}.txt", rank) : std::string("std_log.txt");
}

Status RunDirectory::create() const {
  for (const std::string& one :
       {user_logs(), outputs(), logs(), named(), library(), state(), system_logs(), log_times()}) {
    TRY(io::make_directories(one));
  }
  ring();
  return {};
}

Status RunDirectory::make_launch_pipes(const std::string& host) const {
  for (const std::string& path : {state() + "/launch_" + host, state() + "/ended_" + host}) {
    if (::mkfifo(path.c_str(), 0600) != 0) {
      return io::system_error(errno, "make", path);
    }
  }
  return {};
}

Result<std::optional<io::FileLock>> RunDirectory::take_charge() const {
  TRY(io::make_directories(path_));
  return io::FileLock::try_take(path_ + "/supervisor.lock");
}

void RunDirectory::ring() const { ring_bell(bell()); }

Status RunDirectory::remove_temporary() const {
  const io::DirectoryTree tree = TRY(io::DirectoryTree::open(path_));
  for (const std::string name : {"work", "state", "lib", "hosts", "reserve"}) {
    const io::DirectoryTree::Place place = TRY(tree.place_of(name));
    const io::TreeEntry entry(place, name);
    if (TRY(entry.look())) {
      TRY(entry.remove_all());
    }
  }
  return {};
}

Status RunDirectory::keep_reserve() const {
  const io::Descriptor file(::open(reserve().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  // posix_fallocate takes the blocks; where a file system cannot, it writes zeros.
  const int error = file.valid() ? ::posix_fallocate(file.get(), 0, kReserveBytes) : errno;
  return error == 0 ? Status() : Status(io::system_error(error, "write", reserve()));
}

void RunDirectory::release_reserve() const { ::unlink(reserve().c_str()); }

bool RunDirectory::is_full() const {
  constexpr std::uint64_t kLittle = 256 << 10;
  struct statvfs found{};
  return ::statvfs(path_.c_str(), &found) == 0 && found.f_blocks != 0 &&
         found.f_bavail * found.f_frsize < kLittle;
}

std::string queue_bell(const std::string& workspace) { return workspace + "/jobs/bell"; }

void ring_bell(const std::string& path) {
  const io::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.valid() || ::pwrite(file.get(), "!", 1, 0) != 1) {
    // On a full disk the time is still set, which wakes as well.
    static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW));
  }
}

}  // namespace cloche::jobs
