#include "package/pypi/variable.h"

namespace cloche::pypi {

bool is_variable_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::size_t variable_length(std::string_view text) {
  if (!text.starts_with("${")) {
    return 0;
  }
  std::size_t end = 2;
  while (end < text.size() && is_variable_char(text[end])) {
    ++end;
  }
  return end > 2 && end < text.size() && text[end] == '}' ? end + 1 : 0;
}

bool has_variable(std::string_view text) {
  std::size_t mark = text.find("${");
  while (mark != std::string_view::npos && variable_length(text.substr(mark)) == 0) {
    mark = text.find("${", mark + 2);
  }
  return mark != std::string_view::npos;
}

}  // namespace cloche::pypi
