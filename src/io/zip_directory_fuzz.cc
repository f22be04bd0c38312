// Any bytes as a ZIP file: no crash, and no reader gives more than its member says.
#include <cstdint>
#include <string>

#include "core/check.h"
#include "io/file.h"
#include "io/temporary.h"
#include "io/zip_directory.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cloche::io::TemporaryDirectory kPlace =
      *cloche::io::TemporaryDirectory::create("/dev/shm");
  cloche::Result<cloche::io::TemporaryFile> file = cloche::io::TemporaryFile::create(kPlace.path());
  CHECK(file);
  CHECK(file->write({reinterpret_cast<const char*>(data), size}));  // NOLINT
  const auto zip = cloche::io::ZipDirectory::open(file->path());
  if (!zip) {
    CHECK(!zip.error().message.empty());
    return 0;
  }
  for (const cloche::io::ZipMember& member : zip->members()) {
    const auto reader = zip->read(member);
    if (!reader) {
      continue;
    }
    CHECK(member.size_bytes <= size);
    const auto content = cloche::io::read_all(**reader, size);
    CHECK(content && content->size() == member.size_bytes);
  }
  return 0;
}
