#include "image/registry_session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/encoding.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"

namespace cloche::image {
namespace {

constexpr std::uint64_t kMaxTokenBytes = std::uint64_t{1} << 20U;
constexpr std::int64_t kUsualTokenSeconds = 60;  // distribution, docs/spec/auth/token.md
constexpr std::int64_t kLongestTokenSeconds = 86'400;
constexpr std::int64_t kMargin = 10;
constexpr std::int64_t kMsPerSecond = 1000;
constexpr long kUnauthorized = 401;

std::int64_t monotonic_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// "https://host:443/path" -> "https://host:443".
std::string origin_of(std::string_view url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos) {
    return "";
  }
  return to_lower(url.substr(0, std::min(url.find_first_of("/?#", mark + 3), url.size())));
}

std::string basic(const RegistryCredentials& known) {
  return "Basic " + to_base64(known.username + ":" + known.password);
}

std::string token_in(std::string_view text, std::int64_t& seconds) {
  const auto json = parse_json(text);
  if (!json) {
    return "";
  }
  seconds =
      (*json)["expires_in"].is_integer() ? (*json)["expires_in"].as_integer() : kUsualTokenSeconds;
  seconds = std::clamp<std::int64_t>(seconds, kUsualTokenSeconds, kLongestTokenSeconds);
  const std::string token = json->string_or_empty("token");
  const std::string found = token.empty() ? json->string_or_empty("access_token") : token;
  const bool one_line = std::ranges::all_of(found, [](char c) { return c > ' ' && c < '\x7f'; });
  return one_line ? found : "";
}

// What the registry says itself: {"errors": [{"code": "DENIED", "message": "..."}]}.
std::string said(std::string_view body) {
  const auto json = parse_json(body);
  if (!json || !(*json)["errors"].is_array()) {
    return "";
  }
  std::vector<std::string> words;
  constexpr std::size_t kMostErrors = 3;
  for (const Json& error : (*json)["errors"].items()) {
    const std::string message = error.string_or_empty("message");
    const std::string word = message.empty() ? error.string_or_empty("code") : message;
    if (!word.empty() && words.size() < kMostErrors) {
      words.push_back(hide_passwords(printable(word.substr(0, 200))));
    }
  }
  return join(words, "; ");
}

struct StatusWords {
  long status;
  ErrorKind kind;
  std::string_view words;
};

constexpr std::array<StatusWords, 8> kStatuses{{
    {400, ErrorKind::kInvalid, "the registry refuses it"},
    {401, ErrorKind::kPermission, "not allowed"},
    {403, ErrorKind::kPermission, "not allowed"},
    {404, ErrorKind::kNotFound, "not found"},
    {405, ErrorKind::kUnsupported, "the registry does not do this"},
    {409, ErrorKind::kConflict, "the registry has something else there"},
    {413, ErrorKind::kInvalid, "too large for the registry"},
    {416, ErrorKind::kInvalid, "the registry has another part of it"},
}};

}  // namespace

RegistrySession::RegistrySession(Settings settings, io::HttpClient& client)
    : settings_(std::move(settings)), client_(client) {}

bool RegistrySession::same_origin(std::string_view url) const {
  return origin_of(url) == origin_of(base_);
}

Result<std::string> RegistrySession::whole_url(const std::string& location) const {
  if (location.starts_with('/') && !location.starts_with("//")) {
    return base_ + location;
  }
  const std::string origin = origin_of(location);
  if (origin.starts_with("https://") ||
      (origin.starts_with("http://") && base_.starts_with("http://"))) {
    return location;
  }
  return fail(ErrorKind::kInvalid, "{}: sends uploads to {}, which is no secure URL",
              settings_.host, shown_url(printable(location.substr(0, 200))));
}

// Which scheme it speaks, and whom it lets in (docker calls this the ping).
Status RegistrySession::connect(const std::stop_token& stop) {
  if (!base_.empty()) {
    return {};
  }
  for (std::size_t i = 0; i + 1 < settings_.schemes.size(); ++i) {
    const Status greeted = greet(settings_.schemes[i] + "://" + settings_.api_host, 0, stop);
    // A certificate that is not trusted is no reason to talk without any.
    if (greeted || greeted.error().kind == ErrorKind::kPermission ||
        greeted.error().kind == ErrorKind::kCancelled) {
      return greeted;
    }
  }
  return greet(settings_.schemes.back() + "://" + settings_.api_host, client_.options().retries,
               stop);
}

