#include "jobs/free_port.h"

#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "io/descriptor.h"
#include "io/system_error.h"

namespace cloche::jobs {

Result<int> free_port() {
  const io::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_ANY);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the C interface
  if (!socket.valid() || ::bind(socket.get(), plain, size) != 0 ||
      ::getsockname(socket.get(), plain, &size) != 0) {
    return io::system_error(errno, "find", "a free port");
  }
  return ::ntohs(address.sin_port);
}

}  // namespace cloche::jobs
