#include "io/http_transfer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/check.h"
#include "core/credentials.h"
#include "core/text.h"
#include "io/http_error.h"

namespace cloche::io {
namespace {

constexpr long kMaxRedirects = 10;
constexpr long kBufferBytes = 128L * 1024;  // a tenth less CPU than with libcurl's own 16 KB
constexpr std::int64_t kMsPerSecond = 1000;
// A server that took a large upload is busy with it for a while before it answers.
constexpr std::int64_t kUploadStallSeconds = 300;
constexpr std::size_t kKeptPageBytes = std::size_t{64} << 10U;
constexpr std::uint64_t kMaxPageBytes = std::uint64_t{1} << 20U;
constexpr std::size_t kMaxHeaders = 200;

template <class T>
void set(CURL* handle, CURLoption option, T value) {
  // Fails only for an option that this libcurl does not know, which is a bug.
  CHECK(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

// "bytes 100-199/1000" or "bytes 100-199/*" (RFC 9110, section 14.4).
struct ContentRange {
  std::uint64_t from = 0;
  std::optional<std::uint64_t> total;
};

std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!to_lower(text).starts_with("bytes ")) {
    return std::nullopt;
  }
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) {
    return std::nullopt;
  }
  const auto from = number(trim(text.substr(0, dash)));
  if (!from) {
    return std::nullopt;
  }
  return ContentRange{*from, number(trim(text.substr(slash + 1)))};
}

// "host" of "host:8080"; an IPv6 address stands in brackets.
std::string without_port(const std::string& host) {
  return host.ends_with(']') ? host : host.substr(0, host.rfind(':'));
}

// As `requests` has it, which conda uses: the host's own setting before the scheme's, before all's.
std::string proxy_for(const HttpOptions& options, std::string_view url) {
  const std::size_t mark = url.find("://");
  const std::string scheme = to_lower(url.substr(0, mark));
  std::string_view host = url.substr(std::min(url.size(), mark + 3));
  host = host.substr(0, host.find_first_of("/?#"));
  host = host.substr(host.rfind('@') + 1);  // npos + 1 is 0
  const std::string with_port(host);
  const std::string name = without_port(with_port);
  for (const std::string& key :
       {fmt::format("{}://{}", scheme, with_port), fmt::format("{}://{}", scheme, name),
        fmt::format("all://{}", name), scheme, std::string("all")}) {
    if (const auto found = options.proxies.find(key); found != options.proxies.end()) {
      return found->second;
    }
  }
  return "";
}

}  // namespace

HttpTransfer::HttpTransfer(const HttpRequest& request, const HttpOptions& options,
                           Progress& progress, std::string_view activity)
    : dead(request.urls.size()),
      request_(request),
      options_(options),
      progress_(progress),
      activity_(activity),
      received_(request.resume_from),
      reported_(request.resume_from),
      validator_(request.resume_validator),
      validator_mirror_(request.urls.size()) {
  CHECK(request.sink != nullptr);
}

HttpTransfer::~HttpTransfer() = default;

HttpResponse HttpTransfer::response() const {
  return {.not_modified = status_ == 304,
          .url = shown_url(url()),
          .etag = etag_,
          .last_modified = last_modified_,
          .cache_control = cache_control_,
          .size_bytes = received_,
          .status = status_,
          .headers = answer_headers_,
          .error_body = error_page_};
}

// A mirror knows nothing of another one's ETag.
bool HttpTransfer::validator_fits() const {
  return !validator_.empty() &&
         (validator_mirror_ == request_.urls.size() || validator_mirror_ == mirror_);
}

bool HttpTransfer::conditional() const {
  return !request_.etag.empty() || !request_.last_modified.empty();
}

