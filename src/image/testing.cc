#include "image/testing.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

constexpr const char* kRegistry = "/usr/bin/docker-registry";
constexpr const char* kOpenssl = "/usr/bin/openssl";
constexpr const char* kHtpasswd = "/usr/bin/htpasswd";

bool is_there(const char* program) { return ::access(program, X_OK) == 0; }

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const io::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ::bind(socket.get(), generic, size);
  ::getsockname(socket.get(), generic, &size);
  return ntohs(address.sin_port);
}

bool answers(int port) {
  const io::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string config_text(const std::string& root, int port, const LocalRegistry::Options& options) {
  std::string text = fmt::format(
      "version: 0.1\nlog: {{level: error}}\n"
      "storage: {{filesystem: {{rootdirectory: {0}/storage}}, delete: {{enabled: true}}}}\n"
      "http:\n  addr: 127.0.0.1:{1}\n",
      root, port);
  if (options.tls) {
    text += fmt::format("  tls: {{certificate: {0}/cert.pem, key: {0}/key.pem}}\n", root);
  }
  if (options.htpasswd) {
    text += fmt::format("auth: {{htpasswd: {{realm: test, path: {0}/htpasswd}}}}\n", root);
  }
  return text;
}

}  // namespace

LocalRegistry::LocalRegistry() : directory_(io::test_directory()), port_(free_port()) {}

std::unique_ptr<LocalRegistry> LocalRegistry::start(const Options& options) {
  if (!is_there(kRegistry) || (options.tls && !is_there(kOpenssl)) ||
      (options.htpasswd && !is_there(kHtpasswd))) {
    return nullptr;
  }
  std::unique_ptr<LocalRegistry> registry(new LocalRegistry());
  const std::string root = registry->directory_.path();
  std::ofstream(root + "/config.yml") << config_text(root, registry->port_, options);
  if (options.tls &&
      std::system(fmt::format("{0} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
                              "-nodes -days 2 -keyout {1}/key.pem -out {1}/cert.pem "
                              "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 "
                              ">{1}/openssl.log 2>&1",
                              kOpenssl, root)
                      .c_str()) != 0) {
    return nullptr;
  }
  if (options.htpasswd &&
      std::system(fmt::format("{0} -nbB -C 4 someone 'secret word' >{1}/htpasswd 2>/dev/null",
                              kHtpasswd, root)
                      .c_str()) != 0) {
    return nullptr;
  }
  registry->process_ = ::fork();
  if (registry->process_ == 0) {
    const std::string config = root + "/config.yml";
    if (::freopen("/dev/null", "w", stderr) != nullptr &&
        ::freopen("/dev/null", "w", stdout) != nullptr) {
      ::execl(kRegistry, "docker-registry", "serve", config.c_str(), nullptr);
    }
    ::_exit(1);
  }
  for (int i = 0; i < 500 && !answers(registry->port_); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return answers(registry->port_) ? std::move(registry) : nullptr;
}

LocalRegistry::~LocalRegistry() {
  if (process_ > 0) {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
}

}  // namespace cloche::image
