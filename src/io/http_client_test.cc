#include "io/http_client.h"

#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/http_testing.h"
#include "io/testing.h"

namespace cloche::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

HttpOptions fast() {
  HttpOptions options;
  options.backoff_base_ms = 1;
  options.connect_timeout_ms = 2000;
  return options;
}

HttpRequest request_for(HttpSink& sink, std::vector<std::string> urls) {
  HttpRequest request;
  for (std::string& url : urls) {
    request.urls.push_back({std::move(url), {}});
  }
  request.sink = &sink;
  request.name = "it";
  return request;
}

class HttpClientTest : public ::testing::Test {
 protected:
  Result<HttpResponse> get(const HttpRequest& request) {
    return client_.run(std::span(&request, 1), {}, progress_).front();
  }
  Result<HttpResponse> get(const std::string& path) {
    return get(request_for(sink_, {server_.url(path)}));
  }

  TestServer server_;
  Progress progress_;
  HttpClient client_{fast()};
  StringSink sink_;
};

std::string long_body() {
  std::string body;
  for (int i = 0; body.size() < 300'000; ++i) {
    body += "line " + std::to_string(i) + "\n";
  }
  return body;
}

TEST_F(HttpClientTest, Downloads) {
  server_.set("/a", {.body = "hello", .etag = "\"1\"", .cache_control = "max-age=60"});
  ASSERT_VALUE(response, get("/a"));
  EXPECT_EQ(sink_.content(), "hello");
  EXPECT_EQ(response.etag, "\"1\"");
  EXPECT_EQ(response.cache_control, "max-age=60");
  EXPECT_EQ(response.size_bytes, 5U);
  EXPECT_FALSE(response.not_modified);
}

TEST_F(HttpClientTest, ReadsAnEmptyBodyAndAChunkedOne) {
  server_.set("/empty", {});
  ASSERT_VALUE(empty, get("/empty"));
  EXPECT_EQ(empty.size_bytes, 0U);
  server_.set("/chunked", {.body = long_body(), .chunked = true});
  ASSERT_TRUE(get("/chunked"));
  EXPECT_EQ(sink_.content(), long_body());
}

TEST_F(HttpClientTest, RunsManyAtOnceOverFewConnections) {
  std::vector<StringSink> sinks(200);
  std::vector<HttpRequest> requests;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const std::string path = "/" + std::to_string(i);
    server_.set(path, {.body = "body of " + path});
    requests.push_back(request_for(sinks[i], {server_.url(path)}));
  }
  const auto responses = client_.run(requests, {}, progress_);
  ASSERT_EQ(responses.size(), sinks.size());
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    EXPECT_TRUE(responses[i].has_value());
    EXPECT_EQ(sinks[i].content(), "body of /" + std::to_string(i));
  }
}

TEST_F(HttpClientTest, AsksAgainAfterWhatTimeMayHeal) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    server_.set("/a", {.body = "x", .fail_times = 2, .fail_status = status});
    server_.forget_requests();
    ASSERT_TRUE(get("/a"));
    EXPECT_EQ(server_.count("/a"), 3U) << status;
  }
}

TEST_F(HttpClientTest, GivesUpInTheEndAndSaysHowOftenItTried) {
  server_.set("/a", {.fail_times = 100});
  const auto response = get("/a");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(response.error().message, HasSubstr("503"));
  EXPECT_THAT(response.error().message, HasSubstr("tried 5 times"));
  EXPECT_EQ(server_.count("/a"), 5U);
}

struct Refusal {
  int status;
  ErrorKind kind;
};

TEST_F(HttpClientTest, DoesNotRepeatWhatIsRefused) {
  for (const Refusal& refusal :
       {Refusal{401, ErrorKind::kPermission}, Refusal{403, ErrorKind::kPermission},
        Refusal{404, ErrorKind::kNotFound}, Refusal{410, ErrorKind::kNotFound},
        Refusal{400, ErrorKind::kInvalid}, Refusal{501, ErrorKind::kUnavailable}}) {
    server_.set("/a", {.fail_times = 100, .fail_status = refusal.status});
    server_.forget_requests();
    const auto response = get("/a");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, refusal.kind) << refusal.status;
    EXPECT_EQ(server_.count("/a"), 1U);
  }
}

TEST_F(HttpClientTest, WaitsAsLongAsTheServerAsksWithinBounds) {
  server_.set("/a", {.body = "x", .fail_times = 1, .retry_after = "1"});
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(get("/a"));
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(950));
  server_.set("/b", {.body = "x", .fail_times = 1, .retry_after = "86400"});
  EXPECT_FALSE(get("/b"));
  EXPECT_EQ(server_.count("/b"), 1U);
}