Result<CURL*> HttpTransfer::start(std::size_t mirror) {
  mirror_ = mirror;
  const std::string& target = url();
  const std::string scheme = to_lower(target.substr(0, target.find("://")));
  if (scheme != "http" && scheme != "https") {
    return fail(ErrorKind::kInvalid, "{}: neither an http nor an https URL", shown_url(target));
  }
  // A new one each time: libcurl 7.88 refuses options on a handle whose name resolution failed.
  handle_.reset(curl_easy_init());
  CHECK(handle_ != nullptr);
  const bool same_body = request_.hash_is_checked || validator_fits();
  asked_from_ = may_resume_ && same_body ? received_ : 0;
  body_began_ = partial_useless_ = sink_failed_ = false;
  refused_.reset();
  reason_[0] = '\0';
  take_header("HTTP/1.1 000");
  set_connection_options(target);
  set_headers();
  set_method();
  if (request_.body != nullptr) {
    TRY(request_.body->rewind());
    sent_ = 0;
  }
  return handle_.get();
}

void HttpTransfer::set_method() {
  CURL* handle = handle_.get();
  if (request_.method == "GET") {
    return;
  }
  if (request_.method == "HEAD") {
    set(handle, CURLOPT_NOBODY, 1L);
    return;
  }
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  if (request_.body == nullptr) {
    return;
  }
  set(handle, CURLOPT_UPLOAD, 1L);
  set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body->size_bytes()));
  curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  set(handle, CURLOPT_LOW_SPEED_TIME,
      static_cast<long>(std::max(options_.stall_timeout_s, kUploadStallSeconds)));
  set(handle, CURLOPT_READFUNCTION, &HttpTransfer::on_send);
  set(handle, CURLOPT_READDATA, static_cast<void*>(this));
  set(handle, CURLOPT_SEEKFUNCTION, &HttpTransfer::on_seek);
  set(handle, CURLOPT_SEEKDATA, static_cast<void*>(this));
}

std::size_t HttpTransfer::on_send(char* buffer, std::size_t size, std::size_t count, void* self) {
  auto* const transfer = static_cast<HttpTransfer*>(self);
  const Result<std::size_t> got = transfer->request_.body->read({buffer, size * count});
  if (!got) {
    transfer->refused_ = got.error();
    transfer->sink_failed_ = true;
    return CURL_READFUNC_ABORT;
  }
  transfer->sent_ += *got;
  if (transfer->sent_ > transfer->reported_) {
    transfer->progress_.advance(transfer->activity_, transfer->sent_ - transfer->reported_,
                                transfer->request_.name);
    transfer->reported_ = transfer->sent_;
  }
  return *got;
}

// For a body that must be sent again on a new connection.
int HttpTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto* const transfer = static_cast<HttpTransfer*>(self);
  if (offset != 0 || origin != SEEK_SET || !transfer->request_.body->rewind()) {
    return CURL_SEEKFUNC_CANTSEEK;
  }
  transfer->sent_ = 0;
  return CURL_SEEKFUNC_OK;
}

