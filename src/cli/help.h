// Manual pages, made from the commands' constants.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/report.h"

namespace cloche::cli {

std::string program_help(const Style& style);                          // cloche --help
std::string noun_help(std::string_view noun, const Style& style);      // cloche env --help
std::string command_help(const Command& command, const Style& style);  // cloche env show --help

// The same for all commands as docs/manual/commands.md.
std::string help_markdown();

}  // namespace cloche::cli
