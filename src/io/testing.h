// A world that fails on request, for tests of whatever writes files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/resource.h>

#include "io/temporary.h"

namespace cloche::io {

// A directory for one test, in memory where the machine has such a place: a test would wait for
// the disk at every sync.
TemporaryDirectory test_directory();

// While it lives, the process is not root, so that permissions count. Does nothing for others.
class Unprivileged {
 public:
  Unprivileged();
  ~Unprivileged();
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
};

// While it lives, a limit of the process (RLIMIT_FSIZE, RLIMIT_NOFILE) is lower.
class LowerLimit {
 public:
  LowerLimit(__rlimit_resource resource, std::uint64_t limit);
  ~LowerLimit();
  LowerLimit(const LowerLimit&) = delete;
  LowerLimit& operator=(const LowerLimit&) = delete;

 private:
  __rlimit_resource resource_;
  struct rlimit before_{};
};

// A file system of its own, of so many bytes. Empty where mounting is not allowed: skip the test.
class SmallDisk {
 public:
  static std::optional<SmallDisk> create(std::uint64_t size_bytes);
  ~SmallDisk();
  SmallDisk(SmallDisk&&) noexcept = default;
  SmallDisk& operator=(SmallDisk&&) = delete;

  const std::string& path() const { return directory_.path(); }

 private:
  explicit SmallDisk(TemporaryDirectory directory) : directory_(std::move(directory)) {}
  TemporaryDirectory directory_;
};

// From here on this process's kernel does not know openat2, as before Linux 5.6: for a child of the
// test. False where there are no filters of system calls.
bool forget_openat2();

}  // namespace cloche::io
