// Any bytes: no ELF file, one that is refused, or one that can be given a run path and then has it.
#include <cstdint>
#include <string>

#include "core/check.h"
#include "debian_channel/elf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace channel = cloche::debian_channel;
  const std::string bytes(reinterpret_cast<const char*>(data), size);  // NOLINT
  const auto facts = channel::read_elf(bytes);
  if (!facts) {
    CHECK(!facts.error().message.empty());
    return 0;
  }
  if (*facts) {
    if (const auto changed = channel::with_run_path(bytes, "$ORIGIN/../lib")) {
      (void)channel::read_elf(*changed);
    }
  }
  return 0;
}
