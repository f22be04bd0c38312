#include "cli/job/access.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/system_error.h"

namespace cloche::cli {
namespace {

// `cloche worker --job NAME`, apart from us: a session of its own, so that neither the end of our
// terminal nor Ctrl-C reaches it. What it says goes into the run's system_logs/.
Status start_supervisor(const jobs::JobBook& book, const std::string& name) {
  const jobs::RunDirectory directory = book.directory(name);
  TRY(io::make_directories(directory.system_logs()));
  const std::string log = directory.system_logs() + "/" + std::string(jobs::kSupervisorLog);
  const std::string program = "/proc/self/exe";
  std::array<std::string, 6> words = {
      "cloche", "--workspace=" + book.workspace(), "worker", "--job=" + name, "--output=json", ""};
  std::array<char*, 6> arguments{};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    arguments.at(i) = words.at(i).data();
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  CHECK(posix_spawn_file_actions_init(&actions) == 0);
  CHECK(posix_spawnattr_init(&attributes) == 0);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), ::environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? Status() : Status(io::system_error(error, "run", program));
}

}  // namespace

Result<JobAccess> JobAccess::open_only(Context& context) {
  return JobAccess(*TRY(context.workspace()), jobs::this_machine());
}

Result<JobAccess> JobAccess::open(Context& context) {
  JobAccess out = TRY(open_only(context));
  if (!out.workspace().read_only()) {
    if (const Status attended = out.attend(); !attended) {
      context.say(Diagnostic{.severity = Severity::kWarning,
                             .rule = "",
                             .message = "looking after jobs: " + attended.error().message,
                             .hint = attended.error().hint,
                             .at = {},
                             .excerpt = {}});
    }
  }
  return out;
}

Status JobAccess::attend() {
  return attend([this](const std::string& name) { return start_supervisor(book_, name); });
}

Result<bool> JobAccess::attend_as(const std::string& own) {
  bool mine = false;
  TRY(attend([&](const std::string& name) -> Status {
    if (name == own) {
      mine = true;
      return {};
    }
    return start_supervisor(book_, name);
  }));
  return mine;
}

Status JobAccess::attend(const jobs::StartSupervisor& start) {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // supervisors that have ended
  }
  return jobs::attend(book_, machine_, start);
}

}  // namespace cloche::cli
