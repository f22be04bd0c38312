// What the shell asks when a person presses Tab: `cloche __complete WORD...`.
#pragma once

#include <span>
#include <string_view>

#include "cli/terminal.h"
#include "core/files.h"

namespace cloche::cli {

// The last word is the one to be completed, perhaps empty. Prints one line that says what else the
// shell may offer (":files", ":directories" or ":nothing"), then a candidate a line, a tab, and
// what it is. Never fails and never writes to a workspace: a broken one gives no names.
int run_complete(std::span<const std::string_view> words, Terminal& terminal, FileSource& files);

}  // namespace cloche::cli
