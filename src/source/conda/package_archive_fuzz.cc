// A package whose info and pkg tarballs are any bytes, cut at the first "|": it becomes files that
// keep FileSink's promises, or is refused.
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "core/check.h"
#include "io/temporary.h"
#include "source/conda/package_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cloche::io::TemporaryDirectory kPlace =
      *cloche::io::TemporaryDirectory::create("/dev/shm");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT
  const std::size_t cut = std::min(bytes.find('|'), size);
  const std::string_view paths = bytes.substr(0, cut);
  const std::string_view tar = bytes.substr(std::min(cut + 1, size));
  // paths.json is free, index.json is good: else hardly any input would get further.
  const std::string info = cloche::source::make_tar(
      {{.path = "info/index.json", .content = R"({"name":"a","version":"1","build":"0"})"},
       {.path = paths.starts_with('{') ? "info/paths.json" : "info/files",
        .content = std::string(paths)}});
  const std::string path = kPlace.path() + "/a-1-0.conda";
  std::ofstream(path, std::ios::binary)
      << cloche::source::make_zip({{"info-a-1-0.tar.zst", cloche::source::make_zstd(info)},
                                   {"pkg-a-1-0.tar.zst", cloche::source::make_zstd(tar)}});
  cloche::conda::PackageRecord record;
  record.name = "a";
  record.version = "1";
  record.build = "0";
  const auto sink = cloche::source::unpack(
      path, record, {.prefix = "/opt/env", .python_version = {}, .site_packages = {}});
  if (!sink) {
    CHECK(!sink.error().message.empty());
    return 0;
  }
  for (const auto& [name, node] : sink->nodes()) {
    CHECK(*cloche::source::package_path(name) == name);
  }
  return 0;
}
