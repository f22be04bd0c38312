#include "lock/foreign.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.h"
#include "lock/artifact_url.h"
#include "lock/yaml_record.h"

namespace cloche::lock {
namespace {

// conda's channel_alias (conda: conda/base/constants.py, DEFAULT_CHANNEL_ALIAS).
constexpr std::string_view kAlias = "https://conda.anaconda.org/";

std::string without_final_slashes(std::string_view url) {
  while (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  return std::string(url);
}

}  // namespace

Status check_size(std::string_view text, const std::string& file) {
  if (text.size() > kMaxLockBytes) {
    return refuse({file, 0, 0},
                  fmt::format("larger than {} MiB, which no lock is", kMaxLockBytes >> 20U));
  }
  return {};
}

Status check_has_url(const conda::PackageRecord& record) {
  if (record.url.empty()) {
    return fail(ErrorKind::kInvalid, "{} has no URL, so no other tool could fetch it",
                printable(record.name))
        .with_hint("lock the environment again");
  }
  return {};
}

void warn_of_loss(const Lock& lock, const Loss& loss, Diagnostics& diagnostics) {
  const auto warn = [&](std::size_t count, std::string_view what) {
    if (count > 0) {
      diagnostics.warn("lock-export-loss", {},
                       fmt::format("{} cannot hold {}: {} left out", loss.format, what, count));
    }
  };
  const PypiLock& pypi = lock.pypi;
  warn(loss.pypi_packages ? pypi.packages.size() : 0, "packages of PyPI");
  if (!pypi.locked) {
    warn(pypi.requirements.size() + pypi.constraints.size() + pypi.options.size(),
         "pip's lines, which are not locked");
  }
  warn(lock.debian.packages.size(), "Debian's packages");
  if (!lock.debian.locked) {
    warn(lock.debian.requirements.size(), "apt's packages, which are not locked");
  }
}

void fill_channels(Lock& lock) {
  for (const CondaPackage& package : lock.conda.packages) {
    const std::string& url = package.record.channel;
    const bool known =
        std::ranges::find(lock.conda.channels, url, &Channel::url) != lock.conda.channels.end();
    if (!url.empty() && !known) {
      lock.conda.channels.push_back({channel_name_of(url), url});
    }
  }
}

Channel channel_of(std::string_view text, const Lock& lock) {
  if (has_scheme(text)) {
    const std::string url = without_final_slashes(without_credentials(text));
    return {channel_name_of(url), url};
  }
  const std::string name = without_final_slashes(text);
  for (const CondaPackage& package : lock.conda.packages) {
    if (package.record.channel.ends_with("/" + name)) {
      return {name, package.record.channel};
    }
  }
  return {name, std::string(kAlias) + name};
}

std::string channel_name_of(std::string_view url) {
  return std::string(url.starts_with(kAlias) ? url.substr(kAlias.size()) : url);
}

}  // namespace cloche::lock
