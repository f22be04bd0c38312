// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::cli {

// The candidate that `word` is the beginning of, if there is just one, else the nearest typo, else
// "".
std::string suggest(std::string_view word, std::span<const std::string> candidates);

// kUsage unless `text` is one of the choices ("a|b|c"); `name` is what the message calls it.
Status check_choice(std::string_view name, std::string_view choices, std::string_view text);

// "--output", ...: accepted everywhere.
std::vector<std::string> global_option_names();

}  // namespace cloche::cli
