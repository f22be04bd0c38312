// What turns an environment on in a shell.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace cloche::cli {

struct Activation {
  std::string name;                                   // as the prompt's friends show it
  std::string prefix;                                 // absolute
  std::map<std::string, std::string> variables = {};  // the definition's
  std::vector<std::string> scripts = {};       // etc/conda/activate.d/*.sh, absolute, in order
  std::vector<std::string> undo_scripts = {};  // etc/conda/deactivate.d/*.sh, the same
};

// A word of any bytes (but NUL) for a POSIX shell.
std::string shell_quoted(const std::string& text);

// Whether a shell can have a variable of that name.
bool is_shell_name(const std::string& name);

// For `eval` in sh, bash and zsh: PATH, CONDA_PREFIX, CONDA_DEFAULT_ENV, the variables whose names
// a shell can have, the scripts; and a function cloche_deactivate that takes it back. Activating a
// second one takes the first back.
std::string activation_code(const Activation& activation);

}  // namespace cloche::cli