TEST_F(HttpClientTest, SaysWhenNothingChanged) {
  server_.set("/a",
              {.body = "x", .etag = "\"1\"", .last_modified = "Sat, 01 Jan 2022 00:00:00 GMT"});
  HttpRequest request = request_for(sink_, {server_.url("/a")});
  request.etag = "\"1\"";
  ASSERT_VALUE(same, get(request));
  EXPECT_TRUE(same.not_modified);
  EXPECT_EQ(same.etag, "\"1\"");
  request.etag = "\"0\"";
  ASSERT_VALUE(changed, get(request));
  EXPECT_FALSE(changed.not_modified);
  EXPECT_EQ(sink_.content(), "x");
  request.etag.clear();
  request.last_modified = "Sat, 01 Jan 2022 00:00:00 GMT";
  ASSERT_VALUE(dated, get(request));
  EXPECT_TRUE(dated.not_modified);
}

TEST_F(HttpClientTest, ContinuesWhereAConnectionBroke) {
  server_.set("/a", {.body = long_body(), .etag = "\"1\"", .cut_times = 3, .cut_after = 70'000});
  ASSERT_VALUE(response, get("/a"));
  EXPECT_EQ(sink_.content(), long_body());
  EXPECT_EQ(response.size_bytes, long_body().size());
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[1].headers.at("range"), "bytes=70000-");
  EXPECT_EQ(requests[1].headers.at("if-range"), "\"1\"");
  EXPECT_EQ(requests[3].headers.at("range"), "bytes=210000-");
}

TEST_F(HttpClientTest, StartsAnewWhereNothingSaysThatItIsTheSameBody) {
  server_.set("/a", {.body = long_body(), .cut_times = 1, .cut_after = 70'000});
  ASSERT_TRUE(get("/a"));
  EXPECT_EQ(sink_.content(), long_body());
  EXPECT_FALSE(server_.requests()[1].headers.contains("range"));
}

TEST_F(HttpClientTest, TakesTheWholeBodyWhenItHasChangedInBetween) {
  StringSink sink;
  ASSERT_TRUE(sink.write("old").has_value());
  server_.set("/a", {.body = "new content", .etag = "\"2\""});
  HttpRequest request = request_for(sink, {server_.url("/a")});
  request.resume_from = 3;
  request.resume_validator = "\"1\"";
  ASSERT_TRUE(get(request));
  EXPECT_EQ(sink.content(), "new content");
}

TEST_F(HttpClientTest, ResumesWithoutAValidatorWhenTheHashIsChecked) {
  StringSink sink;
  ASSERT_TRUE(sink.write("new ").has_value());
  server_.set("/a", {.body = "new content"});
  HttpRequest request = request_for(sink, {server_.url("/a")});
  request.resume_from = 4;
  request.hash_is_checked = true;
  ASSERT_TRUE(get(request));
  EXPECT_EQ(sink.content(), "new content");
  EXPECT_EQ(server_.requests().front().headers.at("range"), "bytes=4-");
}

TEST_F(HttpClientTest, AServerThatDoesNotKnowThePartIsAskedForAll) {
  for (const bool wrong : {false, true}) {
    StringSink sink;
    ASSERT_TRUE(sink.write("much longer than it").has_value());
    server_.set("/a", {.body = wrong ? "much longer than it is, after all" : "short",
                       .wrong_range = wrong});
    HttpRequest request = request_for(sink, {server_.url("/a")});
    request.resume_from = 19;
    request.hash_is_checked = true;
    ASSERT_TRUE(get(request));
    EXPECT_EQ(sink.content(), wrong ? "much longer than it is, after all" : "short");
  }
}

TEST_F(HttpClientTest, APartThatNobodyAskedForIsRefused) {
  server_.set("/a", {.body = "x", .status = 206});
  EXPECT_FALSE(get("/a"));
}

TEST_F(HttpClientTest, GoesOnToTheNextMirror) {
  server_.set("/bad", {.fail_times = 100});
  server_.set("/cut", {.body = long_body(), .cut_times = 9, .cut_after = 1000});
  server_.set("/good", {.body = long_body()});
  HttpRequest request =
      request_for(sink_, {server_.url("/none"), server_.url("/bad"), "http://127.0.0.1:1/x",
                          server_.url("/cut"), server_.url("/good")});
  request.hash_is_checked = true;
  ASSERT_VALUE(response, get(request));
  EXPECT_EQ(response.url, server_.url("/good"));
  EXPECT_EQ(sink_.content(), long_body());
  EXPECT_EQ(server_.requests().back().headers.at("range"), "bytes=1000-");
}

TEST_F(HttpClientTest, ContinuesAtAnotherMirrorWhoseETagIsAnother) {
  server_.set("/cut", {.body = long_body(), .etag = "\"1\"", .cut_times = 9, .cut_after = 1000});
  server_.set("/good", {.body = long_body(), .etag = "\"2\""});
  HttpRequest request = request_for(sink_, {server_.url("/cut"), server_.url("/good")});
  request.hash_is_checked = true;
  ASSERT_TRUE(get(request));
  EXPECT_EQ(sink_.content(), long_body());
  EXPECT_EQ(server_.requests().back().headers.at("range"), "bytes=1000-");
  EXPECT_FALSE(server_.requests().back().headers.contains("if-range"));
  // Without a hash nobody knows that the two have the same body.
  server_.set("/cut",
              {.body = "xx" + long_body(), .etag = "\"1\"", .cut_times = 9, .cut_after = 1000});
  request.hash_is_checked = false;
  ASSERT_TRUE(get(request));
  EXPECT_EQ(sink_.content(), long_body());
}

TEST_F(HttpClientTest, AnETagWithALineBreakIsNotSent) {
  server_.set("/a", {.body = "x"});
  HttpRequest request = request_for(sink_, {server_.url("/a")});
  request.etag = "\"1\"\r\nX-Evil: 1";
  ASSERT_TRUE(get(request));
  EXPECT_FALSE(server_.requests().front().headers.contains("x-evil"));
}

TEST_F(HttpClientTest, WhenAllMirrorsFailTheMostTellingErrorIsReported) {
  server_.set("/secret", {.authorization = "Basic x"});
  const auto response = get(
      request_for(sink_, {server_.url("/none"), server_.url("/secret"), server_.url("/none2")}));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kPermission);
}

TEST_F(HttpClientTest, SendsCredentialsOnlyWhereTheyBelong) {
  server_.set("/a", {.body = "x", .authorization = "Basic dXNlcjpwYXNz"});  // user:pass
  HttpRequest request = request_for(sink_, {server_.url("/none"), server_.url("/a")});
  request.urls[1].headers = {{"Authorization", "Basic dXNlcjpwYXNz"}};
  ASSERT_TRUE(get(request));
  EXPECT_FALSE(server_.requests()[0].headers.contains("authorization"));
  std::string url = server_.url("/a");
  url.insert(7, "user:pass@");
  ASSERT_VALUE(in_url, get(request_for(sink_, {url})));
  EXPECT_EQ(in_url.url, server_.url("/a"));
}

TEST_F(HttpClientTest, ARedirectToAnotherHostTakesNoCredentialsAlong) {
  TestServer other;
  other.set("/b", {.body = "x"});
  server_.set("/a", {.redirect_to = other.url("/b")});
  HttpRequest request = request_for(sink_, {server_.url("/a")});
  request.urls[0].headers = {{"Authorization", "Bearer secret"}};
  ASSERT_TRUE(get(request));
  EXPECT_EQ(sink_.content(), "x");
  EXPECT_FALSE(other.requests().front().headers.contains("authorization"));
}

TEST_F(HttpClientTest, FollowsRedirectsButNotForEver) {
  server_.set("/a", {.redirect_to = server_.url("/b")});
  server_.set("/b", {.body = "there"});
  ASSERT_TRUE(get("/a"));
  EXPECT_EQ(sink_.content(), "there");
  server_.set("/loop", {.redirect_to = server_.url("/loop")});
  EXPECT_FALSE(get("/loop"));
  server_.set("/file", {.redirect_to = "file:///etc/passwd"});
  const auto file = get("/file");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::kInvalid);
}

TEST_F(HttpClientTest, ReadsNetrc) {
  const TemporaryDirectory directory = test_directory();
  HttpOptions options = fast();
  options.netrc_file = directory.path() + "/netrc";
  std::ofstream(options.netrc_file) << "machine 127.0.0.1 login user password pass\n";
  server_.set("/a", {.body = "x", .authorization = "Basic dXNlcjpwYXNz"});
  HttpClient client(options);
  const HttpRequest request = request_for(sink_, {server_.url("/a")});
  EXPECT_TRUE(client.run(std::span(&request, 1), {}, progress_).front());
}

TEST_F(HttpClientTest, GoesThroughAProxy) {
  HttpOptions options = fast();
  options.proxies["http"] = server_.url();
  server_.set("http://channel.invalid/a", {.body = "by proxy"});
  HttpClient client(options);
  const HttpRequest request = request_for(sink_, {"http://channel.invalid/a"});
  ASSERT_TRUE(client.run(std::span(&request, 1), {}, progress_).front());
  EXPECT_EQ(sink_.content(), "by proxy");
}

TEST_F(HttpClientTest, AProxysRefusalIsNotTheHosts) {
  HttpOptions options = fast();
  options.proxies["https://channel.invalid"] = server_.url();
  server_.set("channel.invalid:443", {.status = 407});
  HttpClient client(options);
  const HttpRequest request = request_for(sink_, {"https://channel.invalid/a"});
  const auto response = client.run(std::span(&request, 1), {}, progress_).front();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(response.error().message, HasSubstr("407 from the proxy"));
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(HttpClientTest, AHostsOwnProxyComesFirst) {
  HttpOptions options = fast();
  options.proxies["http"] = "http://127.0.0.1:1";
  options.proxies["http://127.0.0.1"] = "";  // none
  server_.set("/a", {.body = "x"});
  HttpClient client(options);
  const HttpRequest request = request_for(sink_, {server_.url("/a")});
  EXPECT_TRUE(client.run(std::span(&request, 1), {}, progress_).front());
}

TEST_F(HttpClientTest, NoSecretReachesAMessage) {
  server_.set("/t/tk-geheim/a", {.fail_times = 100, .fail_status = 403});
  std::string url = server_.url("/t/tk-geheim/a?signature=geheim");
  url.insert(7, "user:geheim@");
  for (const std::string& one :
       {url, std::string("http://user:geheim@127.0.0.1:1/t/geheim/x"),
        std::string("ftp://user:geheim@host/x"), std::string("http://user:geheim@[/")}) {
    const auto response = get(request_for(sink_, {one}));
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().to_string(), Not(HasSubstr("geheim")));
  }
}

TEST_F(HttpClientTest, ErrorsSayWhatToDo) {
  const auto refused = get("/none");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, server_.url("/none") + ": 404 Failed");
  const auto unknown = get(request_for(sink_, {"http://no-such-host.invalid/x"}));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(unknown.error().hint, HasSubstr("proxy"));
  server_.set("/secret", {.authorization = "Basic x"});
  const auto secret = get("/secret");
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().hint, HasSubstr("netrc"));
  const auto nothing = get(request_for(sink_, {}));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::kInvalid);
}

