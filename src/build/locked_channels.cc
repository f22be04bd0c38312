#include "build/locked_channels.h"

namespace cloche::build {

Result<std::vector<source::Channel>> locked_channels(const lock::Lock& lock,
                                                     const Channels& channels) {
  std::vector<std::string> urls;
  urls.reserve(lock.conda.channels.size());
  for (const lock::Channel& channel : lock.conda.channels) {
    urls.push_back(channel.url);
  }
  return source::resolve_channels(urls, channels.settings, channels.surroundings,
                                  channels.credentials);
}

std::string package_directory(const Channels& channels) {
  return channels.cache_directory + "/packages";
}

}  // namespace cloche::build
