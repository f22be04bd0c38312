// What a dynamically linked file asks of others, and where it looks for it (System V ABI, "Dynamic
// Linking"; x86-64 supplement). 64 bit, little-endian; everything else is no ELF file here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::debian_channel {

struct ElfFacts {
  std::string soname;                 // "" for programs and extension modules
  std::vector<std::string> needed;    // "libz.so.1", in the file's order
  std::vector<std::string> run_path;  // DT_RUNPATH, else DT_RPATH, cut at its colons
};

// nullopt: no ELF file, or one without a dynamic section (static, an object file). kCorrupt: an ELF
// file whose tables lead outside of it.
Result<std::optional<ElfFacts>> read_elf(std::string_view bytes);

// The same file with `run_path` as its only DT_RPATH.
// A copy of the string table with the path at its end goes behind the file, into a segment of its
// own, for which a PT_NOTE header is given up (nobody reads it while loading), as is, when no spare
// entry of the dynamic section is left, DT_RELACOUNT (a hint that saves microseconds). A path that
// is there is not overwritten: linkers let strings share their ends.
// kUnsupported: there is neither; nullopt of read_elf().
Result<std::string> with_run_path(std::string bytes, std::string_view run_path);

}  // namespace cloche::debian_channel