TEST_F(HttpClientTest, BoundsTheBody) {
  server_.set("/a", {.body = long_body()});
  server_.set("/chunked", {.body = long_body(), .chunked = true});
  for (const char* path : {"/a", "/chunked"}) {
    HttpRequest request = request_for(sink_, {server_.url(path)});
    request.limit_bytes = 1000;
    const auto response = get(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kInvalid);
    EXPECT_LE(sink_.content().size(), 1000U);
  }
}

class FullDisk : public HttpSink {
 public:
  Status restart() override { return {}; }
  Status write(std::string_view /*bytes*/) override {
    return fail(ErrorKind::kUnavailable, "the disk is full");
  }
};

TEST_F(HttpClientTest, ASinksErrorIsFinal) {
  FullDisk sink;
  server_.set("/a", {.body = "x"});
  const auto response = get(request_for(sink, {server_.url("/a"), server_.url("/a")}));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "the disk is full");
  EXPECT_EQ(server_.count("/a"), 1U);
}

TEST_F(HttpClientTest, StopsWhenAsked) {
  server_.set("/slow", {.body = "x", .delay_ms = 30'000});
  server_.set("/down", {.fail_times = 100});
  HttpOptions options = fast();
  options.backoff_base_ms = 30'000;
  HttpClient client(options);
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    source.request_stop();
  });
  StringSink other;
  const std::vector<HttpRequest> requests = {request_for(sink_, {server_.url("/slow")}),
                                             request_for(other, {server_.url("/down")})};
  const auto before = std::chrono::steady_clock::now();
  const auto responses = client.run(requests, source.get_token(), progress_);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  for (const auto& response : responses) {
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
  }
}

