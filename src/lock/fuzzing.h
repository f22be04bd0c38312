// The invariants that every format which is read must keep, for its fuzzer.
#pragma once

#include <string>
#include <string_view>

#include "core/check.h"
#include "lock/formats.h"
#include "lock/words.h"

namespace cloche::lock {

inline void check_names(const Lock& lock) {
  for (const CondaPackage& package : lock.conda.packages) {
    const conda::PackageRecord& r = package.record;
    CHECK(is_file_name_part(r.name) && is_file_name_part(r.version));
    CHECK(r.build.empty() || is_file_name_part(r.build));
    CHECK(r.file_name.find('/') == std::string::npos);
    CHECK(r.url.find_first_of("?#") == std::string::npos);
    CHECK(r.sha256.empty() || is_hex(r.sha256, 64));
    CHECK(r.md5.empty() || is_hex(r.md5, 32));
  }
}

inline void fuzz_format(std::string_view name, std::string_view text) {
  const Format& format = *find_format(name).value();
  Diagnostics diagnostics;
  const auto lock = format.read(text, "fuzz", {}, diagnostics);
  if (!lock) {
    CHECK(!lock.error().message.empty());
    return;
  }
  check_names(*lock);
  for (const Format& each : formats()) {
    CHECK(each.write(*lock, {}, diagnostics).has_value());
  }
  const auto written = format.write(*lock, {}, diagnostics);
  const auto again = format.read(*written, "written", {.platform = lock->platform}, diagnostics);
  CHECK(again.has_value());
  CHECK(again->conda.packages.size() == lock->conda.packages.size());
  for (std::size_t i = 0; i < lock->conda.packages.size(); ++i) {
    CHECK(again->conda.packages[i].record.url == lock->conda.packages[i].record.url);
    CHECK(again->conda.packages[i].record.sha256 == lock->conda.packages[i].record.sha256 ||
          name == "explicit");  // which keeps one hash
  }
}

}  // namespace cloche::lock
