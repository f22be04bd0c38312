// One transfer of http_client.h: its curl handle, what the server said of it, and what its end
// means. For http_client.cc only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>

#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"

namespace cloche::io {

// What an attempt came to.
struct HttpOutcome {
  enum class Kind {
    kDone,
    kFinal,    // nothing will help: a sink's error, a body over the limit
    kNotHere,  // this URL will not give it, another may
    kRetry,    // time may heal it
    kAgain,    // ask at once for the whole body: the partial one is of no use
  };
  Kind kind = Kind::kDone;
  Error error;
  bool no_connection = false;       // the host was not reached at all
  std::int64_t retry_after_ms = 0;  // what the server asked for
};

class HttpTransfer {
 public:
  using Clock = std::chrono::steady_clock;

  HttpTransfer(const HttpRequest& request, const HttpOptions& options, Progress& progress,
               std::string_view activity);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Prepares the handle for an attempt at one of the request's URLs. kInvalid: no HTTP(S) URL.
  Result<CURL*> start(std::size_t mirror);
  HttpOutcome finish(CURLcode code);

  const HttpRequest& request() const { return request_; }
  const std::string& url() const { return request_.urls[mirror_].url; }
  HttpResponse response() const;
  // How often it may be tried again.
  int retries() const { return request_.retries.value_or(options_.retries); }

  // The client's notes on it.
  std::size_t mirror() const { return mirror_; }
  std::vector<std::optional<Error>> dead;  // for each URL: why it will not give it
  std::optional<Error> last_error;
  int round = 0;
  Clock::time_point due;

 private:
  struct FreeHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static std::size_t on_header(const char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(const char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_send(char* buffer, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  void set_method();
  bool is_success() const;
  Status take_error_page(std::string_view bytes);
  void take_header(std::string_view line);
  Status begin_body();
  Status begin_partial_body();
  Status take_body(std::string_view bytes);
  Status check_size(std::uint64_t total) const;
  void set_connection_options(const std::string& target);
  void set_headers();
  bool conditional() const;
  bool validator_fits() const;
  void keep_validator();
  HttpOutcome judge_status();
  HttpOutcome judge_failure(CURLcode code);

  const HttpRequest& request_;
  const HttpOptions& options_;
  Progress& progress_;
  std::string activity_;

  std::unique_ptr<CURL, FreeHandle> handle_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  char reason_[CURL_ERROR_SIZE] = {};
  std::size_t mirror_ = 0;

  // Of the whole transfer.
  std::uint64_t received_ = 0;  // what the sink has
  std::uint64_t reported_ = 0;  // to the progress; never goes back
  std::string validator_;       // of what the sink has
  std::size_t validator_mirror_ = 0;
  bool may_resume_ = true;
  std::uint64_t sent_ = 0;

  // Of this attempt.
  long status_ = 0;
  std::uint64_t asked_from_ = 0;
  bool body_began_ = false;
  bool partial_useless_ = false;
  bool sink_failed_ = false;
  std::optional<Error> refused_;  // the sink's error, or a limit's
  std::string etag_, last_modified_, cache_control_, content_range_, status_text_;
  std::optional<std::uint64_t> content_length_;
  std::vector<HttpHeader> answer_headers_;
  std::string error_page_;
  std::uint64_t error_page_bytes_ = 0;
};

}  // namespace cloche::io
