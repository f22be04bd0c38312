// Transfers over HTTP(S), many at once: one client over libcurl's multi interface, with HTTP/2 over
// TLS, pooled connections, proxies, netrc, redirects, retries, mirrors and resuming.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "io/http_sink.h"
#include "io/http_source.h"

namespace cloche::io {

struct HttpHeader {
  std::string name;
  std::string value;  // may be a secret: never shown
};

// Where something is, with what that host, and no other, is told.
struct HttpUrl {
  std::string url;  // may hold "user:password@"
  std::vector<HttpHeader> headers = {};
};

struct HttpRequest {
  std::vector<HttpUrl> urls = {};  // the same content at several places, tried in this order
  HttpSink* sink = nullptr;        // outlives the run
  std::string name = {};           // for progress: "numpy-1.26.4-0.conda"

  std::uint64_t expected_bytes = 0;                      // for progress; 0: unknown
  std::uint64_t limit_bytes = std::uint64_t{16} << 30U;  // a larger body is refused (kInvalid)

  // Conditional: when the server's copy is still this one, the answer is `not_modified`.
  std::string etag = {};
  std::string last_modified = {};

  // Continue at this offset: the sink has that many bytes of the body already. The validator (a
  // strong ETag or a Last-Modified date) says which body it was; the server sends everything when
  // it has another by now.
  std::uint64_t resume_from = 0;
  std::string resume_validator = {};
  // The caller checks a hash of the whole body, so resuming (also at another mirror) needs no
  // validator.
  bool hash_is_checked = false;

  // What is asked: GET, HEAD, POST, PUT, PATCH or DELETE. Only GET and HEAD are redirected; curl
  // tells the headers of `urls` that authorize to no other host, port or scheme.
  std::string method = "GET";
  HttpSource* body = nullptr;  // what is sent; outlives the run

  // Any answer is a result, with its status, headers and message, but those that time may heal
  // (429, 5xx), which stay errors after the retries.
  bool any_status = false;
  std::optional<int> retries = {};  // other than the options say
};

struct HttpResponse {
  bool not_modified = false;  // the sink got nothing
  std::string url;            // which of the URLs answered; no secrets in it
  std::string etag;
  std::string last_modified;
  std::string cache_control;
  std::uint64_t size_bytes = 0;  // of the whole body

  long status = 0;
  std::vector<HttpHeader> headers;  // with any_status; names in lower case
  std::string error_body;  // with any_status: the start of a body that the sink did not get

  // The value of a header, or "".
  std::string header(std::string_view name) const;
};

struct HttpOptions {
  int max_parallel = 48;  // transfers at once
  int max_connections_per_host = 8;
  std::int64_t connect_timeout_ms = 15'000;
  // A transfer that gets less than a byte a second for so long is broken off; there is no limit on
  // the whole of it.
  std::int64_t stall_timeout_s = 30;

  int retries = 4;                     // after the first attempt; all mirrors are tried in each
  std::int64_t backoff_base_ms = 500;  // doubled each time
  std::int64_t backoff_limit_ms = 30'000;
  std::int64_t retry_after_limit_ms = 60'000;  // a server that asks for more is given up

  bool verify_certificates = true;
  std::string ca_file;     // or a folder of hashed certificates; "": the system's
  std::string netrc_file;  // "": none
  // "http", "https", "all", or "https://host" -> the proxy's URL. Never taken from the process's
  // environment by itself: http_options() does.
  std::map<std::string, std::string> proxies;
  std::string no_proxy;  // curl's list: "localhost,.example.com"
  std::string user_agent = "cloche/0.1";
};

// From a process's environment: https_proxy, http_proxy, all_proxy, no_proxy (lower case, or upper
// but for HTTP_PROXY, which a CGI request could set), SSL_CERT_FILE, REQUESTS_CA_BUNDLE,
// CURL_CA_BUNDLE, NETRC, and ~/.netrc where it exists.
HttpOptions http_options(const std::map<std::string, std::string>& environment);

// Safe for many threads; batches run one after another and share the connections. Costs nothing
// until the first run.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options = {});
  ~HttpClient();

  // Runs the transfers in parallel and returns when all have ended: a result each, in their order.
  // Errors say host, status, reason and remedy, never a secret:
  //   kNotFound     404, 410
  //   kPermission   401, 403, 407; a certificate that is not trusted
  //   kUnavailable  everything that time may heal, after the retries
  //   kInvalid      a URL that is none or no HTTP(S), a body over the limit, another 4xx
  //   kCancelled    `stop` was requested
  // A sink's own error is passed on. Bytes are reported as `activity`.
  std::vector<Result<HttpResponse>> run(std::span<const HttpRequest> requests,
                                        const std::stop_token& stop, Progress& progress,
                                        std::string_view activity = "downloading");

  const HttpOptions& options() const { return options_; }

 private:
  class Pool;
  HttpOptions options_;
  std::mutex mutex_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace cloche::io
