// What a machine must be to run an image: OCI's words, which are Go's GOOS and GOARCH.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace cloche::image {

struct Platform {
  std::string os = "linux";
  std::string architecture = "amd64";
  std::string variant = {};     // of the processor: "v8"; "" when none is given
  std::string os_version = {};  // Windows' build number
  std::vector<std::string> os_features = {};

  // "linux/amd64", "linux/arm64/v8".
  std::string to_string() const;

  bool operator==(const Platform&) const = default;
};

// "linux/arm64", "linux/arm/v7"; conda's "linux-64" and "linux-aarch64", and the names uname gives
// the processors ("linux/x86_64"), mean the same as OCI's. kInvalid.
Result<Platform> parse_platform(std::string_view text);

// The members of a descriptor's "platform"; the same stand at the top of a config.
Result<Platform> read_platform(const Json& object, std::string_view what);
void write_platform(Json& object, const Platform& platform);

// How well a machine of the platform `wanted` runs what was made for `offered`: 0 is not at all,
// more is better. A variant that is not given is the usual one: "v8" on arm64, "v7" on arm, "v1" on
// amd64; what was made for a lower variant runs on a higher one, but the nearest is best.
int suits(const Platform& offered, const Platform& wanted);

}  // namespace cloche::image
