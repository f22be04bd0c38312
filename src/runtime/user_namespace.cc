#include "runtime/user_namespace.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include "io/descriptor.h"

namespace cloche::runtime {
namespace {

Status write_to(const char* path, const std::string& text) {
  const io::Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file.valid() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(ErrorKind::kUnsupported, "cannot map users into a namespace: {}: {}", path,
                std::strerror(errno));  // NOLINT(concurrency-mt-unsafe): one thread
  }
  return {};
}

}  // namespace

Result<UserMapping> become_root() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (uid == 0) {
    return UserMapping{};
  }
  if (::unshare(CLONE_NEWUSER) != 0) {
    return fail(ErrorKind::kUnsupported, "this host allows no user namespaces to its users")
        .with_hint(
            "set kernel.unprivileged_userns_clone=1, or "
            "kernel.apparmor_restrict_unprivileged_userns=0, or run as root");
  }
  TRY(write_to("/proc/self/setgroups", "deny"));
  TRY(write_to("/proc/self/uid_map", fmt::format("0 {} 1\n", uid)));
  TRY(write_to("/proc/self/gid_map", fmt::format("0 {} 1\n", gid)));
  return UserMapping{.in_user_namespace = true, .several_users = false};
}

}  // namespace cloche::runtime
