#include "runtime/changes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/text.h"
#include "io/descriptor.h"
#include "io/system_error.h"
#include "io/tree_entry.h"

namespace cloche::runtime {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::size_t kMaxAttributeBytes = 65536;  // XATTR_SIZE_MAX
constexpr int kMaxDepth = 1000;

struct InOrder {
  bool operator()(std::string_view a, std::string_view b) const { return blob::comes_before(a, b); }
};

struct Item {
  struct stat info{};
  bool mark = false;  // a whiteout or opaque mark: an empty file
  std::map<std::string, std::string> xattrs;
  std::string link_target;
};
using Items = std::map<std::string, Item, InOrder>;

using Attributes = std::map<std::string, std::string>;

// Attributes are read through /proc, which follows no link of the tree and opens no device.
Result<Attributes> read_attributes(const io::Descriptor& directory, const std::string& name,
                                   const std::string& shown) {
  const io::Descriptor file(
      ::openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  Attributes out;
  if (!file.valid()) {
    return io::system_error(errno, "open", shown);
  }
  std::string names(kMaxAttributeBytes, '\0');
  const ssize_t size = ::flistxattr(file.get(), names.data(), names.size());
  if (size < 0) {
    return errno == ENOTSUP
               ? Result<Attributes>(std::move(out))
               : Result<Attributes>(io::system_error(errno, "read attributes of", shown));
  }
  names.resize(static_cast<std::size_t>(size));
  for (const std::string_view one : split(names, '\0')) {
    if (one.empty()) {
      continue;
    }
    const std::string key(one);
    std::string value(kMaxAttributeBytes, '\0');
    const ssize_t bytes = ::fgetxattr(file.get(), key.c_str(), value.data(), value.size());
    if (bytes < 0) {
      return io::system_error(errno, "read attributes of", shown);
    }
    value.resize(static_cast<std::size_t>(bytes));
    out[key] = std::move(value);
  }
  return out;
}

class Walk {
 public:
  Walk(Items& items, const std::stop_token& stop) : items_(items), stop_(stop) {}

  Status directory(const io::Descriptor& opened, const std::string& path, int depth) {
    if (depth > kMaxDepth) {
      return fail(ErrorKind::kUnsupported, "{} is too deep", printable(path.substr(0, 200)));
    }
    return io::for_each_name(opened, path, [&](const std::string& name) {
      return entry(opened, name, path.empty() ? name : path + "/" + name, depth);
    });
  }

 private:
  Status entry(const io::Descriptor& parent, const std::string& name, const std::string& path,
               int depth) {
    if (stop_.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    if (name.starts_with(kWhiteout)) {
      return fail(ErrorKind::kUnsupported,
                  "{} cannot be in a layer: names with .wh. mean something", printable(path));
    }
    Item item;
    if (::fstatat(parent.get(), name.c_str(), &item.info, AT_SYMLINK_NOFOLLOW) != 0) {
      return io::system_error(errno, "look at", path);
    }
    const mode_t type = item.info.st_mode & S_IFMT;
    if (type == S_IFSOCK || type == S_IFIFO) {
      return {};
    }
    if (type == S_IFCHR && item.info.st_rdev == makedev(0, 0)) {
      return mark(path, std::string(kWhiteout) + name);
    }
    if (type == S_IFCHR || type == S_IFBLK) {
      return fail(ErrorKind::kUnsupported, "{} is a device, which no layer has", printable(path));
    }
    if (type == S_IFLNK) {
      item.link_target.resize(static_cast<std::size_t>(item.info.st_size) + 1);
      const ssize_t size = ::readlinkat(parent.get(), name.c_str(), item.link_target.data(),
                                        item.link_target.size());
      if (size < 0) {
        return io::system_error(errno, "read the link", path);
      }
      item.link_target.resize(static_cast<std::size_t>(size));
      items_.emplace(path, std::move(item));
      return {};
    }
    TRY(keep_attributes(TRY(read_attributes(parent, name, path)), path, item));
    items_.emplace(path, std::move(item));
    if (type != S_IFDIR) {
      return {};
    }
    const io::Descriptor opened(
        ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return opened.valid() ? directory(opened, path, depth + 1)
                          : Status(io::system_error(errno, "open", path));
  }

  // A mark stands beside what it takes away, or in the directory that hides others.
  Status mark(const std::string& path, const std::string& name) {
    Item item;
    item.mark = true;
    const std::size_t slash = path.rfind('/');
    items_.emplace(slash == std::string::npos ? name : path.substr(0, slash + 1) + name,
                   std::move(item));
    return {};
  }

  Status keep_attributes(Attributes all, const std::string& path, Item& item) {
    for (auto& [key, value] : all) {
      const std::string_view name(key);
      const bool overlay =
          name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.");
      if (!overlay) {
        if (name == "security.capability" || name.starts_with("user.")) {
          item.xattrs[key] = std::move(value);
        }
        continue;
      }
      const std::string_view what = name.substr(name.rfind('.') + 1);
      if (what == "opaque" && value == "y") {
        TRY(mark(path + "/x", std::string(kOpaque)));
      } else if (what == "redirect" || what == "metacopy") {
        return fail(ErrorKind::kUnsupported, "{} is only a reference to another place ({})",
                    printable(path), what);
      }
    }
    return {};
  }

  Items& items_;
  const std::stop_token& stop_;
};

class Writing {
 public:
  Writing(const io::Descriptor& root, const ChangeOptions& options, blob::SegmentWriter& segment)
      : root_(root), options_(options), segment_(segment) {}

  Status write(const std::string& path, const Item& item) {
    blob::TarHeader header{.path = path};
    if (item.mark) {
      return segment_.entry(header);
    }
    header.mode = item.info.st_mode & 07777U;
    header.mtime_s = std::clamp<std::int64_t>(item.info.st_mtim.tv_sec, 0, options_.newest_s);
    header.uid = item.info.st_uid;
    header.gid = item.info.st_gid;
    header.xattrs = item.xattrs;
    switch (item.info.st_mode & S_IFMT) {
      case S_IFDIR:
        header.kind = io::TarKind::kDirectory;
        return segment_.entry(header);
      case S_IFLNK:
        header.kind = io::TarKind::kSymlink;
        header.link_target = item.link_target;
        return segment_.entry(header);
      default:
        break;
    }
    if (item.info.st_nlink > 1) {
      const auto [first, fresh] = inodes_.try_emplace({item.info.st_dev, item.info.st_ino}, path);
      if (!fresh) {
        return segment_.hardlink(path, first->second);
      }
    }
    return file(header, item);
  }

 private:
  Status file(blob::TarHeader& header, const Item& item) {
    header.size_bytes = static_cast<std::uint64_t>(item.info.st_size);
    TRY(segment_.entry(header));
    // Nobody else writes below the directory any more, and the walk saw no links on the way.
    const io::Descriptor opened(
        ::openat(root_.get(), header.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened.valid()) {
      return io::system_error(errno, "open", header.path);
    }
    std::uint64_t left = header.size_bytes;
    while (left > 0) {
      const std::size_t wanted = std::min<std::uint64_t>(left, buffer_.size());
      const std::size_t count = TRY(io::read_some(opened, buffer_.data(), wanted, header.path));
      if (count == 0) {
        return fail(ErrorKind::kConflict, "{} became shorter while it was read",
                    printable(header.path));
      }
      TRY(segment_.content({buffer_.data(), count}));
      left -= count;
    }
    return {};
  }

  const io::Descriptor& root_;
  const ChangeOptions& options_;
  blob::SegmentWriter& segment_;
  std::map<std::pair<dev_t, ino_t>, std::string> inodes_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{256} * 1024);
};

}  // namespace

Status write_changes(const std::string& upper, const ChangeOptions& options,
                     blob::SegmentWriter& segment, const std::stop_token& stop) {
  const io::Descriptor root(::open(upper.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return io::system_error(errno, "open", upper);
  }
  Items items;
  TRY(Walk(items, stop).directory(root, "", 0));
  Writing writing(root, options, segment);
  for (const auto& [path, item] : items) {
    if (stop.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    TRY(writing.write(path, item));
  }
  return {};
}

}  // namespace cloche::runtime
