#include "io/http_client.h"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <deque>
#include <list>
#include <set>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "core/check.h"
#include "core/credentials.h"
#include "core/files.h"
#include "core/text.h"
#include "io/curl_loader.h"
#include "io/http_transfer.h"

namespace cloche::io {
namespace {

using SteadyClock = HttpTransfer::Clock;
using Milliseconds = std::chrono::milliseconds;

constexpr int kLongestPollMs = 1000;

// OpenSSL writes to sockets without MSG_NOSIGNAL: a peer that hangs up must not end the process.
class BlockedPipeSignal {
 public:
  BlockedPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~BlockedPipeSignal() {
    if (sigismember(&before_, SIGPIPE) == 0) {
      const timespec now{0, 0};
      while (sigtimedwait(&pipe_, nullptr, &now) > 0) {
      }
      pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
  }
  BlockedPipeSignal(const BlockedPipeSignal&) = delete;
  BlockedPipeSignal& operator=(const BlockedPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

std::string host_of(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  url = url.substr(0, url.find_first_of("/?#"));
  return to_lower(url.substr(url.rfind('@') + 1));
}

// When several mirrors failed: what tells most.
bool tells_more(const Error& a, const Error& b) {
  const auto rank = [](const Error& error) {
    switch (error.kind) {
      case ErrorKind::kNotFound:
        return 0;
      case ErrorKind::kPermission:
        return 2;
      case ErrorKind::kUnavailable:
        return 3;
      default:
        return 1;
    }
  };
  return rank(a) > rank(b);
}

}  // namespace

// The multi handle, whose connections live from batch to batch.
class HttpClient::Pool {
 public:
  explicit Pool(const HttpOptions& options) : options_(options) {
    static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
    CHECK(kReady == CURLE_OK);
    multi_ = curl_multi_init();
    CHECK(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(options.max_connections_per_host));
  }
  ~Pool() { curl_multi_cleanup(multi_); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  CURLM* multi() const { return multi_; }
  const HttpOptions& options() const { return options_; }

 private:
  const HttpOptions& options_;
  CURLM* multi_ = nullptr;
};

namespace {

// One call of run().
class Batch {
 public:
  Batch(CURLM* multi, const HttpOptions& options, std::span<const HttpRequest> requests,
        Progress& progress, std::string_view activity)
      : multi_(multi), options_(options), progress_(progress) {
    results_.assign(requests.size(), fail(ErrorKind::kCancelled, "the transfer was stopped"));
    for (const HttpRequest& request : requests) {
      transfers_.emplace_back(request, options, progress, activity);
      ready_.push_back(&transfers_.back());
      index_[&transfers_.back()] = ready_.size() - 1;
    }
  }
  ~Batch() {
    for (const auto& [transfer, handle] : active_) {
      curl_multi_remove_handle(multi_, handle);
    }
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::vector<Result<HttpResponse>> run(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
    while (!stop.stop_requested()) {
      wake_sleepers();
      start_ready();
      if (active_.empty() && asleep_.empty() && ready_.empty()) {
        break;
      }
      int running = 0;
      curl_multi_perform(multi_, &running);
      if (!collect()) {
        curl_multi_poll(multi_, nullptr, 0, poll_ms(), nullptr);
      }
    }
    return std::move(results_);
  }

 private:
  void wake_sleepers() {
    const SteadyClock::time_point now = SteadyClock::now();
    std::erase_if(asleep_, [&](HttpTransfer* transfer) {
      if (transfer->due <= now) {
        ready_.push_back(transfer);
      }
      return transfer->due <= now;
    });
  }

  int poll_ms() const {
    Milliseconds wait(kLongestPollMs);
    for (const HttpTransfer* transfer : asleep_) {
      wait = std::min(wait, std::chrono::ceil<Milliseconds>(transfer->due - SteadyClock::now()));
    }
    return static_cast<int>(std::max<std::int64_t>(0, wait.count()));
  }

  void start_ready() {
    while (!ready_.empty() && active_.size() < static_cast<std::size_t>(options_.max_parallel)) {
      HttpTransfer* transfer = ready_.front();
      ready_.pop_front();
      start(transfer, next_mirror(*transfer, 0));
    }
  }

  // The first mirror from there on that may still give it; the count of them when there is none.
  static std::size_t next_mirror(const HttpTransfer& transfer, std::size_t from) {
    while (from < transfer.dead.size() && transfer.dead[from]) {
      ++from;
    }
    return from;
  }

  void start(HttpTransfer* transfer, std::size_t mirror) {
    if (mirror >= transfer->dead.size()) {
      give_up(transfer);
      return;
    }
    const auto lost = lost_.find(host_of(transfer->request().urls[mirror].url));
    if (lost != lost_.end()) {
      transfer->dead[mirror] = lost->second;
      start(transfer, next_mirror(*transfer, mirror + 1));
      return;
    }
    Result<CURL*> handle = transfer->start(mirror);
    if (!handle) {
      transfer->dead[mirror] = handle.error();
      start(transfer, next_mirror(*transfer, mirror + 1));
      return;
    }
    active_[transfer] = *handle;
    CHECK(curl_multi_add_handle(multi_, *handle) == CURLM_OK);
  }

  // Takes what has ended; whether anything had.
  bool collect() {
    bool any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) {
        continue;
      }
      void* data = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
      auto* const transfer = static_cast<HttpTransfer*>(data);
      const CURLcode code = message->data.result;
      curl_multi_remove_handle(multi_, message->easy_handle);  // ends the life of `message`
      active_.erase(transfer);
      settle(transfer, transfer->finish(code));
      any = true;
    }
    return any;
  }

  void settle(HttpTransfer* transfer, const HttpOutcome& outcome) {
    note_host(*transfer, outcome);
    switch (outcome.kind) {
      case HttpOutcome::Kind::kDone:
        results_[index_[transfer]] = transfer->response();
        return;
      case HttpOutcome::Kind::kFinal:
        results_[index_[transfer]] = outcome.error;
        return;
      case HttpOutcome::Kind::kAgain:
        start(transfer, transfer->mirror());
        return;
      case HttpOutcome::Kind::kNotHere:
        transfer->dead[transfer->mirror()] = outcome.error;
        break;
      case HttpOutcome::Kind::kRetry:
        transfer->last_error = outcome.error;
        if (outcome.retry_after_ms > options_.retry_after_limit_ms) {
          transfer->dead[transfer->mirror()] = outcome.error;
        }
        break;
    }
    const std::size_t next = next_mirror(*transfer, transfer->mirror() + 1);
    if (next < transfer->dead.size()) {
      start(transfer, next);
    } else {
      sleep(transfer, outcome.retry_after_ms);
    }
  }

  // Once one transfer has tried in vain to reach a host as often as it may, the others of the batch
  // do not try it again each for itself; whoever reaches it after all takes that back.
  void note_host(const HttpTransfer& transfer, const HttpOutcome& outcome) {
    if (!outcome.no_connection) {
      lost_.erase(host_of(transfer.url()));
    } else if (transfer.round >= transfer.retries()) {
      lost_.emplace(host_of(transfer.url()), outcome.error);
    }
  }

  // All mirrors were tried: again after a while, or no more.
  void sleep(HttpTransfer* transfer, std::int64_t retry_after_ms) {
    if (transfer->round >= transfer->retries() ||
        next_mirror(*transfer, 0) >= transfer->dead.size()) {
      give_up(transfer);
      return;
    }
    const std::int64_t doubled = options_.backoff_base_ms << std::min(transfer->round, 20);
    std::int64_t wait_ms = std::min(doubled, options_.backoff_limit_ms);
    // Not all at the same moment: spread over a quarter.
    wait_ms += wait_ms * static_cast<std::int64_t>(index_[transfer] % 8) / 32;
    wait_ms = std::max(wait_ms, std::min(retry_after_ms, options_.retry_after_limit_ms));
    ++transfer->round;
    transfer->due = SteadyClock::now() + Milliseconds(wait_ms);
    asleep_.push_back(transfer);
    const std::string host = host_of(transfer->url());
    if (noted_.emplace(host, transfer->round).second) {  // one line for all that wait for a host
      const std::string why = transfer->last_error ? transfer->last_error->message : host;
      progress_.note(
          fmt::format("{}; trying again in {:.1f} s", why, static_cast<double>(wait_ms) / 1000));
    }
  }

  void give_up(HttpTransfer* transfer) {
    std::optional<Error> error = transfer->last_error;
    for (const std::optional<Error>& dead : transfer->dead) {
      if (dead && (!error || tells_more(*dead, *error))) {
        error = dead;
      }
    }
    if (!error) {
      error =
          fail(ErrorKind::kInvalid, "there is no URL to read {} from", transfer->request().name);
    }
    if (transfer->round > 0) {
      error->message += fmt::format(" (tried {} times)", transfer->round + 1);
    }
    results_[index_[transfer]] = *error;
  }

  CURLM* multi_;
  const HttpOptions& options_;
  Progress& progress_;
  std::list<HttpTransfer> transfers_;  // their addresses are known to curl
  std::map<const HttpTransfer*, std::size_t> index_;
  std::map<HttpTransfer*, CURL*> active_;
  std::deque<HttpTransfer*> ready_;
  std::vector<HttpTransfer*> asleep_;
  std::map<std::string, Error> lost_;  // hosts that cannot be reached, and why
  std::set<std::pair<std::string, int>> noted_;
  std::vector<Result<HttpResponse>> results_;
};

}  // namespace

std::string HttpResponse::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &HttpHeader::name);
  return found == headers.end() ? "" : found->value;
}

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {}

HttpClient::~HttpClient() = default;

std::vector<Result<HttpResponse>> HttpClient::run(std::span<const HttpRequest> requests,
                                                  const std::stop_token& stop, Progress& progress,
                                                  std::string_view activity) {
  if (requests.empty()) {
    return {};
  }
  if (const Status loaded = load_curl(); !loaded) {
    return {requests.size(), loaded.error()};
  }
  const std::lock_guard lock(mutex_);
  const BlockedPipeSignal quiet;
  if (pool_ == nullptr) {
    pool_ = std::make_unique<Pool>(options_);
  }
  std::uint64_t total = 0;
  for (const HttpRequest& request : requests) {
    total += request.expected_bytes - std::min(request.expected_bytes, request.resume_from);
  }
  progress.begin(activity, total, Progress::Unit::kBytes);
  auto results = Batch(pool_->multi(), options_, requests, progress, activity).run(stop);
  progress.end(activity);
  return results;
}

HttpOptions http_options(const std::map<std::string, std::string>& environment) {
  const auto value = [&](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
  };
  HttpOptions options;
  for (const std::string scheme : {"http", "https", "all"}) {
    std::string proxy = value(scheme + "_proxy");
    // HTTP_PROXY is what a CGI program gets for a client's "Proxy:" header.
    if (proxy.empty() && scheme != "http") {
      proxy = value(to_upper(scheme) + "_PROXY");
    }
    if (!proxy.empty()) {
      options.proxies[scheme] = proxy;
    }
  }
  options.no_proxy = value("no_proxy").empty() ? value("NO_PROXY") : value("no_proxy");
  for (const char* name : {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}) {
    if (options.ca_file.empty()) {
      options.ca_file = value(name);
    }
  }
  options.netrc_file = value("NETRC");
  if (options.netrc_file.empty() && !value("HOME").empty()) {
    const std::string usual = join_path(value("HOME"), ".netrc");
    options.netrc_file = ::access(usual.c_str(), R_OK) == 0 ? usual : "";
  }
  return options;
}

}  // namespace cloche::io
