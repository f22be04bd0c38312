#include "io/directory_tree.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/system_error.h"

namespace cloche::io {
namespace {

int openat2(int directory, const char* path, int flags, std::uint32_t mode, std::uint64_t resolve) {
  struct open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.mode = mode;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  while (true) {
    const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {  // EAGAIN: something moved meanwhile
      return static_cast<int>(fd);
    }
  }
}

// Before Linux 5.6, or where a container's filter does not know the call.
bool openat2_is_missing(int number) { return number == ENOSYS || number == EPERM; }

// The umask, read without changing it: umask() itself is no matter for threads.
std::uint32_t read_umask() {
  std::uint32_t mask = 0777;  // unknown: every file's mode is set
  std::FILE* status = std::fopen("/proc/self/status", "re");
  if (status == nullptr) {
    return mask;
  }
  std::array<char, 256> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), status) != nullptr) {
    const std::string_view text = line.data();
    if (text.starts_with("Umask:")) {
      mask = 0;
      for (const char c : trim(text.substr(6))) {
        mask = mask * 8 + static_cast<std::uint32_t>(c - '0');
      }
    }
  }
  (void)std::fclose(status);
  return mask;
}

}  // namespace

Result<DirectoryTree> DirectoryTree::open(const std::string& root, Links links) {
  TRY(check_path(root));
  Descriptor directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return system_error(errno, "open the directory", root);
  }
  return DirectoryTree(root, std::move(directory), links);
}

DirectoryTree::DirectoryTree(std::string root, Descriptor directory, Links links)
    : root_(std::move(root)),
      directory_(std::move(directory)),
      links_(links),
      umask_(read_umask()) {}

int DirectoryTree::open_beneath(const std::string& path, int flags, std::uint32_t mode) const {
  return openat2(directory_.get(), path.c_str(), flags | O_CLOEXEC, mode,
                 links_ == Links::kAsRoot ? RESOLVE_IN_ROOT : RESOLVE_BENEATH);
}

Result<Descriptor> DirectoryTree::create_file(const std::string& path, std::uint32_t mode) const {
  Descriptor file = TRY(open_below(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  if ((mode & umask_) != 0 && ::fchmod(file.get(), mode) != 0) {
    return error(errno, "set the permissions of", path);
  }
  return file;
}

Result<Descriptor> DirectoryTree::open_file(const std::string& path) const {
  return open_below(path, O_RDONLY | O_NONBLOCK, 0);
}

Status DirectoryTree::make_directory(const std::string& path) const {
  const Place place = TRY(place_of(path));
  if (::mkdirat(place.directory.get(), place.name.c_str(), 0755) == 0) {
    if ((0755U & umask_) != 0 &&
        ::fchmodat(place.directory.get(), place.name.c_str(), 0755, 0) != 0) {
      return error(errno, "set the permissions of", path);
    }
    return {};
  }
  if (errno != EEXIST) {
    return error(errno, "create the directory", path);
  }
  // A link that leads to a directory inside is as good as one.
  const Descriptor there(open_beneath(path, O_PATH | O_DIRECTORY, 0));
  if (there.valid() || (openat2_is_missing(errno) && walk_below(path, O_PATH | O_DIRECTORY, 0))) {
    return {};
  }
  return error(errno == EXDEV ? EXDEV : EEXIST, "create the directory", path);
}

Status DirectoryTree::make_symlink(const std::string& path, const std::string& target) const {
  const Place place = TRY(place_of(path));
  if (::symlinkat(target.c_str(), place.directory.get(), place.name.c_str()) != 0) {
    return error(errno, "create the link", path);
  }
  return {};
}

Status DirectoryTree::make_hardlink(const std::string& path, const std::string& existing) const {
  const Place from = TRY(place_of(existing));
  const Place to = TRY(place_of(path));
  if (::linkat(from.directory.get(), from.name.c_str(), to.directory.get(), to.name.c_str(), 0) !=
      0) {
    return error(errno, "create the link", path);
  }
  return {};
}

Status DirectoryTree::remove(const std::string& path) const {
  const Place place = TRY(place_of(path));
  if (::unlinkat(place.directory.get(), place.name.c_str(), 0) == 0 ||
      (errno == EISDIR &&
       ::unlinkat(place.directory.get(), place.name.c_str(), AT_REMOVEDIR) == 0)) {
    return {};
  }
  return error(errno, "remove", path);
}

Result<std::string> DirectoryTree::real_path(const std::string& path) const {
  const Place place = TRY(place_of(path));
  const auto name_of = [](int fd) -> std::string {
    std::string name(4096, '\0');
    const ssize_t size =
        ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), name.data(), name.size());
    name.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return name;
  };
  const std::string root = name_of(directory_.get());
  const std::string parent = name_of(place.directory.get());
  if (root.empty() || !parent.starts_with(root)) {
    return fail(ErrorKind::kUnavailable, "cannot find where {} lies below {}", printable(path),
                printable(root_));
  }
  return parent == root ? place.name : parent.substr(root.size() + 1) + "/" + place.name;
}

