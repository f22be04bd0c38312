// Any bytes as a tar archive: no crash, and the promises of TarReader hold.
#include <cstdint>

#include "core/check.h"
#include "io/reader.h"
#include "io/tar_reader.h"

namespace {

using cloche::Result;
using cloche::io::MemoryReader;
using cloche::io::TarEntry;
using cloche::io::TarKind;
using cloche::io::TarReader;

// Returns how many entries there were; -1 after an error.
int read_archive(std::string_view bytes, bool with_content) {
  MemoryReader source(bytes);
  TarReader tar(source);
  TarEntry entry;
  for (int count = 0;; ++count) {
    const Result<bool> more = tar.next(entry);
    if (!more) {
      CHECK(!more.error().message.empty());
      return -1;
    }
    if (!*more) {
      return count;
    }
    CHECK(entry.kind == TarKind::kFile || entry.size_bytes == 0);
    CHECK((entry.mode & ~07777U) == 0 && entry.mtime_s >= 0);
    std::uint64_t size = 0;
    while (with_content) {
      const Result<std::string_view> piece = tar.content();
      if (!piece) {
        return -1;
      }
      if (piece->empty()) {
        CHECK(size == entry.size_bytes);
        break;
      }
      size += piece->size();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT
  CHECK(read_archive(bytes, true) == read_archive(bytes, false));
  return 0;
}
