// Whatever the bytes are: no read beyond them, progress with each value, and a shard is made of
// them or refused.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "source/conda/msgpack.h"
#include "source/conda/sharded_index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cloche::source::MsgpackReader;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  MsgpackReader reader(bytes);
  while (!reader.at_end()) {
    const std::size_t before = reader.offset();
    if (!reader.skip()) {
      CHECK(reader.offset() == before);
      break;
    }
    CHECK(reader.offset() > before && reader.offset() <= size);
  }
  const cloche::source::Channel channel{
      .name = "c", .url = "https://c", .mirrors = {}, .subdirs = {}, .aliases = {}};
  if (const auto records =
          cloche::source::parse_shard(bytes, channel, "noarch", "https://c/noarch/")) {
    for (const cloche::conda::PackageRecord& record : *records) {
      CHECK(record.file_name.find('/') == std::string::npos);
      CHECK(record.sha256.empty() || record.sha256.size() == 64);
    }
  }
  return 0;
}