Status RegistrySession::greet(const std::string& base, int retries, const std::stop_token& stop) {
  io::StringSink sink;
  io::HttpRequest request{.urls = {{.url = base + "/v2/"}}, .sink = &sink};
  request.limit_bytes = kMaxTokenBytes;
  request.any_status = true;
  request.retries = retries;
  Progress nobody;
  auto results = client_.run({&request, 1}, stop, nobody);
  const io::HttpResponse response = TRY(std::move(results[0]));
  if (response.status == kUnauthorized) {
    for (const io::HttpHeader& header : response.headers) {
      if (header.name != "www-authenticate") {
        continue;
      }
      for (AuthChallenge& one : TRY(parse_auth_challenges(header.value))) {
        const bool better = !challenge_ || one.scheme == "bearer";
        if (better && (one.scheme == "bearer" || one.scheme == "basic")) {
          challenge_ = std::move(one);
        }
      }
    }
    if (!challenge_) {
      return fail(ErrorKind::kUnsupported, "{}: asks for credentials in a way that is not known",
                  settings_.host);
    }
  } else if (response.status != 200) {
    return fail(response.status == 403 ? ErrorKind::kPermission : ErrorKind::kInvalid,
                "{}: no container registry answers there (status {})", settings_.host,
                response.status)
        .with_hint("check the registry's name");
  }
  base_ = base;
  return {};
}

Result<RegistrySession::Token> RegistrySession::fetch_token(
    const std::optional<RegistryCredentials>& known, const Scopes& scopes,
    const std::stop_token& stop) {
  const AuthChallenge challenge = challenge_.value_or(AuthChallenge{});
  const std::string realm = challenge.parameter("realm");
  const bool secure = realm.starts_with("https://");
  if (!secure && !(realm.starts_with("http://") && base_.starts_with("http://"))) {
    return fail(ErrorKind::kInvalid, "{}: its tokens are not to be had securely", settings_.host);
  }
  std::string query = "service=" + percent_encoded(challenge.parameter("service"));
  for (const std::string& scope : scopes) {
    query += "&scope=" + percent_encoded(scope);
  }
  io::StringSink sink;
  io::HttpRequest request{.sink = &sink, .limit_bytes = kMaxTokenBytes};
  request.any_status = true;
  std::optional<io::StringSource> form;
  if (known && !known->identity_token.empty()) {  // distribution, docs/spec/auth/oauth.md
    form.emplace("grant_type=refresh_token&client_id=cloche&" + query +
                 "&refresh_token=" + percent_encoded(known->identity_token));
    request.method = "POST";
    request.body = &*form;
    request.urls = {{realm, {{"Content-Type", "application/x-www-form-urlencoded"}}}};
  } else {
    request.urls = {{realm + (realm.contains('?') ? "&" : "?") + query, {}}};
    if (known) {
      request.urls[0].headers.push_back({"Authorization", basic(*known)});
    }
  }
  Progress nobody;
  auto results = client_.run({&request, 1}, stop, nobody);
  const io::HttpResponse response =
      TRY(std::move(results[0]).context("asking for a token of {}", settings_.host));
  if (response.status / 100 != 2) {
    return error_of({.response = response, .body = {}}, "", "logging in");
  }
  std::int64_t seconds = 0;
  const std::string token = token_in(sink.content(), seconds);
  if (token.empty()) {
    return fail(ErrorKind::kInvalid, "{}: the answer to a log-in has no token", settings_.host);
  }
  return Token{.header = "Bearer " + token,
               .until_ms = monotonic_ms() + ((seconds - kMargin) * kMsPerSecond)};
}

// The value of the header Authorization; "" where none is asked for.
Result<std::string> RegistrySession::authorization(const std::string& repository,
                                                   const Scopes& scopes, bool renew,
                                                   const std::stop_token& stop) {
  if (!challenge_) {
    return std::string();
  }
  const std::vector<std::string> list(scopes.begin(), scopes.end());
  const std::string key = challenge_->scheme == "basic" ? repository : join(list, " ");
  const auto found = tokens_.find(key);
  if (!renew && found != tokens_.end() && monotonic_ms() < found->second.until_ms) {
    return found->second.header;
  }
  const auto known = TRY(settings_.credentials(repository));
  has_credentials_ = known.has_value();
  Token token{.until_ms = std::numeric_limits<std::int64_t>::max()};
  if (known && !known->registry_token.empty()) {
    token.header = "Bearer " + known->registry_token;
  } else if (challenge_->scheme == "bearer") {
    token = TRY(fetch_token(known, scopes, stop));
  } else if (known) {
    token.header = basic(*known);
  }
  tokens_[key] = token;
  return token.header;
}

