#include "runtime/keeper.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.h"
#include "core/files.h"
#include "core/text.h"
#include "io/directory_tree.h"
#include "io/reader.h"
#include "io/system_error.h"
#include "runtime/bundle.h"
#include "runtime/cgroup.h"
#include "runtime/engine_log.h"
#include "runtime/host_path.h"
#include "runtime/init_report.h"
#include "runtime/message.h"
#include "runtime/overlay.h"
#include "runtime/user_namespace.h"
#include "runtime/users.h"

// What runs here after fork() is one thread, in memory that a program of many threads left: glibc's
// allocator is usable there, locks of others are not. So nothing of the program's threads, pools or
// workspaces is touched, and the only way out is _exit().

namespace cloche::runtime {
namespace {

constexpr std::string_view kStarted = "started";

// Descriptors of a keeper, at numbers of our own.
struct KeeperFiles {
  int channel = -1;  // to the caller
  int lock = -1;
  int in = -1;
  int out = -1;
  int err = -1;
};

int high(int fd) {
  constexpr int kFirst = 16;
  return ::fcntl(fd >= 0 ? fd : ::open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, kFirst);
}

// Everything else of the caller is closed: locks, sockets, ends of pipes that somebody waits for.
KeeperFiles keep_files(const ContainerSpec& spec, int channel, int lock) {
  KeeperFiles out{high(channel), high(lock), high(spec.in), high(spec.out), high(spec.err)};
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {0, 1, 2}) {
    ::dup2(nothing, stream);
  }
  std::array<int, 5> kept = {out.channel, out.lock, out.in, out.out, out.err};
  std::ranges::sort(kept);
  unsigned from = 3;
  for (const int one : kept) {
    if (one >= 0 && static_cast<unsigned>(one) >= from) {
      if (static_cast<unsigned>(one) > from) {
        ::close_range(from, static_cast<unsigned>(one) - 1, 0);
      }
      from = static_cast<unsigned>(one) + 1;
    }
  }
  ::close_range(from, ~0U, 0);
  return out;
}

void die_with_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent != 0 && ::getppid() != parent) {
    ::_exit(1);  // it was gone before we asked
  }
}

void block_all_signals() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);  // one thread
  for (int one = 1; one < NSIG; ++one) {
    ::signal(one, SIG_DFL);
  }
}

Error failure(std::string_view doing) { return io::system_error(errno, doing, "the container"); }

class Keeper {
 public:
  Keeper(const KeeperTask& task, KeeperFiles files, UserMapping mapping)
      : task_(task),
        spec_(task.spec),
        directory_(task.directory),
        files_(files),
        mapping_(mapping) {}

  [[noreturn]] void run() {
    if (const Status started = start(); !started) {
      clear_up();
      send_message(files_.channel, error_text(started.error()));
      ::_exit(1);
    }
    for (const int one : {files_.in, files_.out, files_.err}) {
      ::close(one);  // whoever reads the container's output sees its end
    }
    send_message(files_.channel, kStarted, console_.get());
    ::close(files_.channel);
    console_.close();
    const ExitStatus status = wait();
    clear_up();
    if (!directory_.write_exit(status, task_.detached)) {
      ::_exit(1);
    }
    ::_exit(0);
  }

 private:
  Status start() {
    TRY(note_keeper());
    TRY(make_mounts());
    TRY(mount_root());
    TRY(write_config());
    return start_engine();
  }

  // /proc is still the host's, so what it says of us is what others can use.
  Status note_keeper() const {
    std::array<char, 32> number{};
    const ssize_t size = ::readlink("/proc/self", number.data(), number.size() - 1);
    if (size <= 0) {
      return failure("find the process number of the keeper of");
    }
    return write_file(directory_.keeper(),
                      std::string_view(number.data(), static_cast<std::size_t>(size)));
  }

