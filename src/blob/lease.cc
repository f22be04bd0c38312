#include "blob/lease.h"

#include "core/files.h"
#include "io/file.h"
#include "io/temporary.h"

// <root>/leases/<16 hex digits>, an empty file that its holder has locked (io/file_lock.h). When it
// was last changed is when the lease began. A file that nobody has locked is of a dead process.

namespace cloche::blob {

Result<Lease> Lease::take(const std::string& root) {
  const std::string folder = join_path(root, "leases");
  TRY(io::make_directories(folder));
  while (true) {
    // Nothing: a collection looks at it this moment, and will find it again under another name.
    if (auto lock = TRY(io::FileLock::try_take(join_path(folder, io::random_name())))) {
      return Lease(std::move(*lock));
    }
  }
}

Result<std::optional<Lease>> Lease::take_where_writable(const std::string& root) {
  auto lease = take(root);
  if (!lease && lease.error().kind == ErrorKind::kPermission) {
    return std::optional<Lease>();
  }
  return std::optional(TRY(std::move(lease)));
}

Lease::~Lease() {
  if (lock_) {
    std::move(*lock_).remove();
  }
}

}  // namespace cloche::blob
