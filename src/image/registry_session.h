// One host's registry API: which URL, which certificates, who we are, and questions with answers.
// For registry_client.cc only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "image/auth_challenge.h"
#include "image/registry_credentials.h"
#include "io/http_client.h"

namespace cloche::image {

struct RegistryCall {
  std::string method = "GET";
  std::string target;  // "manifests/latest", or a whole URL, as an upload's Location is
  std::vector<io::HttpHeader> headers = {};
  io::HttpSource* body = nullptr;
  io::HttpSink* sink = nullptr;  // else the answer is kept in memory
  std::string name = {};         // for progress
  std::uint64_t limit_bytes = std::uint64_t{1} << 20U;
  std::uint64_t resume_from = 0;
  bool progress = false;  // its bytes are worth showing
  std::optional<int> retries = {};
};

struct RegistryAnswer {
  io::HttpResponse response;
  std::string body;
};

// What the session is allowed to do there: "repository:library/python:pull".
using Scopes = std::set<std::string>;

class RegistrySession {
 public:
  struct Settings {
    std::string host;                              // as references name it
    std::string api_host;                          // where its API is
    std::vector<std::string> schemes = {"https"};  // tried in this order
    std::function<Result<std::optional<RegistryCredentials>>(const std::string& repository)>
        credentials;
  };

  // `client` outlives it.
  RegistrySession(Settings settings, io::HttpClient& client);

  // All in parallel; the answers in their order, whatever their status. An expired token is renewed
  // once. `repository` is where targets that are no URLs stand.
  Result<std::vector<Result<RegistryAnswer>>> run(std::span<const RegistryCall> calls,
                                                  const std::string& repository,
                                                  const Scopes& scopes, const std::stop_token& stop,
                                                  Progress& progress, std::string_view activity);
  // One of them.
  Result<RegistryAnswer> run_one(const RegistryCall& call, const std::string& repository,
                                 const Scopes& scopes, const std::stop_token& stop);

  // An answer of a status that was not hoped for, in words: "HOST: REPOSITORY: 404 ... ".
  Error error_of(const RegistryAnswer& answer, const std::string& repository,
                 std::string_view what) const;

  const std::string& host() const { return settings_.host; }
  // A Location as a whole URL. kInvalid: neither a path nor http(s), or from https to http.
  Result<std::string> whole_url(const std::string& location) const;

 private:
  struct Token {
    std::string header = {};  // "Bearer ..."
    std::int64_t until_ms = 0;
  };

  Status connect(const std::stop_token& stop);
  Status greet(const std::string& base, int retries, const std::stop_token& stop);
  Result<std::string> authorization(const std::string& repository, const Scopes& scopes, bool renew,
                                    const std::stop_token& stop);
  Result<Token> fetch_token(const std::optional<RegistryCredentials>& known, const Scopes& scopes,
                            const std::stop_token& stop);
  std::vector<Result<RegistryAnswer>> send(std::span<const RegistryCall> calls,
                                           const std::string& repository,
                                           const std::string& authorization,
                                           const std::stop_token& stop, Progress& progress,
                                           std::string_view activity);
  bool same_origin(std::string_view url) const;

  Settings settings_;
  io::HttpClient& client_;
  std::string base_;                        // "https://host"; "" before the first call
  std::optional<AuthChallenge> challenge_;  // nothing: everybody is let in
  std::map<std::string, Token> tokens_;
  bool has_credentials_ = false;
};

}  // namespace cloche::image
