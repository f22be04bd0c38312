#include "runtime/init_program.h"

#include <string_view>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "io/file.h"

// CMake builds the program first and names it in CLOCHE_INIT_FILE.
// NOLINTBEGIN
#ifndef CLOCHE_INIT_FILE
#define CLOCHE_INIT_FILE "/dev/null"  // for clang-tidy, which assembles nothing
#endif
asm(".section .rodata\n"
    ".global cloche_init_begin\n"
    ".global cloche_init_end\n"
    ".balign 16\n"
    "cloche_init_begin:\n"
    ".incbin \"" CLOCHE_INIT_FILE
    "\"\n"
    "cloche_init_end:\n"
    ".byte 0\n"
    ".previous\n");
extern "C" const char cloche_init_begin[];
extern "C" const char cloche_init_end[];
// NOLINTEND

namespace cloche::runtime {

Result<std::string> init_program(const std::string& cache) {
  const std::string_view bytes(
      &cloche_init_begin[0], static_cast<std::size_t>(&cloche_init_end[0] - &cloche_init_begin[0]));
  constexpr std::size_t kDigits = 16;
  const std::string digest = Digest::of(bytes).hex().substr(0, kDigits);
  std::string path = fmt::format("{}/init-{}", cache, digest);
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && static_cast<std::size_t>(info.st_size) == bytes.size()) {
    return path;
  }
  TRY(io::write_file_atomically(path, bytes, 0755));
  return path;
}

}  // namespace cloche::runtime
