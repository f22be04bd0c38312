#include "build/lower_root.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <ranges>
#include <set>

#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/disk_files.h"

namespace cloche::build {
namespace {

enum class Found { kHere, kBelow, kNowhere };

bool is_whiteout(const struct stat& info) {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0);
}

bool hides_below(const std::string& directory) {
  char value = 0;
  return (::lgetxattr(directory.c_str(), "trusted.overlay.opaque", &value, 1) == 1 ||
          ::lgetxattr(directory.c_str(), "user.overlay.opaque", &value, 1) == 1) &&
         value == 'y';
}

// What one layer says of a path.
Found look_in(const std::string& layer, const std::string& path) {
  bool hidden = false;
  for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const bool last = slash == std::string::npos;
    const std::string at = join_path(layer, path.substr(0, slash));
    struct stat info{};
    if (::lstat(at.c_str(), &info) != 0) {
      return hidden ? Found::kNowhere : Found::kBelow;
    }
    if (is_whiteout(info)) {
      return Found::kNowhere;
    }
    if (last) {
      return Found::kHere;
    }
    if (!S_ISDIR(info.st_mode)) {
      return Found::kNowhere;
    }
    hidden = hidden || hides_below(at);
  }
}

}  // namespace

std::optional<std::string> LowerRoot::find(const std::string& path) const {
  for (const std::string& layer : std::ranges::reverse_view(directories_)) {
    switch (look_in(layer, path)) {
      case Found::kHere:
        return join_path(layer, path);
      case Found::kNowhere:
        return std::nullopt;
      case Found::kBelow:
        break;
    }
  }
  return std::nullopt;
}

std::optional<struct stat> LowerRoot::look(const std::string& path) const {
  struct stat info{};
  const auto found = find(path);
  return found && ::lstat(found->c_str(), &info) == 0 ? std::optional(info) : std::nullopt;
}

Result<std::string> LowerRoot::read(const std::string& path, std::size_t limit_bytes) const {
  const auto found = find(path);
  struct stat info{};
  if (!found || ::lstat(found->c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(ErrorKind::kNotFound, "there is no file /{}", printable(path));
  }
  return io::DiskFiles().read(*found, limit_bytes);
}

std::optional<std::string> LowerRoot::link_target(const std::string& path) const {
  const auto found = find(path);
  std::array<char, 4096> target{};
  const ssize_t size = found ? ::readlink(found->c_str(), target.data(), target.size()) : -1;
  return size < 0 ? std::nullopt
                  : std::optional(std::string(target.data(), static_cast<std::size_t>(size)));
}

std::vector<std::string> LowerRoot::list(const std::string& path) const {
  std::set<std::string> names;
  for (const std::string& layer : directories_) {
    std::error_code ignored;
    for (const auto& one : std::filesystem::directory_iterator(join_path(layer, path), ignored)) {
      const std::string name = one.path().filename();
      if (find(join_path(path, name))) {
        names.insert(name);
      }
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace cloche::build
