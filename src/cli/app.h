// The program: from the words of a command line to an exit code.
#pragma once

#include <span>
#include <string_view>

#include "cli/terminal.h"
#include "core/files.h"

namespace cloche::cli {

inline constexpr int kReaderGone = 141;  // what a shell shows for a process that SIGPIPE ended

// `words` without the program's name. -C changes the directory of this process.
int run_program(std::span<const std::string_view> words, Terminal& terminal, FileSource& files);

// "0.1.0"
std::string_view program_version();

}  // namespace cloche::cli
