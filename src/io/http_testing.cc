#include "io/http_testing.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/check.h"
#include "core/text.h"

namespace cloche::io {
namespace {

bool send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The head of the next request, up to its empty line; nothing when the peer hung up.
std::optional<std::string> receive_head(int connection, std::string& buffer) {
  while (true) {
    if (const std::size_t end = buffer.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = buffer.substr(0, end);
      buffer.erase(0, end + 4);
      return head;
    }
    char bytes[4096];
    const ssize_t count = ::recv(connection, bytes, sizeof bytes, 0);
    if (count <= 0 || buffer.size() > (1U << 20U)) {
      return std::nullopt;
    }
    buffer.append(bytes, static_cast<std::size_t>(count));
  }
}

TestRequest parse_head(std::string_view head) {
  TestRequest request;
  const auto lines = split_lines(head);
  const auto words = split(lines.front(), ' ');
  request.method = words[0];
  request.path = words.size() > 1 ? words[1] : "";
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = std::min(lines[i].find(':'), lines[i].size());
    request.headers[to_lower(lines[i].substr(0, colon))] =
        trim(lines[i].substr(std::min(colon + 1, lines[i].size())));
  }
  return request;
}

std::string header_of(const TestRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

}  // namespace

struct TestServer::Answer {
  int status = 404;
  std::string headers;
  std::string body;
  std::optional<std::size_t> cut_after;
  bool chunked = false;
  bool endless = false;
  int delay_ms = 0;
};

TestServer::TestServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CHECK(::bind(listener_.get(), generic, sizeof address) == 0);
  CHECK(::listen(listener_.get(), 128) == 0);
  socklen_t size = sizeof address;
  CHECK(::getsockname(listener_.get(), generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  accepter_ = std::jthread([this] { accept_loop(); });
}

TestServer::~TestServer() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  accepter_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int connection : connections_) {
      ::shutdown(connection, SHUT_RDWR);
    }
  }
  threads_.clear();  // joins
}

std::string TestServer::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

void TestServer::set(const std::string& path, TestResource resource) {
  const std::lock_guard lock(mutex_);
  resources_[path] = std::move(resource);
}

void TestServer::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  resources_.erase(path);
}

std::vector<TestRequest> TestServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t TestServer::count(std::string_view path) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(requests_.begin(), requests_.end(),
                    [&](const TestRequest& request) { return request.path == path; }));
}

void TestServer::forget_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
}

void TestServer::handle(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

bool TestServer::receive_body(int connection, std::string& buffer, TestRequest& request) const {
  std::size_t size = 0;
  const std::string length = header_of(request, "content-length");
  std::from_chars(length.data(), length.data() + length.size(), size);
  while (buffer.size() < size && !stopping_) {
    char bytes[65536];
    const ssize_t count = ::recv(connection, bytes, sizeof bytes, 0);
    if (count <= 0) {
      return false;
    }
    buffer.append(bytes, static_cast<std::size_t>(count));
  }
  request.body = buffer.substr(0, size);
  buffer.erase(0, size);
  return true;
}

void TestServer::accept_loop() {
  while (!stopping_) {
    const int connection = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) {
      continue;
    }
    if (refusing_) {
      ::close(connection);
      continue;
    }
    const int yes = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const std::lock_guard lock(mutex_);
    connections_.push_back(connection);
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void TestServer::serve(int connection) {
  std::string buffer;
  while (!stopping_) {
    const auto head = receive_head(connection, buffer);
    if (!head) {
      break;
    }
    TestRequest request = parse_head(*head);
    if (!receive_body(connection, buffer, request)) {
      break;
    }
    const Answer answer = answer_to(request);
    for (int waited = 0; waited < answer.delay_ms && !stopping_; waited += 10) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::string text = fmt::format("HTTP/1.1 {} {}\r\n{}", answer.status,
                                   answer.status < 400 ? "OK" : "Failed", answer.headers);
    if (answer.chunked) {
      text += fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", answer.body.size());
    } else {
      text += fmt::format("Content-Length: {}\r\n\r\n", answer.body.size());
    }
    if (request.method == "HEAD") {
      if (!send_all(connection, text)) {
        break;
      }
      continue;
    }
    text += std::string_view(answer.body).substr(0, answer.cut_after.value_or(std::string::npos));
    while (answer.endless && !stopping_ &&
           send_all(connection, fmt::format("{}\r\n{:x}\r\n", text, answer.body.size()))) {
      text = answer.body;
    }
    if (!answer.cut_after && answer.chunked) {
      text += "\r\n0\r\n\r\n";
    }
    if (!send_all(connection, text) || answer.cut_after) {
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  std::erase(connections_, connection);
  ::close(connection);
}

TestServer::Answer TestServer::answer_to(const TestRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  Answer out;
  std::optional<TestResource> made = handler_ ? handler_(request) : std::nullopt;
  const auto found = resources_.find(request.path);
  if (!made && found == resources_.end()) {
    out.body = "<html>not here</html>";
    return out;
  }
  TestResource& resource = made ? *made : found->second;
  out.delay_ms = resource.delay_ms;
  out.endless = resource.endless;
  out.chunked = resource.chunked || resource.endless;
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      out.headers += fmt::format("{}: {}\r\n", name, value);
    }
  };
  for (const auto& [name, value] : resource.headers) {
    add(name, value);
  }
  if (!resource.authorization.empty() &&
      header_of(request, "authorization") != resource.authorization) {
    out.status = 401;
    return out;
  }
  if (resource.fail_times > 0) {
    --resource.fail_times;
    out.status = resource.fail_status;
    add("Retry-After", resource.retry_after);
    return out;
  }
  if (!resource.redirect_to.empty()) {
    out.status = 302;
    add("Location", resource.redirect_to);
    return out;
  }
  out.status = resource.status;
  add("ETag", resource.etag);
  add("Last-Modified", resource.last_modified);
  add("Cache-Control", resource.cache_control);
  const std::string none_match = header_of(request, "if-none-match");
  const std::string since = header_of(request, "if-modified-since");
  if ((!none_match.empty() && none_match == resource.etag) ||
      (none_match.empty() && !since.empty() && since == resource.last_modified)) {
    out.status = 304;
    return out;
  }
  out.body = resource.body;
  const std::string range = header_of(request, "range");
  const std::string if_range = header_of(request, "if-range");
  const bool same =
      if_range.empty() || if_range == resource.etag || if_range == resource.last_modified;
  if (resource.ranges && range.starts_with("bytes=") && same) {
    std::size_t from = 0;
    std::from_chars(range.data() + 6, range.data() + range.size(), from);
    if (from >= resource.body.size()) {
      out.status = 416;
      out.body.clear();
      add("Content-Range", fmt::format("bytes */{}", resource.body.size()));
      return out;
    }
    from = resource.wrong_range ? 0 : from;
    out.status = 206;
    out.body = resource.body.substr(from);
    add("Content-Range",
        fmt::format("bytes {}-{}/{}", from, resource.body.size() - 1, resource.body.size()));
  }
  if (resource.cut_times > 0) {
    --resource.cut_times;
    out.cut_after = resource.cut_after;
  }
  return out;
}

}  // namespace cloche::io
