// Who we are to a registry: what docker, podman and their credential helpers know.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::image {

// Secrets: never shown, never logged.
struct RegistryCredentials {
  std::string username = {};
  std::string password = {};
  std::string identity_token = {};  // OAuth2's refresh token, instead of the two
  std::string registry_token = {};  // a bearer token, sent as it is

  bool operator==(const RegistryCredentials&) const = default;
};

// The credentials for a repository, or nothing where none are known. Looked for in
// $REGISTRY_AUTH_FILE alone where that is set, else in $DOCKER_CONFIG/config.json or
// ~/.docker/config.json, then in $XDG_RUNTIME_DIR/containers/auth.json and
// ~/.config/containers/auth.json; in each by `credHelpers`, by `auths` (the longest of
// "host/team/repository" ... "host"), by `credsStore`. kInvalid: a file that is there and is none,
// or an entry that is not base64 of "user:password"; kPermission: a helper that fails.
Result<std::optional<RegistryCredentials>> find_credentials(
    const std::string& registry, const std::string& repository,
    const std::map<std::string, std::string>& environment, const std::stop_token& stop = {});

}  // namespace cloche::image
