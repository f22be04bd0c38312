// Files below one directory, written by names that strangers chose.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::io {

// Every path is relative to the root and is resolved below it by the kernel (openat2). The last
// component is never followed, nor are the links of /proc. Paths are plain: no "..", no empty
// component. Everything that unpacks what strangers made writes through it. Safe for many threads.
class DirectoryTree {
 public:
  // What becomes of symbolic links on the way.
  enum class Links {
    // Followed as long as they stay inside; an error when they lead out or are absolute
    // (RESOLVE_BENEATH). Where the kernel has no openat2, not followed at all.
    kInside,
    // Followed as if the root were the machine's: "/etc" means the one in the root, and ".." ends
    // there (RESOLVE_IN_ROOT). Where the kernel has no openat2, we resolve them so ourselves.
    kAsRoot,
  };

  // An existing directory.
  static Result<DirectoryTree> open(const std::string& root, Links links = Links::kInside);

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

  // The directory that a name stands in, held open, so that all that is done with the name is done
  // in the same place whatever is moved meanwhile. kNotFound: there is none.
  struct Place {
    Descriptor directory;
    std::string name;  // "." for the root, whose path is ""
  };
  Result<Place> place_of(const std::string& path) const;

  // Where a name really lies: links in its directory part resolved, as a path below the root.
  Result<std::string> real_path(const std::string& path) const;

 private:
  DirectoryTree(std::string root, Descriptor directory, Links links);

  Result<Descriptor> open_below(const std::string& path, int flags, std::uint32_t mode) const;
  int open_beneath(const std::string& path, int flags, std::uint32_t mode) const;
  Result<Descriptor> walk_below(const std::string& path, int flags, std::uint32_t mode) const;
  Result<Descriptor> walk_as_root(const std::string& path) const;
  Error error(int number, std::string_view doing, const std::string& path) const;

  std::string root_;
  Descriptor directory_;
  Links links_;
  std::uint32_t umask_;
};

}  // namespace cloche::io
