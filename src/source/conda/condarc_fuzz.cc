// Any .condarc is refused or gives settings under which channels are found or refused.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "source/conda/channel.h"
#include "source/conda/condarc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche::source;  // NOLINT(google-build-using-namespace): one short function
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Surroundings surroundings{
      .environment = {{"TOKEN", "tk"}}, .home = "/home/ada", .directory = "/work"};
  ChannelSettings settings;
  if (!apply_condarc(text, ".condarc", surroundings, settings)) {
    return 0;
  }
  const std::array<std::string, 6> names = {
      "conda-forge",          "defaults",
      "a/b/linux-64",         "./here",
      "https://u:p@h/t/tk/c", std::string(text.substr(0, 80))};
  for (const std::string& name : names) {
    Credentials credentials;
    const auto channels =
        resolve_channels(std::span(&name, 1), settings, surroundings, credentials);
    if (!channels) {
      continue;
    }
    for (const Channel& channel : *channels) {
      CHECK(!channel.name.empty() && !channel.mirrors.empty());
      CHECK(!channel.url.ends_with('/') || channel.url == "file:///");
      CHECK(channel.url.find('@') == std::string::npos || channel.is_local() ||
            channel.url.find('@') > channel.url.find('/', 8));
      // What a channel is, it is again when it is named by its URL: where nothing redirects it.
      CHECK(channel.is_called(channel.url) && channel.is_called(channel.name));
    }
  }
  return 0;
}
