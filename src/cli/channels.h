// What a command needs to reach conda's channels: settings, credentials, an HTTP client, a cache.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "build/lock_environment.h"
#include "cli/context.h"
#include "image/glibc.h"
#include "io/http_client.h"
#include "io/system.h"

namespace cloche::cli {

// Made once for a command; its parts outlive what is built on them.
class ChannelAccess {
 public:
  // Reads .condarc files, the environment and credentials. kInvalid: one of them is malformed.
  static Result<std::unique_ptr<ChannelAccess>> open(Context& context);

  build::Channels channels();
  io::HttpClient& client() { return *client_; }
  const source::Credentials& credentials() const { return credentials_; }
  const source::ChannelSettings& settings() const { return settings_; }
  const source::Surroundings& surroundings() const { return surroundings_; }
  const std::string& cache_directory() const { return cache_directory_; }
  Clock& clock() { return clock_; }

  // Of the target: the platform's own, with the base image's C library; CONDA_OVERRIDE_*; and over
  // both `overrides` ("__cuda" -> "12.4"; an empty version takes one away). kUsage: a name that is
  // none.
  Result<std::vector<conda::VirtualPackage>> virtual_packages(
      const std::string& platform, const image::CLibrary& base,
      const std::map<std::string, std::string>& overrides, Diagnostics& diagnostics) const;

  // Whether the base image's C library has a say: nobody gave __glibc otherwise.
  bool asks_base(const std::map<std::string, std::string>& overrides) const;

 private:
  ChannelAccess() = default;

  source::Surroundings surroundings_;
  source::ChannelSettings settings_;
  source::Credentials credentials_;
  std::unique_ptr<io::HttpClient> client_;
  io::SystemClock clock_;
  std::string cache_directory_;
};

// Of this process.
source::Surroundings process_surroundings();

// $CLOCHE_CACHE, else $XDG_CACHE_HOME/cloche, else ~/.cache/cloche: what can be fetched and made
// again, shared by all workspaces of a person.
std::string cache_directory(const source::Surroundings& surroundings);

}  // namespace cloche::cli