Result<Descriptor> DirectoryTree::open_below(const std::string& path, int flags,
                                             std::uint32_t mode) const {
  Descriptor file(open_beneath(path, flags | O_NOFOLLOW, mode));
  if (file.valid()) {
    return file;
  }
  if (openat2_is_missing(errno)) {
    if (links_ == Links::kInside) {
      return walk_below(path, flags, mode);
    }
    const Place place = TRY(place_of(path));
    file = Descriptor(
        ::openat(place.directory.get(), place.name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode));
    if (file.valid()) {
      return file;
    }
  }
  return error(errno, (flags & O_CREAT) != 0 ? "create" : "open", path);
}

Result<Descriptor> DirectoryTree::walk_below(const std::string& path, int flags,
                                             std::uint32_t mode) const {
  Descriptor held;
  int directory = directory_.get();
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    const bool last = slash == std::string_view::npos;
    const int step = last ? flags : O_PATH | O_DIRECTORY;
    Descriptor next(::openat(directory, name.c_str(), step | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!next.valid()) {
      return error(errno, (flags & O_CREAT) != 0 ? "create" : "open", path);
    }
    if (last) {
      return next;
    }
    held = std::move(next);
    directory = held.get();
    rest.remove_prefix(slash + 1);
  }
}

// As the kernel resolves a path in a root: every step by a descriptor, so that nothing that moves
// meanwhile can lead out; the way back up is the stack of those we came through.
Result<Descriptor> DirectoryTree::walk_as_root(const std::string& path) const {
  constexpr int kMaxLinks = 40;  // as the kernel: path_resolution(7)
  constexpr std::size_t kMaxPath = 4096;
  std::vector<Descriptor> way;  // below the root
  std::string rest = path;
  for (int links = 0; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string name = rest.substr(0, slash);
    rest.erase(0, std::min(slash + 1, rest.size()));
    if (name.empty() || name == ".") {
      continue;
    }
    if (name == "..") {
      if (!way.empty()) {
        way.pop_back();
      }
      continue;
    }
    const int here = way.empty() ? directory_.get() : way.back().get();
    Descriptor next(::openat(here, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info{};
    if (!next.valid() || ::fstat(next.get(), &info) != 0) {
      return error(errno, "open", path);
    }
    if (S_ISLNK(info.st_mode)) {
      std::string target(kMaxPath, '\0');
      const ssize_t size = ::readlinkat(next.get(), "", target.data(), target.size());
      target.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
      if (++links > kMaxLinks || target.size() + rest.size() >= kMaxPath) {
        return error(ELOOP, "open", path);
      }
      if (target.starts_with('/')) {
        way.clear();
      }
      rest = fmt::format("{}/{}", target, rest);
    } else if (S_ISDIR(info.st_mode)) {
      way.push_back(std::move(next));
    } else {
      return error(ENOTDIR, "open", path);
    }
  }
  Descriptor end = way.empty() ? Descriptor(::fcntl(directory_.get(), F_DUPFD_CLOEXEC, 0))
                               : std::move(way.back());
  return end.valid() ? Result<Descriptor>(std::move(end)) : error(errno, "open", path);
}

Result<DirectoryTree::Place> DirectoryTree::place_of(const std::string& path) const {
  const std::string parent = parent_path(path);
  Place place;
  place.name = path.empty() ? "." : std::string(base_name(path));
  if (parent.empty()) {
    place.directory = Descriptor(::fcntl(directory_.get(), F_DUPFD_CLOEXEC, 0));
    if (!place.directory.valid()) {
      return error(errno, "open", path);
    }
    return place;
  }
  // Here a link at the end of `parent` may be followed: it is on the way.
  place.directory = Descriptor(open_beneath(parent, O_PATH | O_DIRECTORY, 0));
  if (!place.directory.valid()) {
    if (!openat2_is_missing(errno)) {
      return error(errno, "open", parent);
    }
    place.directory = TRY(links_ == Links::kAsRoot ? walk_as_root(parent)
                                                   : walk_below(parent, O_PATH | O_DIRECTORY, 0));
  }
  return place;
}

Error DirectoryTree::error(int number, std::string_view doing, const std::string& path) const {
  if (number == EXDEV) {
    return fail(ErrorKind::kInvalid, "{} leads out of {} through a symbolic link", printable(path),
                printable(root_));
  }
  return system_error(number, doing, join_path(root_, path));
}

}  // namespace cloche::io
