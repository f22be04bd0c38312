#include "io/testing.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/check.h"

namespace cloche::io {
namespace {

constexpr uid_t kNobody = 65534;

}  // namespace

TemporaryDirectory test_directory() {
  const bool in_memory = ::access("/dev/shm", W_OK | X_OK) == 0;
  auto directory = TemporaryDirectory::create(in_memory ? "/dev/shm" : "");
  CHECK(directory.has_value());
  return std::move(*directory);
}

Unprivileged::Unprivileged() {
  if (::getuid() == 0) {
    CHECK(::seteuid(kNobody) == 0);
  }
}

Unprivileged::~Unprivileged() {
  if (::getuid() == 0) {
    CHECK(::seteuid(0) == 0);
  }
}

LowerLimit::LowerLimit(__rlimit_resource resource, std::uint64_t limit) : resource_(resource) {
  std::signal(SIGXFSZ, SIG_IGN);  // EFBIG instead of an end
  CHECK(::getrlimit(resource, &before_) == 0);
  struct rlimit lower = before_;
  lower.rlim_cur = limit;
  CHECK(::setrlimit(resource, &lower) == 0);
}

LowerLimit::~LowerLimit() { ::setrlimit(resource_, &before_); }

std::optional<SmallDisk> SmallDisk::create(std::uint64_t size_bytes) {
  auto directory = TemporaryDirectory::create();
  const std::string options = "size=" + std::to_string(size_bytes);
  if (!directory || ::mount("cloche-test", directory->path().c_str(), "tmpfs", MS_NODEV | MS_NOSUID,
                            options.c_str()) != 0) {
    return std::nullopt;
  }
  return SmallDisk(std::move(*directory));
}

SmallDisk::~SmallDisk() {
  if (!directory_.path().empty()) {
    ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
}

bool forget_openat2() {
  std::array<struct sock_filter, 4> code = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const struct sock_fprog program{code.size(), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace cloche::io
