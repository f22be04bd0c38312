#include "runtime/overlay.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/text.h"
#include "io/descriptor.h"
#include "io/system_error.h"

// Since Linux 6.8 directories are given one by one ("lowerdir+"), so that their names have no limit
// and need no escapes. Before, all of them stand in one page, which the names of 60 layers fill: a
// folder of links "0", "1", ... makes them short, and 500 fit.

namespace cloche::runtime {
namespace {

Error mount_error(int number, const std::string& target) {
  if (number == ENODEV) {
    return fail(ErrorKind::kUnsupported, "this kernel has no overlay file system")
        .with_hint("load it with modprobe overlay");
  }
  if (number == EINVAL) {
    return fail(ErrorKind::kUnsupported,
                "the kernel does not lay these directories over each other")
        .with_hint("keep the cache on a local file system (ext4, xfs, btrfs): set CLOCHE_CACHE");
  }
  return io::system_error(number, "mount the root file system at", target);
}

// Names that work whatever characters the path has: links in `scratch`, which is where we are.
Status link_short(const std::string& path, const std::string& name) {
  ::unlink(name.c_str());
  return ::symlink(path.c_str(), name.c_str()) == 0
             ? Status()
             : Status(io::system_error(errno, "create the link", name));
}

int set(int context, const char* key, const std::string& value) {
  return static_cast<int>(
      ::syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value.c_str(), 0));
}

int set_flag(int context, const char* key) {
  return static_cast<int>(::syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, nullptr, 0));
}

// False: this kernel knows no "lowerdir+".
Result<bool> mount_one_by_one(const Overlay& overlay, const std::string& target) {
  const io::Descriptor context(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
  if (!context.valid()) {
    return errno == ENOSYS ? Result<bool>(false) : mount_error(errno, target);
  }
  for (auto layer = overlay.lower.rbegin(); layer != overlay.lower.rend(); ++layer) {
    if (set(context.get(), "lowerdir+", *layer) != 0) {
      return layer == overlay.lower.rbegin() && errno == EINVAL
                 ? Result<bool>(false)
                 : Result<bool>(io::system_error(errno, "use the layer", *layer));
    }
  }
  if (set(context.get(), "upperdir", "upper") != 0 || set(context.get(), "workdir", "work") != 0 ||
      set_flag(context.get(), "volatile") != 0 ||
      (overlay.in_user_namespace && set_flag(context.get(), "userxattr") != 0) ||
      ::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return mount_error(errno, target);
  }
  const io::Descriptor mount(
      static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!mount.valid() || ::syscall(SYS_move_mount, mount.get(), "", AT_FDCWD, target.c_str(),
                                  MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return mount_error(errno, target);
  }
  return true;
}

Status mount_in_a_page(const Overlay& overlay, const std::string& target) {
  std::string options = "lowerdir=";
  for (std::size_t i = overlay.lower.size(); i-- > 0;) {
    TRY(link_short(overlay.lower[i], std::to_string(i)));
    options += fmt::format("{}{}", i, i == 0 ? "" : ":");
  }
  options += ",upperdir=upper,workdir=work,volatile";
  options += overlay.in_user_namespace ? ",userxattr" : "";
  if (::mount("overlay", target.c_str(), "overlay", 0, options.c_str()) != 0) {
    return mount_error(errno, target);
  }
  return {};
}

}  // namespace

Status mount_overlay(const Overlay& overlay, const std::string& target,
                     const std::string& scratch) {
  if (overlay.lower.empty() || overlay.lower.size() > kMaxOverlayLayers) {
    return fail(ErrorKind::kInvalid, "a root file system has 1 to {} layers, not {}",
                kMaxOverlayLayers, overlay.lower.size());
  }
  if (::chdir(scratch.c_str()) != 0) {
    return io::system_error(errno, "go to", scratch);
  }
  TRY(link_short(overlay.upper, "upper"));
  TRY(link_short(overlay.work, "work"));
  return TRY(mount_one_by_one(overlay, target)) ? Status() : mount_in_a_page(overlay, target);
}

}  // namespace cloche::runtime