TEST_F(HttpClientTest, ASlowAnswerHoldsUpNoOther) {
  server_.set("/slow", {.body = "x", .delay_ms = 500});
  server_.set("/fast", {.body = "x"});
  StringSink other;
  class Order : public Progress {
   public:
    void advance(std::string_view /*activity*/, std::uint64_t /*more*/,
                 std::string_view item) override {
      items_.emplace_back(item);
    }
    std::vector<std::string> items_;
  };
  Order order;
  std::vector<HttpRequest> requests = {request_for(sink_, {server_.url("/slow")}),
                                       request_for(other, {server_.url("/fast")})};
  requests[0].name = "slow";
  requests[1].name = "fast";
  client_.run(requests, {}, order);
  EXPECT_THAT(order.items_, ElementsAre("fast", "slow"));
}

TEST_F(HttpClientTest, GivesUpOnAServerThatStalls) {
  HttpOptions options = fast();
  options.stall_timeout_s = 1;
  options.retries = 0;
  server_.set("/slow", {.body = "x", .delay_ms = 30'000});
  HttpClient client(options);
  const HttpRequest request = request_for(sink_, {server_.url("/slow")});
  const auto response = client.run(std::span(&request, 1), {}, progress_).front();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kUnavailable);
}

TEST_F(HttpClientTest, AHostThatIsDownIsNotAskedForEachOfManyFiles) {
  std::vector<StringSink> sinks(300);
  std::vector<HttpRequest> requests;
  for (StringSink& sink : sinks) {
    requests.push_back(request_for(sink, {"http://127.0.0.1:1/x"}));
  }
  HttpOptions options = fast();
  options.backoff_base_ms = 20;
  HttpClient client(options);
  const auto before = std::chrono::steady_clock::now();
  for (const auto& response : client.run(requests, {}, progress_)) {
    EXPECT_FALSE(response);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
}

TEST_F(HttpClientTest, AHostThatComesBackIsFoundByAllOfManyTransfers) {
  const std::string url = server_.url("/a");
  server_.set("/a", {.body = "x"});
  server_.refuse_connections(true);
  std::vector<StringSink> sinks(100);
  std::vector<HttpRequest> requests;
  for (StringSink& sink : sinks) {
    requests.push_back(request_for(sink, {url}));
  }
  HttpOptions options = fast();
  options.backoff_base_ms = 100;
  HttpClient client(options);
  const std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    server_.refuse_connections(false);
  });
  for (const auto& response : client.run(requests, {}, progress_)) {
    EXPECT_TRUE(response);
  }
}

