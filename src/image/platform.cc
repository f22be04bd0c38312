#include "image/platform.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "image/json_fields.h"

namespace cloche::image {
namespace {

constexpr std::size_t kMaxWord = 64;

struct Architecture {
  std::string_view name;       // as others say
  std::string_view canonical;  // as OCI says
  std::string_view variant;    // what the name says of it
};

// uname -m and conda's subdirs; containerd's platforms/database.go has the same pairs.
constexpr std::array<Architecture, 11> kArchitectures{{
    {"x86_64", "amd64", ""},
    {"x86-64", "amd64", ""},
    {"64", "amd64", ""},
    {"aarch64", "arm64", ""},
    {"i386", "386", ""},
    {"i686", "386", ""},
    {"32", "386", ""},
    {"armhf", "arm", "v7"},
    {"armv7l", "arm", "v7"},
    {"armv6l", "arm", "v6"},
    {"armel", "arm", "v6"},
}};

// Those with an order among them, and the one that is meant when none is given.
struct Variants {
  std::string_view architecture;
  int usual;
};
constexpr std::array<Variants, 3> kVariants{{{"amd64", 1}, {"arm", 7}, {"arm64", 8}}};

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWord && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

// "v8" -> 8, "" -> the usual; 0 when it has no order.
int rank(const Platform& platform) {
  const auto* const known =
      std::ranges::find(kVariants, platform.architecture, &Variants::architecture);
  if (known == kVariants.end()) {
    return 0;
  }
  if (platform.variant.empty()) {
    return known->usual;
  }
  const bool one_digit = platform.variant.size() == 2 && platform.variant[0] == 'v' &&
                         platform.variant[1] >= '1' && platform.variant[1] <= '9';
  return one_digit ? platform.variant[1] - '0' : 0;
}

}  // namespace

std::string Platform::to_string() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

Result<Platform> parse_platform(std::string_view text) {
  const char separator = text.contains('/') ? '/' : '-';
  const std::vector<std::string_view> parts = split(text, separator);
  const bool words = std::ranges::all_of(parts, is_word);
  if (!words || parts.size() < 2 || parts.size() > 3) {
    return fail(ErrorKind::kInvalid, "\"{}\" is no platform", printable(text.substr(0, 100)))
        .with_hint("write it as linux/amd64, linux/arm64 or linux/arm/v7");
  }
  Platform platform{.os = std::string(parts[0]), .architecture = std::string(parts[1])};
  const auto* const alias = std::ranges::find(kArchitectures, parts[1], &Architecture::name);
  if (alias != kArchitectures.end()) {
    platform.architecture = alias->canonical;
    platform.variant = alias->variant;
  }
  if (parts.size() == 3) {
    platform.variant = parts[2];
  }
  return platform;
}

Result<Platform> read_platform(const Json& object, std::string_view what) {
  Platform platform;
  platform.os = TRY(text_field(object, "os", what));
  platform.architecture = TRY(text_field(object, "architecture", what));
  platform.variant = TRY(text_field(object, "variant", what));
  platform.os_version = TRY(text_field(object, "os.version", what));
  platform.os_features = TRY(texts_field(object, "os.features", what));
  return platform;
}

void write_platform(Json& object, const Platform& platform) {
  object.set("architecture", platform.architecture).set("os", platform.os);
  if (!platform.os_version.empty()) {
    object.set("os.version", platform.os_version);
  }
  if (!platform.os_features.empty()) {
    object.set("os.features", to_json(platform.os_features));
  }
  if (!platform.variant.empty()) {
    object.set("variant", platform.variant);
  }
}

int suits(const Platform& offered, const Platform& wanted) {
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) {
    return 0;
  }
  constexpr int kExact = 100;
  if (offered.variant == wanted.variant) {
    return kExact + 1;
  }
  const int has = rank(wanted);
  const int needs = rank(offered);
  return needs == 0 || has == 0 || needs > has ? 0 : kExact - (has - needs);
}

}  // namespace cloche::image
