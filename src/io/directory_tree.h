// Files below one directory, written by names that strangers chose.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::io {

// Every path is relative to the root and is resolved below it (openat2, RESOLVE_BENEATH): a
// symbolic link on the way is followed as long as it stays inside, and is an error when it leads
// out or is absolute. Where the kernel has no openat2, links on the way are not followed at all.
// The last component is never followed. Paths are plain: no "..", no empty component.
// Safe for many threads.
class DirectoryTree {
 public:
  // An existing directory.
  static Result<DirectoryTree> open(const std::string& root);

  const std::string& root() const { return root_; }

  // A new file, open for writing, with these permissions whatever the umask. kConflict: something
  // has that name.
  Result<Descriptor> create_file(const std::string& path, std::uint32_t mode) const;

  // An existing file, for reading.
  Result<Descriptor> open_file(const std::string& path) const;

  // One directory (0755); its parent exists. It may be there already, or a link to one. kConflict:
  // a file is.
  Status make_directory(const std::string& path) const;

  // `target` is not looked at. kConflict: something has that name.
  Status make_symlink(const std::string& path, const std::string& target) const;

  // A second name for the file `existing`.
  Status make_hardlink(const std::string& path, const std::string& existing) const;

  // A file, a link, or an empty directory.
  Status remove(const std::string& path) const;

  // Where a name really lies: links in its directory part resolved, as a path below the root.
  Result<std::string> real_path(const std::string& path) const;

 private:
  struct Place {
    Descriptor directory;
    std::string name;
  };

  DirectoryTree(std::string root, Descriptor directory);

  Result<Descriptor> open_below(const std::string& path, int flags, std::uint32_t mode) const;
  Result<Descriptor> walk_below(const std::string& path, int flags, std::uint32_t mode) const;
  Result<Place> parent_of(const std::string& path) const;
  Error error(int number, std::string_view doing, const std::string& path) const;

  std::string root_;
  Descriptor directory_;
  std::uint32_t umask_;
};

}  // namespace cloche::io
