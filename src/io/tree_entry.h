// One name in a directory that is held open (DirectoryTree::place_of), and all that can be done
// with it. A symbolic link of that name is the link itself: it is never followed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "core/result.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"

namespace cloche::io {

// `path` is for messages. All of its functions may be called by any thread; the place outlives it.
class TreeEntry {
 public:
  TreeEntry(const DirectoryTree::Place& place, std::string path)
      : directory_(place.directory.get()), name_(place.name), path_(std::move(path)) {}

  // What it is; nothing when there is no such name.
  Result<std::optional<struct stat>> look() const;

  // Making something new. kConflict: something has that name. Permissions are what the umask leaves
  // until set_mode().
  Result<Descriptor> create_file() const;
  Status make_directory() const;
  Status make_symlink(const std::string& target) const;
  Status make_hardlink(const DirectoryTree::Place& existing) const;
  Status make_fifo() const;
  Status make_device(bool block, std::uint32_t major, std::uint32_t minor) const;

  // An existing directory. kInvalid: it is something else.
  Result<Descriptor> open_directory() const;

  Status set_owner(std::uint32_t uid, std::uint32_t gid) const;
  Status set_mode(std::uint32_t mode) const;  // not of a link, which has none
  Status set_mtime(std::int64_t seconds) const;
  // False: the file system has no such attributes.
  Result<bool> set_xattr(const std::string& name, std::string_view value) const;

  // Removes it with all that lies below, however deep that is.
  Status remove_all() const;

 private:
  Error error(int number, std::string_view doing) const;

  int directory_;
  const std::string& name_;
  std::string path_;
};

// Calls visit() for each name in a directory but "." and "..", in no order. Ends with its error.
Status for_each_name(const Descriptor& directory, const std::string& path,
                     const std::function<Status(const std::string& name)>& visit);

}  // namespace cloche::io
