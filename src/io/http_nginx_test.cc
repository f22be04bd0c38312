// nginx as a second judge: HTTP/2 over TLS, ETag and Range as a server does them that we did not
// write. Skips where nginx or openssl is not installed.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/testing.h"
#include "io/http_client.h"
#include "io/testing.h"

namespace cloche::io {
namespace {

using ::testing::HasSubstr;

constexpr const char* kNginx = "/usr/sbin/nginx";
constexpr const char* kOpenssl = "/usr/bin/openssl";

int free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ::bind(socket.get(), generic, size);
  ::getsockname(socket.get(), generic, &size);
  return ntohs(address.sin_port);
}

class HttpNginxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(kNginx, X_OK) != 0 || ::access(kOpenssl, X_OK) != 0) {
      GTEST_SKIP() << "nginx or openssl is not installed";
    }
    const std::string root = directory_.path();
    const std::string certificate = fmt::format(
        "{0} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-keyout {1}/key.pem -out {1}/cert.pem -subj /CN=localhost "
        "-addext subjectAltName=IP:127.0.0.1 >{1}/openssl.log 2>&1",
        kOpenssl, root);
    ASSERT_EQ(std::system(certificate.c_str()), 0);
    write("nginx.conf", fmt::format(R"(
daemon off;
master_process off;
pid {0}/pid;
error_log {0}/error.log;
events {{}}
http {{
  log_format protocol '$connection $server_protocol $status $request_uri';
  access_log {0}/access.log protocol;
  client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3;
  uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;
  server {{
    listen 127.0.0.1:{1} ssl http2;
    ssl_certificate {0}/cert.pem;
    ssl_certificate_key {0}/key.pem;
    root {0}/www;
  }}
}}
)",
                                    root, port_));
    ASSERT_EQ(::mkdir((root + "/www").c_str(), 0755), 0);
    ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
    process_ = ::fork();
    if (process_ == 0) {
      const std::string config = root + "/nginx.conf";
      ::freopen("/dev/null", "w", stderr);
      ::execl(kNginx, "nginx", "-p", root.c_str(), "-c", config.c_str(), nullptr);
      ::_exit(1);
    }
    for (int i = 0; i < 300 && ::access((root + "/pid").c_str(), F_OK) != 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    options_.ca_file = root + "/cert.pem";
    options_.backoff_base_ms = 20;
  }

  void TearDown() override {
    if (process_ > 0) {
      ::kill(process_, SIGTERM);
      ::waitpid(process_, nullptr, 0);
    }
  }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(directory_.path() + "/" + name) << content;
  }
  std::string url(const std::string& path) const {
    return fmt::format("https://127.0.0.1:{}{}", port_, path);
  }

  Result<HttpResponse> get(HttpClient& client, HttpRequest request) {
    Progress silent;
    return client.run(std::span(&request, 1), {}, silent).front();
  }
  HttpRequest request_for(const std::string& path, HttpSink& sink) const {
    HttpRequest request;
    request.urls = {{url(path), {}}};
    request.sink = &sink;
    return request;
  }

  TemporaryDirectory directory_ = test_directory();
  int port_ = free_port();
  pid_t process_ = -1;
  HttpOptions options_;
};

TEST_F(HttpNginxTest, ManyTransfersShareOneHttp2Connection) {
  std::vector<StringSink> sinks(100);
  std::vector<HttpRequest> requests;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const std::string name = std::to_string(i);
    write("www/" + name, "file " + name);
    requests.push_back(request_for("/" + name, sinks[i]));
  }
  HttpClient client(options_);
  Progress silent;
  const auto responses = client.run(requests, {}, silent);
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    ASSERT_TRUE(responses[i]) << responses[i].error().to_string();
    EXPECT_EQ(sinks[i].content(), "file " + std::to_string(i));
  }
  std::ifstream log(directory_.path() + "/access.log");
  std::set<std::string> connections;
  for (std::string line; std::getline(log, line);) {
    EXPECT_THAT(line, HasSubstr("HTTP/2.0 200"));
    connections.insert(line.substr(0, line.find(' ')));
  }
  EXPECT_EQ(connections.size(), 1U);
}

TEST_F(HttpNginxTest, ACertificateThatNobodyVouchesForIsRefused) {
  write("www/a", "x");
  options_.ca_file.clear();
  HttpClient client(options_);
  StringSink sink;
  const auto response = get(client, request_for("/a", sink));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(response.error().hint, HasSubstr("SSL_CERT_FILE"));
  options_.verify_certificates = false;
  HttpClient trusting(options_);
  EXPECT_TRUE(get(trusting, request_for("/a", sink)));
}

TEST_F(HttpNginxTest, ItsETagsAndRangesAreUnderstood) {
  const std::string body(200'000, 'a');
  write("www/a", body + "end");
  HttpClient client(options_);
  StringSink sink;
  ASSERT_VALUE(first, get(client, request_for("/a", sink)));
  EXPECT_EQ(sink.content(), body + "end");
  ASSERT_FALSE(first.etag.empty());

  HttpRequest again = request_for("/a", sink);
  again.etag = first.etag;
  ASSERT_VALUE(same, get(client, again));
  EXPECT_TRUE(same.not_modified);

  StringSink half;
  ASSERT_TRUE(half.write(body));
  HttpRequest rest = request_for("/a", half);
  rest.resume_from = body.size();
  rest.resume_validator = first.etag;
  ASSERT_VALUE(resumed, get(client, rest));
  EXPECT_EQ(resumed.size_bytes, body.size() + 3);
  EXPECT_EQ(half.content(), body + "end");

  write("www/a", "something else, and of another size");
  rest.resume_from = half.content().size();
  ASSERT_VALUE(changed, get(client, rest));
  EXPECT_EQ(half.content(), "something else, and of another size");
  EXPECT_NE(changed.etag, first.etag);

  // Beyond the end nginx answers 416: it is asked for everything.
  StringSink longer;
  ASSERT_TRUE(longer.write(body));
  HttpRequest beyond = request_for("/a", longer);
  beyond.resume_from = body.size();
  beyond.hash_is_checked = true;
  ASSERT_TRUE(get(client, beyond));
  EXPECT_EQ(longer.content(), "something else, and of another size");
}

TEST_F(HttpNginxTest, APooledConnectionThatDiedIsNoCrash) {
  write("www/a", "x");
  HttpClient client(options_);
  StringSink sink;
  ASSERT_TRUE(get(client, request_for("/a", sink)));
  TearDown();  // the pooled connection is dead now
  process_ = -1;
  const auto gone = get(client, request_for("/a", sink));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace cloche::io