  static Status make_mounts() {
    // What the host unmounts later goes here too; what we mount is not seen there.
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
      return failure("keep apart the mounts of");
    }
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
      return failure("mount /proc for");
    }
    return {};
  }

  Status mount_root() const {
    for (const std::string& folder :
         {directory_.root(), directory_.work(), directory_.links(), upper()}) {
      if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
        return io::system_error(errno, "create the directory", folder);
      }
    }
    const Overlay overlay{.lower = spec_.lower,
                          .upper = upper(),
                          .work = work(),
                          .in_user_namespace = mapping_.in_user_namespace};
    TRY(mount_overlay(overlay, directory_.root(), directory_.links()));
    return check_kernel_places();
  }

  // runc makes the links of /dev by its path on the host, before the root is the container's: where
  // the image's /dev is a link to /etc, it makes them in the host's /etc.
  Status check_kernel_places() const {
    for (const char* name : {"dev", "proc", "sys"}) {
      struct stat info{};
      if (::lstat(join_path(directory_.root(), name).c_str(), &info) == 0 &&
          !S_ISDIR(info.st_mode)) {
        return fail(ErrorKind::kInvalid, "/{} of the image is a {}, not a directory", name,
                    S_ISLNK(info.st_mode) ? "link" : "file")
            .with_hint("what is mounted there would be made elsewhere, perhaps on this machine");
      }
    }
    return {};
  }

  std::string upper() const { return spec_.upper.empty() ? directory_.upper() : spec_.upper; }

  // On the file system of the upper directory.
  std::string work() const {
    if (spec_.upper.empty()) {
      return directory_.work();
    }
    std::string beside = spec_.upper + ".cloche-work";
    ::mkdir(beside.c_str(), 0700);
    return beside;
  }

  Result<ProcessUser> user() const {
    const io::DirectoryTree tree =
        TRY(io::DirectoryTree::open(directory_.root(), io::DirectoryTree::Links::kAsRoot));
    const auto text_of = [&](const char* path) -> std::string {
      constexpr std::size_t kMaxBytes = std::size_t{4} << 20U;
      const auto file = tree.open_file(path);
      std::string text(kMaxBytes, '\0');
      const auto size = file ? io::read_some(*file, text.data(), text.size(), path)
                             : Result<std::size_t>(file.error());
      text.resize(size.value_or(0));
      return text;
    };
    ProcessUser found = TRY(find_user(spec_.user, text_of("etc/passwd"), text_of("etc/group")));
    if (!mapping_.several_users) {
      if (found.uid != 0 || found.gid != 0) {
        return fail(ErrorKind::kUnsupported, "the container cannot run as user {}:{}: {}",
                    found.uid, found.gid, "this user has only itself to give to it")
            .with_hint("give the user a range in /etc/subuid and /etc/subgid, or run as root");
      }
      found.groups.clear();
    }
    return found;
  }

  Status write_config() {
    const CgroupPlace cgroup = cgroup_place(cgroups_, task_.id);
    cgroup_ = cgroup.path;
    BundlePlace place{.id = task_.id,
                      .root = directory_.root(),
                      .init = task_.init,
                      .in_user_namespace = mapping_.in_user_namespace,
                      .several_users = mapping_.several_users,
                      .cgroup = cgroup.path,
                      .cgroup_controllers = cgroup.controllers,
                      .cgroup_limits_swap = cgroup.limits_swap,
                      .cgroup_namespace = cgroups_.version == 2,
                      .ping_groups = ::access("/proc/sys/net/ipv4/ping_group_range", F_OK) == 0,
                      .files = {},
                      .devices = task_.devices};
    if (spec_.host_names && spec_.network == Network::kHost) {
      for (const char* file : {"/etc/hosts", "/etc/resolv.conf"}) {
        if (::access(file, R_OK) == 0) {
          place.files.push_back({.source = file, .target = file, .read_only = true});
        }
      }
    }
    const ProcessUser who = TRY(user());
    give_streams(who);
    const Json config = TRY(bundle_config(spec_, who, place));
    TRY(write_file(directory_.cgroup(), cgroup_));
    return write_file(directory_.config(), config.dump());
  }

  // So that /dev/stderr can be opened by a user who is not root. Files keep their owner.
  void give_streams(const ProcessUser& who) const {
    for (const int one : {files_.in, files_.out, files_.err}) {
      struct stat info{};
      if (who.uid != 0 && ::fstat(one, &info) == 0 && S_ISFIFO(info.st_mode)) {
        [[maybe_unused]] const int given = ::fchown(one, who.uid, who.gid);
      }
    }
  }

  std::vector<std::string> engine_command() const {
    std::vector<std::string> out = {task_.program,
                                    "--root",
                                    directory_.engine(),
                                    "--log",
                                    directory_.engine_log(),
                                    "--log-format",
                                    "json",
                                    "run",
                                    "--detach",
                                    "--bundle",
                                    directory_.path(),
                                    "--pid-file",
                                    directory_.pid(),
                                    "--preserve-fds",
                                    spec_.terminal ? "1" : "4"};
    if (spec_.terminal) {
      out.insert(out.end(), {"--console-socket", "console"});
    }
    out.push_back(task_.id);
    return out;
  }

  Status start_engine() {
    const io::Descriptor consoles = spec_.terminal ? TRY(listen_for_console()) : io::Descriptor();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return failure("make a pipe for");
    }
    report_ = io::Descriptor(ends[0]);
    io::Descriptor theirs(ends[1]);
    const pid_t engine = TRY(spawn(engine_command(), theirs.get()));
    theirs.close();
    int status = 0;
    while (::waitpid(engine, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      return engine_error(directory_.read(directory_.engine_log()));
    }
    const std::string number = directory_.read(directory_.pid());
    std::from_chars(number.data(), number.data() + number.size(), init_);
    if (init_ <= 1) {
      return fail(ErrorKind::kInternal, "{} did not say which process it started", task_.program);
    }
    if (spec_.terminal) {
      console_ = TRY(take_console(consoles));
    }
    return take_start();
  }

  std::optional<int> report(InitReport::Kind wanted) const {
    InitReport record{};
    ssize_t size = 0;
    while ((size = ::read(report_.get(), &record, sizeof record)) < 0 && errno == EINTR) {
    }
    return size == sizeof record && record.kind == wanted ? std::optional(record.value)
                                                          : std::nullopt;
  }

  Status take_start() const {
    const auto number = report(InitReport::Kind::kStarted);
    const std::string command = printable(spec_.args.front());
    if (!number) {
      return fail(ErrorKind::kUnsupported, "the container ended before '{}' was started", command);
    }
    if (*number == ENOENT) {
      return fail(ErrorKind::kNotFound, "the image has no command '{}'", command)
          .with_hint("it may also be the interpreter that a script names in its first line");
    }
    if (*number != 0) {
      Error error = io::system_error(*number, "run", spec_.args.front());
      if (*number == ENOEXEC) {
        error = fail(ErrorKind::kInvalid, "'{}' is no program for this machine", command);
      }
      return error;
    }
    return {};
  }

  // In the current directory, since the name of a socket is short.
  Result<io::Descriptor> listen_for_console() const {
    if (::chdir(directory_.path().c_str()) != 0) {
      return failure("go to the directory of");
    }
    io::Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(&address.sun_path[0], "console");
    if (!out.valid() ||
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket interface
        ::bind(out.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address) !=
            0 ||
        ::listen(out.get(), 1) != 0) {
      return failure("listen for the terminal of");
    }
    return out;
  }

  static Result<io::Descriptor> take_console(const io::Descriptor& consoles) {
    const io::Descriptor connection(::accept4(consoles.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ::unlink("console");
    Message message = TRY(receive_message(connection.get()));
    if (!message.descriptor.valid()) {
      return fail(ErrorKind::kInternal, "the container sent no terminal");
    }
    return std::move(message.descriptor);
  }

  // What it says itself goes to its log; the streams are passed to init by number.
  Result<pid_t> spawn(const std::vector<std::string>& words, int report) const {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    const io::Descriptor moved(high(report));
    posix_spawn_file_actions_adddup2(&actions, moved.get(), kReportFd);
    posix_spawn_file_actions_adddup2(&actions, files_.in, kReportFd + 1);
    posix_spawn_file_actions_adddup2(&actions, files_.out, kReportFd + 2);
    posix_spawn_file_actions_adddup2(&actions, files_.err, kReportFd + 3);
    posix_spawn_file_actions_addclosefrom_np(&actions, kReportFd + 4);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    std::vector<char*> argv;
    for (const std::string& word : words) {
      argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT: it does not write there
    }
    argv.push_back(nullptr);
    std::array<char*, 2> environment = {const_cast<char*>(kHostPath.data()), nullptr};  // NOLINT
    pid_t pid = -1;
    const int number =
        ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return number == 0 ? Result<pid_t>(pid)
                       : Result<pid_t>(io::system_error(number, "run", task_.program));
  }

  // Passes signals on until init has ended; then nothing of the container is left running.
  ExitStatus wait() {
    sigset_t all;
    sigfillset(&all);
    ExitStatus out;
    while (true) {
      int status = 0;
      struct rusage usage{};
      pid_t ended = 0;
      while ((ended = ::wait4(-1, &status, WNOHANG, &usage)) > 0) {
        if (ended == init_) {
          // Init is killed with the container; what it says of the command is truer than its own
          // end.
          end(out, report(InitReport::Kind::kEnded).value_or(status), usage);
          return out;
        }
      }
      siginfo_t signal{};
      if (::sigwaitinfo(&all, &signal) == keeper_signal()) {
        pass_on(signal.si_value);
      }
    }
  }

  void pass_on(const union sigval& value) const {
    if ((value.sival_int & ~kToEveryone) == SIGKILL) {
      ::kill(init_, SIGKILL);
    } else {
      ::sigqueue(init_, keeper_signal(), value);
    }
  }

  void end(ExitStatus& out, int status, const struct rusage& usage) const {
    constexpr std::uint64_t kKilo = 1024;
    const auto ms = [](const struct timeval& time) {
      return (static_cast<std::uint64_t>(time.tv_sec) * 1000) +
             (static_cast<std::uint64_t>(time.tv_usec) / 1000);
    };
    out.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    out.code = WIFSIGNALED(status) ? 128 + out.signal : WEXITSTATUS(status);
    const CgroupUsage counted = cgroup_.empty() ? CgroupUsage() : cgroup_usage(cgroups_, cgroup_);
    out.peak_memory_bytes =
        counted.peak_memory_bytes.value_or(static_cast<std::uint64_t>(usage.ru_maxrss) * kKilo);
    out.cpu_user_ms = counted.cpu_user_ms.value_or(ms(usage.ru_utime));
    out.cpu_system_ms = counted.cpu_system_ms.value_or(ms(usage.ru_stime));
    out.out_of_memory = counted.out_of_memory;
    out.out_of_pids = counted.out_of_pids && out.code != 0;
  }

  // The container's processes, its cgroup, its mount and its files, in this order.
  void clear_up() {
    CHECK(::getpid() == 1);  // else "all" would be all of the machine
    ::kill(-1, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
    if (!cgroup_.empty()) {
      remove_cgroup(cgroups_, cgroup_);
    }
    (void)::chdir("/");
    ::umount2(directory_.root().c_str(), MNT_DETACH);
    (void)directory_.remove_contents();
    if (!spec_.upper.empty()) {
      (void)remove_work();
    }
  }

  Status remove_work() const {
    const ContainerDirectory beside(work());
    return beside.remove();
  }

  const KeeperTask& task_;
  const ContainerSpec& spec_;
  const ContainerDirectory& directory_;
  KeeperFiles files_;
  UserMapping mapping_;
  CgroupHost cgroups_ = cgroup_host();
  std::string cgroup_;
  pid_t init_ = -1;
  io::Descriptor report_;
  io::Descriptor console_;
};

// C of the picture in the header.
[[noreturn]] void enter_namespaces(const KeeperTask& task, int channel, int lock, pid_t caller) {
  block_all_signals();
  ::umask(022);
  const KeeperFiles files = keep_files(task.spec, channel, lock);
  if (task.detached) {
    ::setsid();
  } else {
    die_with_parent(caller);
  }
  const auto mapping = become_root();
  if (!mapping) {
    send_message(files.channel, error_text(mapping.error()));
    ::_exit(1);
  }
  if (::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) {
    const int number = errno;
    send_message(
        files.channel,
        error_text(number == EPERM ? fail(ErrorKind::kPermission,
                                          "this process may not make namespaces: no container can "
                                          "be started here")
                                   : io::system_error(number, "make", "namespaces")));
    ::_exit(1);
  }
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    if (!task.detached) {
      die_with_parent(0);
    }
    Keeper(task, files, *mapping).run();
  }
  for (const int one : {files.channel, files.lock, files.in, files.out, files.err}) {
    ::close(one);
  }
  if (keeper > 0 && !task.detached) {
    ::waitpid(keeper, nullptr, 0);
  }
  ::_exit(0);
}

}  // namespace

Result<StartedKeeper> start_keeper(const KeeperTask& task, io::FileLock lock) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return failure("talk to the keeper of");
  }
  const io::Descriptor ours(ends[0]);
  io::Descriptor theirs(ends[1]);
  const pid_t caller = ::getpid();
  StartedKeeper out;
  out.child = ::fork();
  if (out.child < 0) {
    return failure("start a process for");
  }
  if (out.child == 0) {
    enter_namespaces(task, theirs.get(), lock.file().get(), caller);
  }
  theirs.close();
  const auto reap = [&] {
    while (::waitpid(out.child, nullptr, 0) < 0 && errno == EINTR) {
    }
    out.child = -1;
  };
  if (task.detached) {
    reap();
  }
  auto message = receive_message(ours.get());
  if (message && message->text == kStarted) {
    out.console = std::move(message->descriptor);
    return out;
  }
  if (!task.detached) {
    reap();
  }
  if (!message || message->text.empty()) {
    return fail(ErrorKind::kUnavailable, "the keeper of the container died while it started");
  }
  return error_of(message->text);
}

}  // namespace cloche::runtime
