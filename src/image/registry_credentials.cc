#include "image/registry_credentials.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "core/encoding.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "image/json_fields.h"
#include "io/disk_files.h"
#include "io/process.h"

namespace cloche::image {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;
constexpr std::chrono::seconds kHelperTime{60};
constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kDockerHubKey =
    "https://index.docker.io/v1/";  // docker's own name of it

using Found = std::optional<RegistryCredentials>;
using Environment = std::map<std::string, std::string>;

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::vector<std::string> files(const Environment& environment) {
  if (const std::string only = value_of(environment, "REGISTRY_AUTH_FILE"); !only.empty()) {
    return {only};
  }
  const std::string home = value_of(environment, "HOME");
  const std::string docker = value_of(environment, "DOCKER_CONFIG");
  const std::string runtime = value_of(environment, "XDG_RUNTIME_DIR");
  std::vector<std::string> paths;
  if (!docker.empty() || !home.empty()) {
    paths.push_back(join_path(docker.empty() ? join_path(home, ".docker") : docker, "config.json"));
  }
  if (!runtime.empty()) {
    paths.push_back(join_path(runtime, "containers/auth.json"));
  }
  if (!home.empty()) {
    paths.push_back(join_path(home, ".config/containers/auth.json"));
  }
  return paths;
}

// "https://host/v1/" -> "host"; "index.docker.io" and "registry-1.docker.io" are docker.io.
std::string normal_key(std::string_view key) {
  const std::size_t mark = key.find("://");
  key.remove_prefix(mark == std::string_view::npos ? 0 : mark + 3);
  for (const std::string_view ending : {"/", "/v1", "/v2"}) {
    key.remove_suffix(key.ends_with(ending) ? ending.size() : 0);
  }
  const bool hub = key == "index.docker.io" || key == "registry-1.docker.io";
  return std::string(hub ? kDockerHub : key);
}

// The file's own text may be secret: not even an excerpt of it is shown.
Error bad_file(const std::string& path, std::string_view why) {
  return fail(ErrorKind::kInvalid, "{}: {}", printable(path), why)
      .with_hint("mend it, or log in again (docker login, podman login)");
}

Result<Found> read_entry(const Json& entry, const std::string& path) {
  if (!entry.is_object()) {
    return bad_file(path, "an entry of \"auths\" is not an object");
  }
  RegistryCredentials found{.username = entry.string_or_empty("username"),
                            .password = entry.string_or_empty("password"),
                            .identity_token = entry.string_or_empty("identitytoken"),
                            .registry_token = entry.string_or_empty("registrytoken")};
  if (const std::string auth = entry.string_or_empty("auth"); !auth.empty()) {
    const std::string text = from_base64(trim(auth)).value_or("");
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
      return bad_file(path, "an \"auth\" is not base64 of user:password");
    }
    found.username = text.substr(0, colon);
    found.password = text.substr(colon + 1);
    found.password.resize(found.password.find_last_not_of('\0') + 1);  // docker once padded it
  }
  return found == RegistryCredentials{} ? Found() : Found(found);
}

// "host/team/image", "host/team", "host".
Result<Found> from_auths(const Json& auths, std::string place, const std::string& path) {
  if (!auths.is_object()) {
    return Found();
  }
  while (true) {
    for (const auto& [key, entry] : auths.members()) {
      if (normal_key(key) == place) {
        if (Found found = TRY(read_entry(entry, path))) {
          return found;
        }
      }
    }
    const std::size_t slash = place.rfind('/');
    if (slash == std::string::npos) {
      return Found();
    }
    place.resize(slash);
  }
}

bool is_helper_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.").contains(c);
  });
}

// In the PATH of the environment we were given, which need not be this process's.
std::string find_program(const std::string& name, const Environment& environment) {
  const std::string path = value_of(environment, "PATH");
  for (const std::string_view folder : split(path, ':')) {
    std::string candidate = join_path(folder, name);
    if (folder.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return "";
}

// docker-credential-helpers: the server's name on its input, JSON on its output.
Result<Found> ask_helper(const std::string& helper, const std::string& registry,
                         const Environment& environment, const std::stop_token& stop) {
  const std::string program = "docker-credential-" + helper;
  if (!is_helper_name(helper)) {
    return fail(ErrorKind::kInvalid, "\"{}\" is no name of a credential helper", printable(helper));
  }
  const std::string place = find_program(program, environment);
  if (place.empty()) {
    return fail(ErrorKind::kNotFound, "the credential helper {} is not installed", program)
        .with_hint("install it, or take it out of docker's config.json");
  }
  io::Command command{.argv = {place, "get"}};
  command.input = registry == kDockerHub ? std::string(kDockerHubKey) : registry;
  command.output_limit_bytes = kMaxFileBytes;
  command.time_limit = kHelperTime;
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) {
    variables.push_back(fmt::format("{}={}", name, value));
  }
  command.environment = std::move(variables);
  const io::ProcessResult result =
      TRY(io::run_process(command, stop).context("asking for the credentials of {}", registry));
  if (!result.ok()) {
    if (result.output.contains("credentials not found")) {
      return Found();
    }
    return fail(ErrorKind::kPermission, "{} does not give the credentials of {}: {}", program,
                registry, printable(trim(result.output + result.errors).substr(0, 300)));
  }
  const auto json = parse_json(result.output);
  if (!json || !json->is_object()) {
    return fail(ErrorKind::kPermission, "{} does not answer with JSON", program);
  }
  const std::string name = json->string_or_empty("Username");
  const std::string secret = json->string_or_empty("Secret");
  return name == "<token>" ? Found({.identity_token = secret})
                           : Found({.username = name, .password = secret});
}

std::string helper_for(const Json& helpers, const std::string& registry) {
  if (helpers.is_object()) {
    for (const auto& [host, name] : helpers.members()) {
      if (normal_key(host) == registry && name.is_string()) {
        return name.as_string();
      }
    }
  }
  return "";
}

Result<Found> look_in(const std::string& path, const std::string& registry,
                      const std::string& repository, const Environment& environment,
                      const std::stop_token& stop) {
  Result<std::string> text = io::DiskFiles().read(path, kMaxFileBytes);
  if (!text) {
    return text.error().kind == ErrorKind::kNotFound ? Result<Found>(Found())
                                                     : Result<Found>(text.error());
  }
  const auto json = parse_json(*text);
  if (!json || !json->is_object()) {
    return bad_file(path, "not a JSON object");
  }
  const std::string own = helper_for((*json)["credHelpers"], registry);
  if (!own.empty()) {
    return ask_helper(own, registry, environment, stop);
  }
  if (Found found = TRY(from_auths((*json)["auths"], registry + "/" + repository, path))) {
    return found;
  }
  const std::string store = json->string_or_empty("credsStore");
  return store.empty() ? Result<Found>(Found()) : ask_helper(store, registry, environment, stop);
}

}  // namespace

Result<std::optional<RegistryCredentials>> find_credentials(const std::string& registry,
                                                            const std::string& repository,
                                                            const Environment& environment,
                                                            const std::stop_token& stop) {
  for (const std::string& path : files(environment)) {
    if (Found found = TRY(look_in(path, registry, repository, environment, stop))) {
      return found;
    }
  }
  return Found();
}

}  // namespace cloche::image
