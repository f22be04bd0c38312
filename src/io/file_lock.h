// A lock between processes, and between threads: a file that one of them holds.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::io {

// Held until it is destroyed. The kernel lets go of it when the holder dies, however it dies, so no
// dead holder ever has to be recognized. flock(2): the lock belongs to the opened file, so threads
// of one process exclude each other too; over NFS it is a lock at the server (Linux 2.6.12).
class FileLock {
 public:
  // Takes the lock; nothing when somebody else has it. The file is made when missing (its folder is
  // not); a holder may remove it, which those who waited for it notice. kPermission, kUnavailable.
  static Result<std::optional<FileLock>> try_take(const std::string& path);

  // The open file, for a word about the holder.
  const Descriptor& file() const { return file_; }
  const std::string& path() const { return path_; }

  // False on a file system that has no locks: then everybody gets everything.
  bool excludes() const { return excludes_; }

  // Removes the file, which ends the lock with it; the next holder makes another.
  void remove() &&;

 private:
  FileLock(std::string path, Descriptor file, bool excludes)
      : path_(std::move(path)), file_(std::move(file)), excludes_(excludes) {}

  std::string path_;
  Descriptor file_;
  bool excludes_;
};

}  // namespace cloche::io
