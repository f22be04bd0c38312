#include "debian_channel/python_files.h"

#include <algorithm>
#include <cstddef>

#include "core/text.h"

namespace cloche::debian_channel {
namespace {

bool is_identifier(std::string_view text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

}  // namespace

std::optional<std::string> with_interpreter(std::string_view script, std::string_view interpreter) {
  if (!script.starts_with("#!")) {
    return std::nullopt;
  }
  const std::size_t end = std::min(script.find('\n'), script.size());
  const std::string line = collapse_blanks(script.substr(2, end - 2));
  std::vector<std::string_view> words = split(line, ' ');
  if (words.front().ends_with("/env") && words.size() > 1) {
    words.erase(words.begin());
  }
  const std::string_view program = words.front().substr(words.front().rfind('/') + 1);
  if (!program.starts_with("python")) {
    return std::nullopt;
  }
  std::string out = "#!" + std::string(interpreter);
  for (std::size_t i = 1; i < words.size(); ++i) {
    out += " " + std::string(words[i]);
  }
  out += script.substr(end);
  return out;
}

std::vector<std::string> console_scripts(std::string_view entry_points) {
  std::vector<std::string> out;
  bool mine = false;
  for (std::string_view line : split_lines(entry_points)) {
    line = trim(line);
    if (line.starts_with('[')) {
      mine = line == "[console_scripts]";
    } else if (mine && !line.empty() && !line.starts_with('#')) {
      const std::size_t equals = line.find('=');
      std::string_view value =
          equals == std::string_view::npos ? "" : trim(line.substr(equals + 1));
      value = trim(value.substr(0, value.find('[')));  // extras
      if (!value.empty()) {
        out.push_back(std::string(trim(line.substr(0, equals))) + " = " + std::string(value));
      }
    }
  }
  return out;
}

std::string top_level_module(std::string_view path) {
  const std::size_t slash = path.find('/');
  std::string_view name = path.substr(0, slash);
  if (slash != std::string_view::npos) {
    return path.substr(slash) == "/__init__.py" && is_identifier(name) ? std::string(name) : "";
  }
  if (!name.ends_with(".py") && !name.ends_with(".so")) {
    return "";
  }
  name = name.substr(0, name.find('.'));
  return is_identifier(name) ? std::string(name) : "";
}

}  // namespace cloche::debian_channel
