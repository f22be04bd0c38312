#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "image/registries_conf.h"

// A file that is read answers for every image, and the last place is the one to push to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto conf =
      cloche::image::parse_registries_conf({reinterpret_cast<const char*>(data), size}, "r.conf");
  if (!conf) {
    return 0;
  }
  const cloche::oci::Reference image{"docker.io", "library/python", "3.11", ""};
  const auto places = conf->places(image);
  const auto own = conf->place(image);
  CHECK(places.has_value() == own.has_value());
  CHECK(!places || places->back() == *own);
  return 0;
}
