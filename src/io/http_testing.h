// A small HTTP/1.1 server inside the test's process, with the faults that a network has.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "io/descriptor.h"

namespace cloche::io {

// What stands at one path, and how it behaves.
struct TestResource {
  std::string body = {};
  std::string etag = {};           // with its quotes; If-None-Match and If-Range are honoured
  std::string last_modified = {};  // the same for If-Modified-Since and If-Range, compared as text
  std::string cache_control = {};
  std::string authorization = {};  // without exactly this header the answer is 401
  std::string redirect_to = {};    // 302
  bool ranges = true;
  bool wrong_range = false;  // answers another part than the one asked for
  bool chunked = false;      // no Content-Length

  int status = 200;
  int fail_times = 0;  // the first so many requests get this status
  int fail_status = 503;
  std::string retry_after = {};
  int cut_times = 0;  // the first so many bodies end after cut_after bytes, with the connection
  std::size_t cut_after = 0;
  int delay_ms = 0;                                               // before the answer
  std::vector<std::pair<std::string, std::string>> headers = {};  // more of them
  bool endless = false;  // the body is sent again and again, until the client hangs up
};

struct TestRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class TestServer {
 public:
  TestServer();  // on a free port of 127.0.0.1
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string url(std::string_view path = "") const;
  void set(const std::string& path, TestResource resource);
  void remove(const std::string& path);
  // Asked first, one request at a time; nothing: what set() says. From any thread.
  using Handler = std::function<std::optional<TestResource>(const TestRequest&)>;
  void handle(Handler handler);

  std::vector<TestRequest> requests() const;
  std::size_t count(std::string_view path) const;  // requests for it so far
  void forget_requests();
  // While it is so, connections are reset before they are read.
  void refuse_connections(bool refuse) { refusing_ = refuse; }

 private:
  struct Answer;
  void accept_loop();
  void serve(int connection);
  bool receive_body(int connection, std::string& buffer, TestRequest& request) const;
  Answer answer_to(const TestRequest& request);

  Descriptor listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> refusing_{false};
  mutable std::mutex mutex_;
  std::map<std::string, TestResource> resources_;
  Handler handler_;
  std::vector<TestRequest> requests_;
  std::vector<int> connections_;
  std::list<std::jthread> threads_;
  std::jthread accepter_;
};

}  // namespace cloche::io
