#include "io/disk_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"
#include "io/descriptor.h"
#include "io/system_error.h"

namespace cloche::io {
namespace {

constexpr std::size_t kMaxDirectoryEntries = 1'000'000;
constexpr std::size_t kChunkBytes = std::size_t{128} << 10U;
constexpr std::uint32_t kPermissionBits = 07777;

FileKind kind_of_mode(mode_t mode) {
  if (S_ISREG(mode)) {
    return FileKind::kFile;
  }
  if (S_ISDIR(mode)) {
    return FileKind::kDirectory;
  }
  return S_ISLNK(mode) ? FileKind::kSymlink : FileKind::kOther;
}

Result<std::string> read_link(int directory_fd, const char* name, const std::string& path) {
  std::array<char, 4096> target{};  // PATH_MAX: Linux makes no longer link
  const ssize_t size = ::readlinkat(directory_fd, name, target.data(), target.size());
  if (size < 0) {
    return system_error(errno, "read the link", path);
  }
  return std::string(target.data(), static_cast<std::size_t>(size));
}

Result<FileEntry> entry_of(int directory_fd, const char* name, const std::string& path) {
  struct stat info{};
  if (::fstatat(directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_error(errno, "read", path);
  }
  FileEntry entry;
  entry.name = name;
  entry.kind = kind_of_mode(info.st_mode);
  entry.mode = info.st_mode & kPermissionBits;
  if (entry.kind == FileKind::kFile) {
    entry.size_bytes = static_cast<std::uint64_t>(info.st_size);
  }
  if (entry.kind == FileKind::kSymlink) {
    entry.link_target = TRY(read_link(directory_fd, name, path));
  }
  return entry;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_self_or_parent(std::string_view name) { return name == "." || name == ".."; }

}  // namespace

Result<std::string> DiskFiles::read(const std::string& path, std::size_t limit_bytes) {
  const Descriptor file = TRY(open_for_reading(path));
  struct stat status = {};
  const bool sized = ::fstat(file.get(), &status) == 0 && status.st_size > 0;
  // A byte more than it has, so that the first look meets its end.
  std::size_t step = sized ? static_cast<std::size_t>(status.st_size) + 1 : kChunkBytes;
  std::string content;
  while (content.size() <= limit_bytes) {
    const std::size_t before = content.size();
    const std::size_t more = std::min(step, limit_bytes - before + 1);
    Result<std::size_t> count = 0;
    content.resize_and_overwrite(before + more, [&](char* data, std::size_t /*size*/) {
      count = read_some(file, data + before, more, path);
      return before + count.value_or(0);
    });
    if (TRY(std::move(count)) < more) {
      return content;
    }
    step = kChunkBytes;
  }
  return fail(ErrorKind::kInvalid, "{} is larger than {} bytes", printable(path), limit_bytes);
}

Status DiskFiles::read_parts(const std::string& path,
                             const std::function<void(std::string_view)>& take) {
  const Descriptor file = TRY(open_for_reading(path));
  std::string buffer(kChunkBytes, '\0');
  while (const std::size_t count = TRY(read_some(file, buffer.data(), buffer.size(), path))) {
    take(std::string_view(buffer).substr(0, count));
  }
  return {};
}

Result<std::vector<FileEntry>> DiskFiles::list(const std::string& directory) {
  const std::string path = directory.empty() ? "." : directory;
  TRY(check_path(path));
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(path.c_str()));
  if (stream == nullptr) {
    return system_error(errno, "list", path);
  }
  std::vector<FileEntry> entries;
  errno = 0;
  while (const struct dirent* found = ::readdir(stream.get())) {
    if (is_self_or_parent(found->d_name)) {
      continue;
    }
    if (entries.size() == kMaxDirectoryEntries) {
      return fail(ErrorKind::kInvalid, "{} holds more than {} entries", printable(path),
                  kMaxDirectoryEntries);
    }
    auto entry = entry_of(::dirfd(stream.get()), found->d_name, join_path(path, found->d_name));
    if (entry.has_value()) {
      entries.push_back(std::move(*entry));
    } else if (entry.error().kind != ErrorKind::kNotFound) {  // else it was removed meanwhile
      return std::move(entry).error();
    }
    errno = 0;
  }
  if (errno != 0) {
    return system_error(errno, "list", path);
  }
  std::ranges::sort(entries, {}, &FileEntry::name);
  return entries;
}

Result<Digest> DiskFiles::digest(const std::string& path) {
  Hasher hasher;
  TRY(read_parts(path, [&](std::string_view bytes) { hasher.update(bytes); }));
  return hasher.finish();
}

Result<FileKind> DiskFiles::kind(const std::string& path) {
  TRY(check_path(path));
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    return system_error(errno, "find", path);
  }
  return kind_of_mode(info.st_mode);
}

}  // namespace cloche::io