class Counter : public Progress {
 public:
  void begin(std::string_view /*activity*/, std::uint64_t total, Unit /*unit*/) override {
    total_ += total;
  }
  void advance(std::string_view /*activity*/, std::uint64_t more,
               std::string_view /*item*/) override {
    done_ += more;
  }
  void end(std::string_view /*activity*/) override { ++ended_; }
  void note(std::string_view text) override { notes_.emplace_back(text); }

  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
  int ended_ = 0;
  std::vector<std::string> notes_;
};

TEST_F(HttpClientTest, ProgressCountsEachByteOnce) {
  server_.set("/a", {.body = long_body(), .cut_times = 1, .cut_after = 70'000});
  Counter counter;
  HttpRequest request = request_for(sink_, {server_.url("/a")});
  request.expected_bytes = long_body().size();
  ASSERT_TRUE(client_.run(std::span(&request, 1), {}, counter).front());
  EXPECT_EQ(counter.total_, long_body().size());
  EXPECT_EQ(counter.done_, long_body().size());
  EXPECT_EQ(counter.ended_, 1);
  ASSERT_EQ(counter.notes_.size(), 1U);
  EXPECT_THAT(counter.notes_.front(), HasSubstr("trying again"));
}

TEST(HttpOptions, ComeFromTheEnvironment) {
  const HttpOptions options = http_options({{"https_proxy", "http://p:1"},
                                            {"HTTP_PROXY", "http://evil"},
                                            {"ALL_PROXY", "http://q"},
                                            {"NO_PROXY", "localhost"},
                                            {"SSL_CERT_FILE", "/ca.pem"},
                                            {"NETRC", "/n"}});
  EXPECT_EQ(options.proxies.at("https"), "http://p:1");
  EXPECT_FALSE(options.proxies.contains("http"));
  EXPECT_EQ(options.proxies.at("all"), "http://q");
  EXPECT_EQ(options.no_proxy, "localhost");
  EXPECT_EQ(options.ca_file, "/ca.pem");
  EXPECT_EQ(options.netrc_file, "/n");
}

TEST(FileSink, WritesHashesAndContinues) {
  const TemporaryDirectory directory = test_directory();
  const std::string path = directory.path() + "/f";
  {
    ASSERT_VALUE(sink, FileSink::open(path));
    ASSERT_TRUE(sink->restart());
    ASSERT_TRUE(sink->write("hello "));
  }
  ASSERT_VALUE(sink, FileSink::open(path, true));
  EXPECT_EQ(sink->size_bytes(), 6U);
  ASSERT_TRUE(sink->write("world"));
  EXPECT_EQ(sink->head(), "hello world");
  ASSERT_VALUE(hashes, sink->finish());
  EXPECT_EQ(hashes.sha256, Digest::of("hello world"));
  EXPECT_EQ(hashes.md5, "5eb63bbbe01eeed093cb22bb8f5acdc3");
}

TEST(FileSink, RestartsFromNothing) {
  const TemporaryDirectory directory = test_directory();
  ASSERT_VALUE(sink, FileSink::open(directory.path() + "/f"));
  ASSERT_TRUE(sink->write("something long"));
  ASSERT_TRUE(sink->restart());
  ASSERT_TRUE(sink->write("short"));
  ASSERT_VALUE(hashes, sink->finish());
  EXPECT_EQ(hashes.sha256, Digest::of("short"));
}

TEST(FileSink, RefusesLinksAndDirectories) {
  const TemporaryDirectory directory = test_directory();
  ASSERT_EQ(::symlink("/etc/passwd", (directory.path() + "/link").c_str()), 0);
  EXPECT_FALSE(FileSink::open(directory.path() + "/link"));
  EXPECT_FALSE(FileSink::open(directory.path()));
}

TEST(HttpUpload, SendsABodyAndTakesAnyAnswer) {
  TestServer server;
  server.handle([](const TestRequest& request) -> std::optional<TestResource> {
    const int status = request.method == "HEAD" ? 404 : request.body == "hello" ? 201 : 409;
    return TestResource{
        .body = "said " + request.method, .status = status, .headers = {{"Location", "/next"}}};
  });
  HttpClient client;
  Progress silent;
  StringSource hello("hello");
  StringSource empty("");
  std::vector<StringSink> sinks(3);
  std::vector<HttpRequest> requests(3);
  const std::vector<std::pair<std::string, HttpSource*>> asked{
      {"PUT", &hello}, {"POST", &empty}, {"HEAD", nullptr}};
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].urls = {{server.url("/x"), {}}};
    requests[i].sink = &sinks[i];
    requests[i].method = asked[i].first;
    requests[i].body = asked[i].second;
    requests[i].any_status = true;
  }
  const auto responses = client.run(requests, {}, silent);
  for (const auto& response : responses) {
    ASSERT_TRUE(response.has_value()) << response.error().to_string();
    EXPECT_EQ(response->header("location"), "/next");
  }
  EXPECT_EQ(responses[0]->status, 201);
  EXPECT_EQ(sinks[0].content(), "said PUT");
  EXPECT_EQ(responses[1]->status, 409);
  EXPECT_EQ(responses[1]->error_body, "said POST");
  EXPECT_EQ(sinks[1].content(), "");
  EXPECT_EQ(responses[2]->status, 404);
}

