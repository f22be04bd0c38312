// What the writers and readers of other tools' formats share.
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/lock.h"

namespace cloche::lock {

// kInvalid: larger than any lock.
Status check_size(std::string_view text, const std::string& file);

// kInvalid: a record that no other tool could fetch.
Status check_has_url(const conda::PackageRecord& record);

// What a format cannot hold of a lock.
struct Loss {
  std::string_view format;     // "an explicit file"
  bool pypi_packages = false;  // locked ones, too
};
void warn_of_loss(const Lock& lock, const Loss& loss, Diagnostics& diagnostics);

// Channels out of the packages' URLs, by their first use in the order of the packages, where the
// file names none.
void fill_channels(Lock& lock);

// A channel as other tools write it: a name or a URL, perhaps with a final slash. The URL of a name
// is that of the package channel which ends so, else the one below conda.anaconda.org.
Channel channel_of(std::string_view text, const Lock& lock);

// The name of a channel's URL: what follows conda.anaconda.org, else the whole URL.
std::string channel_name_of(std::string_view url);

}  // namespace cloche::lock
