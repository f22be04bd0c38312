#include "cli/env/activation.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace cloche::cli {
namespace {

// Keeps what the variable is, to be put back by restore().
std::string keep(const std::string& name) {
  return fmt::format("_cloche_had_{0}=\"${{{0}+x}}\"; _cloche_old_{0}=\"${{{0}-}}\"\n", name);
}

std::string restore(const std::string& name) {
  return fmt::format(
      "  if [ -n \"${{_cloche_had_{0}}}\" ]; then export {0}=\"${{_cloche_old_{0}}}\"; else unset "
      "{0}; "
      "fi\n  unset _cloche_had_{0} _cloche_old_{0}\n",
      name);
}

}  // namespace

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

bool is_shell_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
  };
  const bool digit_first = !name.empty() && name.front() >= '0' && name.front() <= '9';
  return !name.empty() && !digit_first && std::ranges::all_of(name, good);
}

std::string activation_code(const Activation& activation) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : activation.variables) {
    if (is_shell_name(name)) {
      values[name] = shell_quoted(value);
    }
  }
  values["CONDA_PREFIX"] = shell_quoted(activation.prefix);
  values["CONDA_DEFAULT_ENV"] = shell_quoted(activation.name);
  const auto path = values.find("PATH");
  values["PATH"] = fmt::format("{}:{}", shell_quoted(activation.prefix + "/bin"),
                               path == values.end() ? "\"$PATH\"" : path->second);
  std::string out = "if command -v cloche_deactivate >/dev/null 2>&1; then cloche_deactivate; fi\n";
  for (const auto& [name, value] : values) {
    out += keep(name) + fmt::format("export {}={}\n", name, value);
  }
  for (const std::string& one : activation.scripts) {
    out += fmt::format(". {}\n", shell_quoted(one));
  }
  out += "cloche_deactivate() {\n";
  for (const std::string& one : activation.undo_scripts) {
    out += fmt::format("  . {}\n", shell_quoted(one));
  }
  for (const auto& [name, value] : values) {
    out += restore(name);
  }
  return out +
         "  unset -f cloche_deactivate\n  hash -r 2>/dev/null || :\n}\nhash -r 2>/dev/null || :\n";
}

}  // namespace cloche::cli