TEST(HttpUpload, SendsTheBodyFromItsStartAtEachAttempt) {
  const TemporaryDirectory directory = test_directory();
  const std::string path = directory.path() + "/blob";
  ASSERT_TRUE(write_file_atomically(path, "0123456789"));
  TestServer server;
  int busy = 1;
  server.handle([&busy](const TestRequest& request) -> std::optional<TestResource> {
    return TestResource{.status = request.body != "34567" ? 400 : busy-- > 0 ? 503 : 201};
  });
  HttpOptions options;
  options.backoff_base_ms = 1;
  HttpClient client(options);
  Progress silent;
  FilePartSource part(path, 3, 5);
  FilePartSource beyond(path, 8, 5);
  StringSink sink;
  HttpRequest request;
  request.urls = {{server.url("/x"), {}}};
  request.sink = &sink;
  request.method = "PATCH";
  request.any_status = true;
  request.body = &part;
  const auto sent = client.run({&request, 1}, {}, silent);
  ASSERT_TRUE(sent[0].has_value()) << sent[0].error().to_string();
  EXPECT_EQ(sent[0]->status, 201);
  request.body = &beyond;
  const auto cut = client.run({&request, 1}, {}, silent);
  ASSERT_FALSE(cut[0].has_value());
  EXPECT_EQ(cut[0].error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace cloche::io
