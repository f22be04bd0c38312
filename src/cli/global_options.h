// The options that every command has, accepted before the noun and anywhere after it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace cloche::cli {

struct GlobalOptions {
  std::string output = "table";        // "json", "yaml", "table"
  std::string workspace;               // --workspace DIR
  std::vector<std::string> directory;  // -C, each relative to the one before, as in git and make
  bool help = false;
};

std::span<const Argument> global_arguments();

// Takes the global options out of `words`, up to a "--"; the rest stays in order. The last of two
// wins, so that an alias with --output can be overruled. `options` holds what was read so far, also
// after an error. kUsage.
Result<std::vector<std::string_view>> take_global_options(std::span<const std::string_view> words,
                                                          GlobalOptions& options);

}  // namespace cloche::cli
