// Any text as a conda file: lint ends, speaks of places in the file, and mends without breaking.
#include <cstddef>
#include <cstdint>
#include <string>

#include "definition/lint/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cloche::definition::lint_and_mend("environment.yml",
                                    std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
