#include "io/http_error.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/text.h"

namespace cloche::io {
namespace {

constexpr std::string_view kOffline =
    "check the network and the name; behind a proxy, set https_proxy";
constexpr std::string_view kCertificates =
    "if the host's certificate is issued by your own authority, name its file in SSL_CERT_FILE";

struct Failure {
  CURLcode code;
  ErrorKind kind;
  bool transient;
  bool no_connection;
  std::string_view what;
  std::string_view hint;
};

// clang-format off
constexpr std::array<Failure, 23> kFailures{{
    {CURLE_COULDNT_RESOLVE_HOST, ErrorKind::kUnavailable, true, true, "the name cannot be resolved", kOffline},
    {CURLE_COULDNT_RESOLVE_PROXY, ErrorKind::kUnavailable, true, true, "the proxy's name cannot be resolved", "check https_proxy and http_proxy"},
    {CURLE_COULDNT_CONNECT, ErrorKind::kUnavailable, true, true, "no connection", kOffline},
    {CURLE_PROXY, ErrorKind::kUnavailable, true, true, "the proxy refuses", "check https_proxy and http_proxy"},
    {CURLE_OPERATION_TIMEDOUT, ErrorKind::kUnavailable, true, false, "no answer in time", kOffline},
    {CURLE_SSL_CONNECT_ERROR, ErrorKind::kUnavailable, true, true, "no TLS connection", kCertificates},
    {CURLE_PEER_FAILED_VERIFICATION, ErrorKind::kPermission, false, true, "the certificate is not trusted", kCertificates},
    {CURLE_SSL_CACERT_BADFILE, ErrorKind::kPermission, false, true, "the file of trusted certificates cannot be read", "check SSL_CERT_FILE"},
    {CURLE_SSL_CERTPROBLEM, ErrorKind::kPermission, false, true, "the client's certificate is refused", ""},
    {CURLE_PARTIAL_FILE, ErrorKind::kUnavailable, true, false, "the connection ended in the middle", ""},
    {CURLE_GOT_NOTHING, ErrorKind::kUnavailable, true, false, "the connection ended without an answer", ""},
    {CURLE_SEND_ERROR, ErrorKind::kUnavailable, true, false, "the connection broke", ""},
    {CURLE_RECV_ERROR, ErrorKind::kUnavailable, true, false, "the connection broke", ""},
    {CURLE_HTTP2, ErrorKind::kUnavailable, true, false, "the HTTP/2 connection broke", ""},
    {CURLE_HTTP2_STREAM, ErrorKind::kUnavailable, true, false, "the HTTP/2 connection broke", ""},
    {CURLE_AGAIN, ErrorKind::kUnavailable, true, false, "the connection broke", ""},
    {CURLE_SSL_SHUTDOWN_FAILED, ErrorKind::kUnavailable, true, false, "the connection broke", ""},
    {CURLE_WEIRD_SERVER_REPLY, ErrorKind::kUnavailable, true, false, "the answer is no HTTP", ""},
    {CURLE_BAD_CONTENT_ENCODING, ErrorKind::kUnavailable, true, false, "the answer's encoding is broken", ""},
    {CURLE_TOO_MANY_REDIRECTS, ErrorKind::kUnavailable, false, false, "redirected in a circle", "check the channel's URL"},
    {CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::kInvalid, false, false, "neither http nor https, or a redirect from https to http", "only http and https are read; a secure address does not lead to an insecure one"},
    {CURLE_URL_MALFORMAT, ErrorKind::kInvalid, false, false, "no valid URL", ""},
    {CURLE_OUT_OF_MEMORY, ErrorKind::kUnavailable, false, false, "out of memory", ""},
}};

struct StatusRule {
  long from, to;
  ErrorKind kind;
  bool transient;
  std::string_view hint;
};

constexpr std::string_view kCredentials =
    "credentials are needed, or others: in the URL, in ~/.netrc, or a token in the channel's URL (/t/<token>/)";

constexpr std::array<StatusRule, 11> kStatuses{{
    {401, 401, ErrorKind::kPermission, false, kCredentials},
    {403, 403, ErrorKind::kPermission, false, kCredentials},
    {404, 404, ErrorKind::kNotFound, false, ""},
    {407, 407, ErrorKind::kPermission, false, "the proxy asks for credentials: https_proxy=http://user:password@proxy:port"},
    {408, 408, ErrorKind::kUnavailable, true, ""},
    {410, 410, ErrorKind::kNotFound, false, ""},
    {425, 425, ErrorKind::kUnavailable, true, ""},
    {429, 429, ErrorKind::kUnavailable, true, "the server limits how much is asked of it: try again later"},
    {501, 501, ErrorKind::kUnavailable, false, ""},
    {505, 505, ErrorKind::kUnavailable, false, ""},
    {500, 599, ErrorKind::kUnavailable, true, "the server has a problem: try again later"},
}};
// clang-format on

const Failure* failure_of(CURLcode code) {
  const auto* const found = std::ranges::find(kFailures, code, &Failure::code);
  return found == kFailures.end() ? nullptr : found;
}

const StatusRule* rule_of(long status) {
  const auto* const found = std::ranges::find_if(kStatuses, [status](const StatusRule& one) {
    return one.from <= status && status <= one.to;
  });
  return found == kStatuses.end() ? nullptr : found;
}

}  // namespace

Error transport_error(CURLcode code, std::string_view url, std::string_view reason) {
  const Failure* failure = failure_of(code);
  const std::string what = failure != nullptr
                               ? std::string(failure->what)
                               : fmt::format("curl's error {}", std::to_string(code));
  // curl's own words may quote the URL.
  const std::string detail = reason.empty() ? "" : " (" + hide_passwords(printable(reason)) + ")";
  return fail(failure != nullptr ? failure->kind : ErrorKind::kUnavailable, "{}: {}{}",
              shown_url(url), what, detail)
      .with_hint(failure != nullptr ? std::string(failure->hint) : "");
}

bool is_transient(CURLcode code) {
  const Failure* failure = failure_of(code);
  return failure != nullptr && failure->transient;
}

bool is_no_connection(CURLcode code) {
  const Failure* failure = failure_of(code);
  return failure != nullptr && failure->no_connection;
}

Error status_error(long status, std::string_view text, std::string_view url) {
  const StatusRule* rule = rule_of(status);
  return fail(rule != nullptr ? rule->kind : ErrorKind::kInvalid, "{}: {}{}{}", shown_url(url),
              status, text.empty() ? "" : " ", printable(text.substr(0, 100)))
      .with_hint(rule != nullptr ? std::string(rule->hint) : "");
}

bool is_transient_status(long status) {
  const StatusRule* rule = rule_of(status);
  return rule != nullptr && rule->transient;
}

}  // namespace cloche::io