void HttpTransfer::set_connection_options(const std::string& target) {
  CURL* handle = handle_.get();
  set(handle, CURLOPT_URL, target.c_str());
  set(handle, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(handle, CURLOPT_ERRORBUFFER, static_cast<char*>(reason_));
  set(handle, CURLOPT_NOSIGNAL, 1L);
  // Not checked: a handle that is used again has its buffer already and refuses another size.
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, kBufferBytes);
  set(handle, CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  // What was asked for securely is not answered insecurely.
  const bool secure = to_lower(target.substr(0, 6)) == "https:";
  set(handle, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  // Rather one connection for all than one for each. Without TLS there is no HTTP/2, and the others
  // would wait for the first one's answer to learn that.
  set(handle, CURLOPT_PIPEWAIT, secure ? 1L : 0L);
  set(handle, CURLOPT_FOLLOWLOCATION, 1L);
  set(handle, CURLOPT_MAXREDIRS, kMaxRedirects);
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  set(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout_s));
  set(handle, CURLOPT_SSL_VERIFYPEER, options_.verify_certificates ? 1L : 0L);
  set(handle, CURLOPT_SSL_VERIFYHOST, options_.verify_certificates ? 2L : 0L);
  if (!options_.ca_file.empty()) {
    struct stat info{};
    const bool folder = ::stat(options_.ca_file.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    set(handle, folder ? CURLOPT_CAPATH : CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  if (!options_.netrc_file.empty()) {
    set(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
    set(handle, CURLOPT_NETRC_FILE, options_.netrc_file.c_str());
  }
  // "" keeps libcurl from asking the process's environment.
  set(handle, CURLOPT_PROXY, proxy_for(options_, target).c_str());
  set(handle, CURLOPT_NOPROXY, options_.no_proxy.c_str());
  set(handle, CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  set(handle, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(handle, CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (asked_from_ > 0) {
    set(handle, CURLOPT_RANGE, (std::to_string(asked_from_) + "-").c_str());
  }
}

void HttpTransfer::set_headers() {
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& name, const std::string& value) {
    // A line break would write another header.
    if (std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
      list = curl_slist_append(list, (name + ": " + value).c_str());
    }
  };
  for (const HttpHeader& header : request_.urls[mirror_].headers) {
    add(header.name, header.value);
  }
  if (asked_from_ > 0) {
    if (validator_fits()) {
      add("If-Range", validator_);
    }
  } else {
    if (!request_.etag.empty()) {
      add("If-None-Match", request_.etag);
    }
    if (!request_.last_modified.empty()) {
      add("If-Modified-Since", request_.last_modified);
    }
  }
  if (request_.body != nullptr) {
    add("Expect", "");  // asking first costs a round trip, or a second where nobody answers
  }
  headers_.reset(list);
  set(handle_.get(), CURLOPT_HTTPHEADER, list);
}

std::size_t HttpTransfer::on_header(const char* data, std::size_t size, std::size_t count,
                                    void* self) {
  static_cast<HttpTransfer*>(self)->take_header(trim(std::string_view(data, size * count)));
  return size * count;
}

void HttpTransfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // of a redirect, or of the last answer
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view rest = trim(line.substr(blank));
    status_ = static_cast<long>(number(rest.substr(0, 3)).value_or(0));
    status_text_ = trim(rest.substr(std::min<std::size_t>(3, rest.size())));
    etag_.clear();
    last_modified_.clear();
    cache_control_.clear();
    content_range_.clear();
    content_length_.reset();
    answer_headers_.clear();
    error_page_.clear();
    error_page_bytes_ = 0;
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return;
  }
  const std::string name = to_lower(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (request_.any_status && answer_headers_.size() < kMaxHeaders) {
    answer_headers_.push_back({name, std::string(value)});
  }
  if (name == "etag") {
    etag_ = value;
  } else if (name == "last-modified") {
    last_modified_ = value;
  } else if (name == "cache-control") {
    cache_control_ += (cache_control_.empty() ? "" : ", ") + std::string(value);
  } else if (name == "content-range") {
    content_range_ = value;
  } else if (name == "content-length") {
    content_length_ = number(value);
  }
}

std::size_t HttpTransfer::on_body(const char* data, std::size_t size, std::size_t count,
                                  void* self) {
  auto* const transfer = static_cast<HttpTransfer*>(self);
  if (const Status status = transfer->take_body({data, size * count}); !status) {
    transfer->refused_ = status.error();
    return CURL_WRITEFUNC_ERROR;
  }
  return size * count;
}

bool HttpTransfer::is_success() const {
  return status_ == 200 || status_ == 206 || (request_.any_status && status_ / 100 == 2);
}

// Its start is kept, for what the server has to say; one without an end is not waited for.
Status HttpTransfer::take_error_page(std::string_view bytes) {
  error_page_bytes_ += bytes.size();
  if (request_.any_status) {
    error_page_ += bytes.substr(0, kKeptPageBytes - error_page_.size());
  }
  if (error_page_bytes_ > kMaxPageBytes) {
    return fail(ErrorKind::kInvalid, "{}: an endless answer", shown_url(url()));
  }
  return {};
}

Status HttpTransfer::take_body(std::string_view bytes) {
  if (!is_success()) {
    return take_error_page(bytes);
  }
  if (!body_began_) {
    TRY(begin_body());
  }
  TRY(check_size(received_ + bytes.size()));
  if (const Status written = request_.sink->write(bytes); !written) {
    sink_failed_ = true;
    return written.error();
  }
  received_ += bytes.size();
  if (received_ > reported_ && request_.body == nullptr) {
    progress_.advance(activity_, received_ - reported_, request_.name);
    reported_ = received_;
  }
  return {};
}

Status HttpTransfer::begin_body() {
  body_began_ = true;
  if (status_ == 206) {
    return begin_partial_body();
  }
  if (request_.method != "HEAD") {
    TRY(check_size(content_length_.value_or(0)));
  }
  received_ = 0;
  keep_validator();
  if (const Status restarted = request_.sink->restart(); !restarted) {
    sink_failed_ = true;
    return restarted.error();
  }
  return {};
}

Status HttpTransfer::begin_partial_body() {
  const auto range = parse_content_range(content_range_);
  if (!range || asked_from_ == 0 || range->from != asked_from_) {
    partial_useless_ = true;
    return fail(ErrorKind::kUnavailable, "{}: another part was sent than the one asked for",
                shown_url(url()));
  }
  TRY(check_size(range->total.value_or(0)));
  keep_validator();
  return {};
}

// A strong ETag is best; a weak one may not stand in If-Range (RFC 9110, section 13.1.5).
void HttpTransfer::keep_validator() {
  const bool strong = !etag_.empty() && !etag_.starts_with("W/");
  validator_ = strong ? etag_ : last_modified_;
  validator_mirror_ = mirror_;
}

Status HttpTransfer::check_size(std::uint64_t total) const {
  if (total <= request_.limit_bytes) {
    return {};
  }
  return fail(ErrorKind::kInvalid, "{}: {} bytes or more, where at most {} are read",
              shown_url(url()), total, request_.limit_bytes);
}

HttpOutcome HttpTransfer::finish(CURLcode code) {
  if (partial_useless_ && asked_from_ > 0) {
    may_resume_ = false;
    return {.kind = HttpOutcome::Kind::kAgain, .error = {}};
  }
  if (refused_) {
    return {.kind = sink_failed_ ? HttpOutcome::Kind::kFinal : HttpOutcome::Kind::kNotHere,
            .error = *refused_};
  }
  return code == CURLE_OK ? judge_status() : judge_failure(code);
}

HttpOutcome HttpTransfer::judge_status() {
  if (is_success()) {
    if (!body_began_) {  // an empty one
      if (const Status begun = begin_body(); !begun) {
        refused_ = begun.error();
        return finish(CURLE_OK);
      }
    }
    return {};
  }
  if (status_ == 304 && conditional() && asked_from_ == 0) {
    return {};
  }
  if (status_ == 416 && asked_from_ > 0) {  // there is no such part: what we have is not of it
    may_resume_ = false;
    return {.kind = HttpOutcome::Kind::kAgain, .error = {}};
  }
  if (request_.any_status && !is_transient_status(status_)) {
    return {};
  }
  HttpOutcome outcome{.kind = HttpOutcome::Kind::kNotHere,
                      .error = status_error(status_, status_text_, url())};
  if (is_transient_status(status_)) {
    outcome.kind = HttpOutcome::Kind::kRetry;
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &seconds);
    if (!error_page_.empty()) {
      constexpr std::size_t kShown = 300;
      outcome.error.details.push_back(
          hide_passwords(printable(trim(error_page_.substr(0, kShown)))));
    }
    outcome.retry_after_ms = std::clamp<std::int64_t>(seconds, 0, 86'400) * kMsPerSecond;
  }
  return outcome;
}

HttpOutcome HttpTransfer::judge_failure(CURLcode code) {
  long proxy_status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (proxy_status >= 400) {  // it was the proxy that said no
    return {.kind = is_transient_status(proxy_status) ? HttpOutcome::Kind::kRetry
                                                      : HttpOutcome::Kind::kNotHere,
            .error = status_error(proxy_status, "from the proxy", url())};
  }
  return {.kind = is_transient(code) ? HttpOutcome::Kind::kRetry : HttpOutcome::Kind::kNotHere,
          .error = transport_error(code, url(), reason_),
          .no_connection = is_no_connection(code)};
}

}  // namespace cloche::io
