// What a configured system has that differs from one time to the next, and what becomes of it.
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/debian_configure.h"
#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/disk_files.h"
#include "io/system_error.h"

namespace cloche::build {
namespace {

constexpr std::int64_t kSecondsADay = 86400;
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U;

// Patterns of fnmatch(3), '*' within a component. The reasons stand in
// docs/formats/debian-segment.md, in this order.
constexpr std::array<std::string_view, 32> kRemoved = {
    // logs and locks of the tools that ran
    "var/log/dpkg.log", "var/log/alternatives.log", "var/log/bootstrap.log", "var/log/apt/*.log",
    "var/log/apt/*.xz", "var/log/fontconfig.log", "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/triggers/Lock",
    // copies of what was before
    "var/lib/dpkg/*-old", "var/cache/debconf/*-old", "var/lib/ucf/*.[0-9]",
    // caches with inode numbers, times or an order of directories in them
    "var/cache/ldconfig/aux-cache", "var/cache/apt/*.bin", "var/cache/fontconfig/*",
    "var/cache/man/*", "var/lib/mlocate/*", "var/lib/systemd/catalog/database",
    "usr/share/mime/mime.cache-*", "var/lib/apt/lists/*",
    // what identifies one machine, and keys: every copy of the image would have the same
    "var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "var/lib/systemd/credential.secret",
    "var/lib/urandom/random-seed", "etc/ssh/ssh_host_*", "etc/ssl/private/ssl-cert-snakeoil.key",
    "etc/ssl/certs/ssl-cert-snakeoil.pem", "etc/.pwd.lock", "etc/hostname", "etc/resolv.conf",
    // what was running
    "run/utmp", ".cloche-archives"};

// Their third field is the day on which a password was last changed.
constexpr std::array<std::string_view, 2> kShadows = {"etc/shadow", "etc/shadow-"};

bool is_removed(const std::string& path) {
  return std::ranges::any_of(kRemoved, [&](std::string_view pattern) {
    return ::fnmatch(std::string(pattern).c_str(), path.c_str(), FNM_PATHNAME) == 0;
  });
}

Status remove_what_differs(const std::string& upper) {
  namespace fs = std::filesystem;
  std::vector<fs::path> gone;
  std::error_code error;
  for (fs::recursive_directory_iterator at(upper, error), end; !error && at != end;
       at.increment(error)) {
    const std::string path = at->path().string().substr(upper.size() + 1);
    // A whiteout stays: it says that something of the base is gone.
    if (is_removed(path) && at->symlink_status().type() != fs::file_type::character) {
      gone.push_back(at->path());
      if (at->is_directory() && !at->is_symlink()) {
        at.disable_recursion_pending();
      }
    }
  }
  for (const fs::path& one : gone) {
    fs::remove_all(one, error);
  }
  return error ? Status(io::system_error(error.value(), "clear up", upper)) : Status();
}

std::string with_day(std::string_view text, std::int64_t day) {
  std::string out;
  for (const std::string_view line : split_lines(text)) {
    std::vector<std::string_view> fields = split(line, ':');
    const std::string number = std::to_string(day);
    if (fields.size() >= 3 && !fields[2].empty()) {
      fields[2] = number;
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      out += (i == 0 ? "" : ":") + std::string(fields[i]);
    }
    out += '\n';
  }
  return out;
}

// In place, so that owner and mode stay.
Status rewrite(const std::string& path, const std::string& content) {
  const io::Descriptor file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC));
  return file.valid() ? io::write_all(file, content, path)
                      : Status(io::system_error(errno, "write", path));
}

bool is_file(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

Status make_reproducible(const std::string& upper, std::int64_t newest_s) {
  TRY(remove_what_differs(upper));
  for (const std::string_view name : kShadows) {
    const std::string path = join_path(upper, name);
    if (is_file(path)) {
      const std::string text = TRY(io::DiskFiles().read(path, kMaxFileBytes));
      TRY(rewrite(path, with_day(text, newest_s / kSecondsADay)));
    }
  }
  // systemd makes a new one at the first start of a machine that has an empty one (machine-id(5)).
  if (const std::string path = join_path(upper, "etc/machine-id"); is_file(path)) {
    TRY(rewrite(path, ""));
  }
  return {};
}

}  // namespace cloche::build
