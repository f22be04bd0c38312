#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "source/debian/apt_sources.h"
#include "source/debian/release.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* file : {"x.list", "x.sources"}) {
    Diagnostics diagnostics;
    const auto sources = source::parse_apt_sources(text, file, diagnostics);
    if (!sources.has_value()) {
      CHECK(!sources.error().message.empty());
      continue;
    }
    CHECK(sources->size() <= source::kMaxAptSources);
    for (const source::AptSource& one : *sources) {
      CHECK(!one.uri.empty());
      CHECK(!one.suite.empty());
      (void)source::is_dated(one.uri);
    }
  }
  (void)source::parse_os_release(text);
  return 0;
}
