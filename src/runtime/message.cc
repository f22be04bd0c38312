#include "runtime/message.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

#include "core/json.h"
#include "io/system_error.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 10U;

union Control {
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
  struct cmsghdr aligned;
};

}  // namespace

void send_message(int socket, std::string_view text, int descriptor) {
  text = text.substr(0, kMaxBytes);
  struct iovec part{.iov_base = const_cast<char*>(text.data()),  // NOLINT: sendmsg does not write
                    .iov_len = text.size()};
  Control control{};
  struct msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    struct cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

Result<Message> receive_message(int socket) {
  std::string text(kMaxBytes, '\0');
  struct iovec part{.iov_base = text.data(), .iov_len = text.size()};
  Control control{};
  struct msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t size = 0;
  while ((size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (size < 0) {
    return io::system_error(errno, "receive", "a message");
  }
  Message out;
  text.resize(static_cast<std::size_t>(size));
  out.text = std::move(text);
  const struct cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    out.descriptor = io::Descriptor(descriptor);
  }
  return out;
}

std::string error_text(const Error& error) {
  Json context = Json::array();
  for (const std::string& one : error.context) {
    context.push(one);
  }
  Json details = Json::array();
  for (const std::string& one : error.details) {
    details.push(one);
  }
  return Json::object()
      .set("kind", static_cast<int>(error.kind))
      .set("message", error.message)
      .set("hint", error.hint)
      .set("context", std::move(context))
      .set("details", std::move(details))
      .dump();
}

Error error_of(const std::string& text) {
  const auto json = parse_json(text);
  if (!json || !(*json)["kind"].is_integer() || !(*json)["context"].is_array() ||
      !(*json)["details"].is_array()) {
    return fail(ErrorKind::kInternal, "a process of the container said something unknown");
  }
  Error out;
  out.kind = static_cast<ErrorKind>((*json)["kind"].as_integer());
  out.message = json->string_or_empty("message");
  out.hint = json->string_or_empty("hint");
  for (const Json& one : (*json)["context"].items()) {
    out.context.push_back(one.as_string());
  }
  for (const Json& one : (*json)["details"].items()) {
    out.details.push_back(one.as_string());
  }
  return out;
}

}  // namespace cloche::runtime