std::vector<Result<RegistryAnswer>> RegistrySession::send(std::span<const RegistryCall> calls,
                                                          const std::string& repository,
                                                          const std::string& authorization,
                                                          const std::stop_token& stop,
                                                          Progress& progress,
                                                          std::string_view activity) {
  std::vector<io::StringSink> kept(calls.size());
  std::vector<io::HttpRequest> requests;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const RegistryCall& call = calls[i];
    const bool whole = call.target.contains("://");
    io::HttpUrl url{whole ? call.target : base_ + "/v2/" + repository + "/" + call.target,
                    call.headers};
    // Credentials go to no other host than the one that asked for them.
    if (!authorization.empty() && same_origin(url.url)) {
      url.headers.push_back({"Authorization", authorization});
    }
    io::HttpRequest request{.urls = {std::move(url)},
                            .sink = call.sink != nullptr ? call.sink : &kept[i],
                            .name = call.name,
                            .limit_bytes = call.limit_bytes,
                            .resume_from = call.resume_from};
    request.expected_bytes =
        !call.progress ? 0 : (call.body != nullptr ? call.body->size_bytes() : call.limit_bytes);
    request.hash_is_checked = call.sink != nullptr;
    request.method = call.method;
    request.body = call.body;
    request.any_status = true;
    request.retries = call.retries;
    requests.push_back(std::move(request));
  }
  auto responses = client_.run(requests, stop, progress, activity);
  std::vector<Result<RegistryAnswer>> answers;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (responses[i]) {
      answers.emplace_back(
          RegistryAnswer{.response = std::move(*responses[i]), .body = kept[i].content()});
    } else {
      answers.emplace_back(
          std::move(responses[i]).context("{}, repository {}", settings_.host, repository).error());
    }
  }
  return answers;
}

Result<std::vector<Result<RegistryAnswer>>> RegistrySession::run(
    std::span<const RegistryCall> calls, const std::string& repository, const Scopes& scopes,
    const std::stop_token& stop, Progress& progress, std::string_view activity) {
  TRY(connect(stop));
  const std::string first = TRY(authorization(repository, scopes, false, stop));
  auto answers = send(calls, repository, first, stop, progress, activity);
  std::vector<std::size_t> refused;
  std::vector<RegistryCall> again;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (answers[i] && answers[i]->response.status == kUnauthorized && challenge_ &&
        challenge_->scheme == "bearer") {
      refused.push_back(i);
      again.push_back(calls[i]);
    }
  }
  if (again.empty()) {
    return answers;
  }
  const std::string second = TRY(authorization(repository, scopes, true, stop));
  auto others = send(again, repository, second, stop, progress, activity);
  for (std::size_t i = 0; i < refused.size(); ++i) {
    answers[refused[i]] = std::move(others[i]);
  }
  return answers;
}

Result<RegistryAnswer> RegistrySession::run_one(const RegistryCall& call,
                                                const std::string& repository, const Scopes& scopes,
                                                const std::stop_token& stop) {
  Progress nobody;
  auto answers = TRY(run({&call, 1}, repository, scopes, stop, nobody, ""));
  return std::move(answers[0]);
}

Error RegistrySession::error_of(const RegistryAnswer& answer, const std::string& repository,
                                std::string_view what) const {
  const long status = answer.response.status;
  const auto* const found = std::ranges::find(kStatuses, status, &StatusWords::status);
  const std::string own = said(answer.response.error_body);
  Error error =
      fail(found != kStatuses.end() ? found->kind : ErrorKind::kInvalid, "{}: {}{}: {}{}",
           settings_.host, repository.empty() ? "" : repository + ": ", what,
           found != kStatuses.end() ? std::string(found->words) : fmt::format("status {}", status),
           own.empty() ? "" : fmt::format(" ({})", own));
  if (error.kind == ErrorKind::kPermission) {
    error.hint = has_credentials_
                     ? fmt::format(
                           "the credentials of {} are refused, or may not do this: "
                           "docker login {}",
                           settings_.host, settings_.host)
                     : fmt::format(
                           "log in (docker login {}, or podman login): the repository is "
                           "private or does not exist",
                           settings_.host);
  }
  return error;
}

}  // namespace cloche::image
