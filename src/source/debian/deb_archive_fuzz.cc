// A package whose control and data tarballs are any bytes, cut at the first "|": it becomes plain
// paths, or is refused. Bytes that begin as an ar archive are taken as the whole file.
#include <cstdint>
#include <fstream>

#include "core/check.h"
#include "io/temporary.h"
#include "source/debian/deb_archive.h"
#include "source/debian/deb_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cloche::io::TemporaryDirectory kPlace =
      *cloche::io::TemporaryDirectory::create("/dev/shm");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT
  const std::size_t cut = std::min(bytes.find('|'), size);
  const std::string path = kPlace.path() + "/a.deb";
  std::ofstream(path, std::ios::binary)
      << (bytes.starts_with("!<arch>")
              ? std::string(bytes)
              : cloche::source::make_ar(
                    {{"debian-binary", "2.0\n"},
                     {"control.tar", std::string(bytes.substr(0, cut))},
                     {"data.tar", std::string(bytes.substr(std::min(cut + 1, size)))}}));
  const auto deb = cloche::source::DebArchive::open(path);
  if (!deb) {
    CHECK(!deb.error().message.empty());
    return 0;
  }
  if (const auto control = deb->control()) {
    CHECK(control->contains("control"));
  }
  auto stream = deb->data();
  cloche::io::TarEntry entry;
  while (stream) {
    const auto more = stream->next(entry);
    if (!more || !*more) {
      break;
    }
    CHECK(!entry.path.empty() && *cloche::source::debian_path(entry.path) == entry.path);
  }
  return 0;
}
