// How an image is run, and what its layers are made of. OCI image-spec, config.md; Docker's config
// is read as the same.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "image/descriptor.h"
#include "image/manifest.h"
#include "image/platform.h"

namespace cloche::image {

// One step that made the image; those that are not empty stand for the layers, in their order.
struct History {
  std::string created = {};
  std::string created_by = {};
  std::string author = {};
  std::string comment = {};
  bool empty_layer = false;

  bool operator==(const History&) const = default;
};

struct ImageConfig {
  std::string created = {};  // RFC 3339; "" when none is given
  std::string author = {};
  Platform platform = {};

  std::string user = {};
  std::set<std::string> exposed_ports = {};  // "8080/tcp"
  std::vector<std::string> env = {};         // "NAME=value"
  std::vector<std::string> entrypoint = {};
  std::vector<std::string> cmd = {};
  std::set<std::string> volumes = {};
  std::string working_dir = {};
  Annotations labels = {};
  std::string stop_signal = {};
  Json::Object more = {};  // other members of "config" (Healthcheck, Shell, ...), sorted by name

  std::vector<Digest> diff_ids = {};  // of the layers' tars, uncompressed
  std::vector<History> history = {};

  // The value of a variable, or nothing.
  std::optional<std::string> variable(std::string_view name) const;
  // Sets a variable where it stands, or at the end.
  void set_variable(std::string_view name, std::string_view value);

  // OCI's JSON, as Manifest::to_json.
  std::string to_json() const;

  bool operator==(const ImageConfig&) const = default;
};

inline constexpr std::size_t kMaxConfigBytes = std::size_t{8} << 20U;

// kInvalid: no config, too large, no platform, diff_ids that are no digests. What Docker adds for
// itself at the top (container_config, docker_version, ...) is left out.
Result<ImageConfig> parse_image_config(std::string_view text);

// kInvalid: another number of layers than of diff_ids. The history is not asked: there are tools
// that count it otherwise, and nothing depends on it.
Status check_layers(const Manifest& manifest, const ImageConfig& config);

}  // namespace cloche::image
