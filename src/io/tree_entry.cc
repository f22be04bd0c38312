#include "io/tree_entry.h"

#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/files.h"
#include "io/system_error.h"

namespace cloche::io {
namespace {

Descriptor open_directory_at(int directory, const std::string& name) {
  return Descriptor(
      ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool is_directory_at(int directory, const std::string& name) {
  struct stat info{};
  return ::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(info.st_mode);
}

// Takes away what is in `inner`, but moves its folders into `outer`, so that no depth needs more
// than two open directories.
Status empty_into(const Descriptor& inner, const Descriptor& outer, const std::string& path,
                  std::uint64_t& moved) {
  std::vector<std::string> names;
  TRY(for_each_name(inner, path, [&](const std::string& name) -> Status {
    names.push_back(name);
    return {};
  }));
  for (const std::string& name : names) {
    if (!is_directory_at(inner.get(), name)) {
      if (::unlinkat(inner.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
        return system_error(errno, "remove", join_path(path, name));
      }
      continue;
    }
    if (::unlinkat(inner.get(), name.c_str(), AT_REMOVEDIR) == 0) {
      continue;
    }
    // To be moved, a folder has to be writable itself: it gets another "..".
    (void)::fchmodat(inner.get(), name.c_str(), 0700, AT_SYMLINK_NOFOLLOW);
    int renamed = 0;
    do {  // a removal that was interrupted has left names of this kind
      const std::string above = fmt::format(".cloche-removed-{}", moved++);
      renamed = ::renameat(inner.get(), name.c_str(), outer.get(), above.c_str());
    } while (renamed != 0 && (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR));
    if (renamed != 0) {
      return system_error(errno, "remove", join_path(path, name));
    }
  }
  return {};
}

// Nothing is left in it. Folders in it may lack the permissions of being emptied.
Status empty(const Descriptor& directory, const std::string& path) {
  std::uint64_t moved = 0;
  while (true) {
    std::vector<std::string> names;
    TRY(for_each_name(directory, path, [&](const std::string& name) -> Status {
      names.push_back(name);
      return {};
    }));
    if (names.empty()) {
      return {};
    }
    for (const std::string& name : names) {
      const std::string below = join_path(path, name);
      if (!is_directory_at(directory.get(), name)) {
        if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
          return system_error(errno, "remove", below);
        }
        continue;
      }
      (void)::fchmodat(directory.get(), name.c_str(), 0700, AT_SYMLINK_NOFOLLOW);
      const Descriptor inner = open_directory_at(directory.get(), name);
      if (!inner.valid()) {
        return system_error(errno, "remove", below);
      }
      TRY(empty_into(inner, directory, below, moved));
      if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return system_error(errno, "remove", below);
      }
    }
  }
}

}  // namespace

Status for_each_name(const Descriptor& directory, const std::string& path,
                     const std::function<Status(const std::string& name)>& visit) {
  // A descriptor of its own, since closedir() closes what it was given.
  Descriptor own(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own.valid()) {
    return system_error(errno, "list", path);
  }
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::fdopendir(own.get()), close);
  if (stream == nullptr) {
    return system_error(errno, "list", path);
  }
  own.release();
  while (true) {
    errno = 0;
    const struct dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      return errno == 0 ? Status() : Status(system_error(errno, "list", path));
    }
    const std::string name(&entry->d_name[0]);
    if (name != "." && name != "..") {
      TRY(visit(name));
    }
  }
}

Result<std::optional<struct stat>> TreeEntry::look() const {
  struct stat info{};
  if (::fstatat(directory_, name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    return std::optional(info);
  }
  if (errno == ENOENT) {
    return std::optional<struct stat>();
  }
  return error(errno, "look at");
}

Result<Descriptor> TreeEntry::create_file() const {
  Descriptor file(::openat(directory_, name_.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return file.valid() ? Result<Descriptor>(std::move(file)) : error(errno, "create");
}

Status TreeEntry::make_directory() const {
  return ::mkdirat(directory_, name_.c_str(), 0755) == 0 ? Status()
                                                         : error(errno, "create the directory");
}

Status TreeEntry::make_symlink(const std::string& target) const {
  return ::symlinkat(target.c_str(), directory_, name_.c_str()) == 0
             ? Status()
             : error(errno, "create the link");
}

Status TreeEntry::make_hardlink(const DirectoryTree::Place& existing) const {
  return ::linkat(existing.directory.get(), existing.name.c_str(), directory_, name_.c_str(), 0) ==
                 0
             ? Status()
             : error(errno, "create the link");
}

Status TreeEntry::make_fifo() const {
  return ::mkfifoat(directory_, name_.c_str(), 0600) == 0 ? Status() : error(errno, "create");
}

Status TreeEntry::make_device(bool block, std::uint32_t major, std::uint32_t minor) const {
  return ::mknodat(directory_, name_.c_str(), (block ? S_IFBLK : S_IFCHR) | 0600,
                   makedev(major, minor)) == 0
             ? Status()
             : error(errno, "create the device");
}

Result<Descriptor> TreeEntry::open_directory() const {
  Descriptor directory = open_directory_at(directory_, name_);
  return directory.valid() ? Result<Descriptor>(std::move(directory))
                           : error(errno == ENOTDIR ? ELOOP : errno, "open the directory");
}

Status TreeEntry::set_owner(std::uint32_t uid, std::uint32_t gid) const {
  return ::fchownat(directory_, name_.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) == 0
             ? Status()
             : error(errno, "set the owner of");
}

Status TreeEntry::set_mode(std::uint32_t mode) const {
  // glibc's AT_SYMLINK_NOFOLLOW goes through O_PATH and /proc, and refuses a link.
  return ::fchmodat(directory_, name_.c_str(), mode, AT_SYMLINK_NOFOLLOW) == 0
             ? Status()
             : error(errno, "set the permissions of");
}

Status TreeEntry::set_mtime(std::int64_t seconds) const {
  const std::array<struct timespec, 2> times = {
      {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = 0}}};
  return ::utimensat(directory_, name_.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0
             ? Status()
             : error(errno, "set the time of");
}

Result<bool> TreeEntry::set_xattr(const std::string& name, std::string_view value) const {
  // There is no call with a directory; the link in /proc leads to this one and no other.
  const std::string path = fmt::format("/proc/self/fd/{}/{}", directory_, name_);
  if (::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) == 0) {
    return true;
  }
  return errno == EOPNOTSUPP ? Result<bool>(false) : error(errno, "set an attribute of");
}

Status TreeEntry::remove_all() const {
  if (::unlinkat(directory_, name_.c_str(), 0) == 0 || errno == ENOENT) {
    return {};
  }
  if (errno != EISDIR) {
    return error(errno, "remove");
  }
  if (::unlinkat(directory_, name_.c_str(), AT_REMOVEDIR) == 0) {
    return {};
  }
  TRY(empty(TRY(open_directory()), path_));
  return ::unlinkat(directory_, name_.c_str(), AT_REMOVEDIR) == 0 ? Status()
                                                                  : error(errno, "remove");
}

Error TreeEntry::error(int number, std::string_view doing) const {
  return system_error(number, doing, path_);
}

}  // namespace cloche::io
