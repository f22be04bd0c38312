// What is read from a hostile spec can be asked for without surprises: names are names, paths are
// absolute, and no text ends before its end.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "runtime/cdi_spec.h"

namespace {

void check(const cloche::runtime::CdiEdits& edits) {
  for (const auto& one : edits.device_nodes) {
    CHECK(one.path.starts_with('/') && one.path.find('\0') == std::string::npos);
  }
  for (const auto& one : edits.mounts) {
    CHECK(one.container_path.starts_with('/') && !one.host_path.empty());
  }
  for (const auto& one : edits.hooks) {
    CHECK(one.path.starts_with('/') && !one.name.empty());
  }
  for (const auto& one : edits.env) {
    CHECK(one.find('=') != std::string::npos && one.find('\0') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto spec =
      cloche::runtime::parse_cdi_spec({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");
  if (spec.has_value()) {
    check(spec->edits);
    for (const auto& one : spec->devices) {
      CHECK(cloche::runtime::is_qualified_device(spec->kind + "=" + one.name));
      check(one.edits);
    }
  }
  return 0;
}
