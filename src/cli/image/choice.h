// Which image a command is about.
#pragma once

#include <array>
#include <string>

#include "cli/command_table.h"

namespace cloche::cli {

struct ImageChoice {
  std::string name;
  std::string platform = "linux-64";
};

// For options that are an ImageChoice, and maybe more.
template <class Options>
inline constexpr std::array<Argument, 2> kImageChoiceArguments = {{
    {.name = "NAME",
     .help = "The image: its name, or its manifest's digest",
     .required = true,
     .source = Source::kImages,
     .field = kField<&Options::name>},
    {.name = "platform",
     .value = "PLATFORM",
     .help = "Which image of an index (default: linux-64)",
     .field = kField<&Options::platform>},
}};

}  // namespace cloche::cli
