#include "runtime/user_namespace.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text.h"
#include "io/descriptor.h"
#include "io/disk_files.h"
#include "runtime/subordinate_ids.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20U;

std::string read_or_empty(const char* path) {
  return io::DiskFiles().read(path, kMaxFileBytes).value_or("");
}

Status write_to(const char* path, const std::string& text) {
  const io::Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file.valid() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(ErrorKind::kUnsupported, "cannot map users into a namespace: {}: {}", path,
                std::strerror(errno));  // NOLINT(concurrency-mt-unsafe): one thread
  }
  return {};
}

// newuidmap and newgidmap are set-user-id and change the maps of another process of the same user,
// so a helper that stays outside runs them for us.
class MapHelper {
 public:
  // Where this user has numbers to give.
  static std::optional<MapHelper> start(uid_t uid, gid_t gid) {
    std::vector<std::string> owners = {std::to_string(uid)};
    if (std::string name = user_name(read_or_empty("/etc/passwd"), uid); !name.empty()) {
      owners.push_back(std::move(name));
    }
    const auto users = subordinate_range(read_or_empty("/etc/subuid"), owners);
    const auto groups = subordinate_range(read_or_empty("/etc/subgid"), owners);
    if (!users || !groups || ::access(kUserTool, X_OK) != 0 || ::access(kGroupTool, X_OK) != 0) {
      return std::nullopt;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return std::nullopt;
    }
    const io::Descriptor go(ends[0]);
    io::Descriptor begin(ends[1]);
    const pid_t process = ::getpid();
    const pid_t helper = ::fork();
    if (helper == 0) {
      begin.close();
      char unused = 0;
      const bool told = ::read(go.get(), &unused, 1) == 1;
      ::_exit(told && map(kUserTool, process, uid, *users) && map(kGroupTool, process, gid, *groups)
                  ? 0
                  : 1);
    }
    return helper > 0 ? std::optional(MapHelper(helper, std::move(begin))) : std::nullopt;
  }

  // Called in the new namespace; whether the maps are written then.
  bool finish(bool wanted) {
    const bool told = wanted && ::write(begin_.get(), "x", 1) == 1;
    begin_.close();
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    return told && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  static constexpr const char* kUserTool = "/usr/bin/newuidmap";
  static constexpr const char* kGroupTool = "/usr/bin/newgidmap";

  MapHelper(pid_t process, io::Descriptor begin) : process_(process), begin_(std::move(begin)) {}

  static bool map(const char* tool, pid_t process, std::uint32_t own, const IdRange& others) {
    const std::array<std::string, 8> words = {tool,
                                              std::to_string(process),
                                              "0",
                                              std::to_string(own),
                                              "1",
                                              "1",
                                              std::to_string(others.first),
                                              std::to_string(others.count)};
    const pid_t child = ::fork();
    if (child == 0) {
      std::vector<char*> argv;
      for (const std::string& word : words) {
        argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT: it does not write there
      }
      argv.push_back(nullptr);
      // What it has to say would come amid our own output; without it there is one user only.
      const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      ::dup2(nothing, STDOUT_FILENO);
      ::dup2(nothing, STDERR_FILENO);
      ::execv(tool, argv.data());
      ::_exit(127);
    }
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  pid_t process_;
  io::Descriptor begin_;
};

// Of a process that is root: the machine's, or of a namespace that somebody else made.
UserMapping mapping_of_root() {
  const std::string map = read_or_empty("/proc/self/uid_map");
  std::vector<std::string> words;
  for (const std::string_view word : split(map, ' ')) {
    if (!trim(word).empty()) {
      words.emplace_back(trim(word));
    }
  }
  const bool one_range = words.size() == 3;
  const bool whole = one_range && words[0] == "0" && words[1] == "0" && words[2] == "4294967295";
  return {.in_user_namespace = !words.empty() && !whole,
          .several_users = !one_range || words[2] != "1"};
}

}  // namespace

Result<UserMapping> become_root() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (uid == 0) {
    return mapping_of_root();
  }
  auto helper = MapHelper::start(uid, gid);
  const bool made = ::unshare(CLONE_NEWUSER) == 0;
  const bool mapped = helper && helper->finish(made);
  if (!made) {
    return fail(ErrorKind::kUnsupported, "this host allows no user namespaces to its users")
        .with_hint(
            "set kernel.unprivileged_userns_clone=1, or "
            "kernel.apparmor_restrict_unprivileged_userns=0, or run as root");
  }
  if (!mapped) {
    TRY(write_to("/proc/self/setgroups", "deny"));
    TRY(write_to("/proc/self/uid_map", fmt::format("0 {} 1\n", uid)));
    TRY(write_to("/proc/self/gid_map", fmt::format("0 {} 1\n", gid)));
  }
  return UserMapping{.in_user_namespace = true, .several_users = mapped};
}

}  // namespace cloche::runtime
