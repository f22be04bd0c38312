// When files of a store were last used, and how users and collectors keep out of each other's way.
// For the files of this module.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::blob {

// A time as the store's file system tells it. The clocks of several machines are never compared.
struct Stamp {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  auto operator<=>(const Stamp&) const = default;
};

// A regular file's last change. Content of a store never changes, so this is free to mean "used
// last"; the access time is not, since many file systems do not keep it.
struct StampedFile {
  Stamp used;
  std::uint64_t size_bytes = 0;  // logical
  std::uint64_t disk_bytes = 0;  // what it takes
  std::uint64_t links = 1;
};
std::optional<StampedFile> look_at(const std::string& path);

// Sets the time to now; false when there is no such file.
bool stamp(const std::string& root, const std::string& path);

// When the oldest lease that lives began; nothing when there is none. The files of dead ones go.
// kUnsupported: the file system has no locks, so nobody can say.
Result<std::optional<Stamp>> oldest_lease(const std::string& root);

// Removes a lock file that nobody holds. True: nobody does. kUnsupported as above.
Result<bool> remove_if_dead(const std::string& path);

// The names in a folder, sorted; none where there is no such folder.
Result<std::vector<std::string>> names_in(const std::string& folder);

// While it lives, nobody stamps: between a last look at a time and the removal.
class SweepLock {
 public:
  static Result<SweepLock> take(const std::string& root);

 private:
  explicit SweepLock(io::Descriptor file) : file_(std::move(file)) {}
  io::Descriptor file_;
};

}  // namespace cloche::blob
