// What stands in the files of Python packages.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloche::debian_channel {

// The script with another interpreter in its first line, when that is a Python of the system's;
// nullopt: it is none. What follows the interpreter ("-s") stays.
std::optional<std::string> with_interpreter(std::string_view script, std::string_view interpreter);

// The lines of [console_scripts] in an entry_points.txt, as link.json has them: "name = a.b:f".
std::vector<std::string> console_scripts(std::string_view entry_points);

// The module that a path below a directory of modules makes importable by its own name, or "":
// "numpy" for "numpy/__init__.py", "six" for "six.py", "_x" for
// "_x.cpython-311-x86_64-linux-gnu.so".
std::string top_level_module(std::string_view path);

}  // namespace cloche::debian_channel
