// Environment variables as pip expands them in requirements files: "${NAME}" (pip: req_file.py,
// ENV_VAR_RE). Here they are never expanded, since they hold secrets.
#pragma once

#include <cstddef>
#include <string_view>

namespace cloche::pypi {

// What a variable's name is made of: A-Z, 0-9 and '_'.
bool is_variable_char(char c);

// The length of a variable at the beginning of `text`; 0 when none stands there.
std::size_t variable_length(std::string_view text);

// Whether one stands anywhere. Linear time.
bool has_variable(std::string_view text);

}  // namespace cloche::pypi
