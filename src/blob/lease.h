// Work in progress, as a garbage collection sees it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/result.h"
#include "io/file_lock.h"

namespace cloche::blob {

// While it lives, no blob that was written or used (BlobStore::use) since it was taken is collected
// from the store at `root`, whoever did that: so results stay until something durable refers to
// them. Take it before the first blob, and let it go after the reference is on disk. A process that
// dies loses it. As many as wanted, in threads and processes.
class Lease {
 public:
  // kPermission, kUnavailable.
  static Result<Lease> take(const std::string& root);

  // The same; nothing where the store may only be read, and so nobody of us can collect there.
  static Result<std::optional<Lease>> take_where_writable(const std::string& root);

  ~Lease();
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) = delete;

 private:
  explicit Lease(io::FileLock lock) : lock_(std::move(lock)) {}

  std::optional<io::FileLock> lock_;
};

}  // namespace cloche::blob
