// A bundle comes from other machines: whatever the bytes, it is read or refused, and what is read
// has its files in the store.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/check.h"
#include "io/temporary.h"
#include "workspace/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto directory = std::move(*cloche::io::TemporaryDirectory::create());
  const cloche::blob::BlobStore blobs(directory.path());
  std::size_t at = 0;
  const auto found = cloche::workspace::read_bundle(
      [&](char* buffer, std::size_t wanted) -> cloche::Result<std::size_t> {
        const std::size_t count = std::min(wanted, size - at);
        if (count > 0) {
          std::memcpy(buffer, data + at, count);
        }
        at += count;
        return count;
      },
      blobs);
  if (found) {
    if (const auto* context = std::get_if<cloche::definition::BuildContextBase>(
            &found->environment.definition.base)) {
      CHECK(context->root.empty());
      for (const auto& file : context->files) {
        CHECK(file.kind != cloche::FileKind::kFile || blobs.contains(file.digest));
      }
    }
  }
  return 0;
}
