#include "package/conda/platform.h"

#include <algorithm>
#include <array>

namespace cloche::conda {

std::span<const std::string_view> known_subdirs() {
  static constexpr std::array<std::string_view, 22> kSubdirs = {
      "linux-64",      "linux-aarch64",
      "linux-ppc64le", "linux-s390x",
      "linux-riscv64", "linux-armv7l",
      "linux-armv6l",  "linux-32",
      "linux-ppc64",   "linux-riscv32",
      "osx-64",        "osx-arm64",
      "win-64",        "win-arm64",
      "win-32",        "freebsd-64",
      "zos-z",         "emscripten-wasm32",
      "wasi-wasm32",   "linux-loongarch64",
      "emscripten-32", "noarch"};
  return kSubdirs;
}

bool is_known_subdir(std::string_view text) {
  return std::ranges::find(known_subdirs(), text) != known_subdirs().end();
}

}  // namespace cloche::conda
