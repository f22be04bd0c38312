#include "runtime/root_process.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/system_error.h"
#include "runtime/message.h"
#include "runtime/user_namespace.h"

namespace cloche::runtime {
namespace {

constexpr std::string_view kDone = "done\n";

Result<std::string> work_in_namespace(
    const std::function<Result<std::string>(const std::stop_token&)>& work, int parent) {
  const UserMapping mapping = TRY(become_root());
  if (!mapping.several_users) {
    return fail(ErrorKind::kUnsupported,
                "Debian's packages have files of several users, and this user has only itself")
        .with_hint(
            "install uidmap and give the user a range (usermod --add-subuids 100000-165535 "
            "--add-subgids 100000-165535 NAME), or run as root");
  }
  std::stop_source source;
  // Nothing is ever sent to us: the other end is closed when we are to stop, or the parent died.
  std::thread([parent, source]() mutable {
    std::array<char, 1> unused{};
    while (::recv(parent, unused.data(), unused.size(), 0) < 0 && errno == EINTR) {
    }
    source.request_stop();
  }).detach();
  return work(source.get_token());
}

}  // namespace

Result<std::string> run_as_root(
    const std::function<Result<std::string>(const std::stop_token&)>& work,
    const std::stop_token& stop) {
  if (::geteuid() == 0) {
    return work(stop);
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return io::system_error(errno, "talk to", "a process that is root of a namespace");
  }
  io::Descriptor ours(ends[0]);
  io::Descriptor theirs(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    return io::system_error(errno, "start", "a process that is root of a namespace");
  }
  if (child == 0) {
    ours.close();
    const auto result = work_in_namespace(work, theirs.get());
    send_message(theirs.get(), result ? std::string(kDone) + *result : error_text(result.error()));
    ::_exit(0);
  }
  theirs.close();
  auto message = [&] {
    // Our half for writing is closed; the child still says how it ended.
    const std::stop_callback told(stop, [&] { ::shutdown(ours.get(), SHUT_WR); });
    return receive_message(ours.get());
  }();
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!message || message->text.empty()) {
    return fail(ErrorKind::kUnavailable, "a process that is root of a namespace died");
  }
  if (message->text.starts_with(kDone)) {
    return message->text.substr(kDone.size());
  }
  return error_of(message->text);
}

}  // namespace cloche::runtime
