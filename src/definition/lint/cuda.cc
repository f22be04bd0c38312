#include "definition/lint/cuda.h"

#include <fmt/format.h>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

// Up to three digits as a number, taken off the front; -1 when there are none, or more.
int take_number(std::string_view& text) {
  int value = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    value = digits < 3 ? (value * 10) + (text[digits] - '0') : value;
  }
  text.remove_prefix(digits);
  return digits == 0 || digits > 3 ? -1 : value;
}

std::optional<CudaVersion> take_version(std::string_view text) {
  CudaVersion version;
  version.major = take_number(text);
  if (version.major < 5 || version.major > 99) {
    return std::nullopt;
  }
  if (text.size() > 1 && text[0] == '.' && is_digit(text[1])) {
    text.remove_prefix(1);
    version.minor = take_number(text);
  }
  return version;
}

}  // namespace

std::string CudaVersion::to_string() const {
  return minor < 0 ? std::to_string(major) : fmt::format("{}.{}", major, minor);
}

std::optional<CudaVersion> parse_cuda_version(std::string_view text) {
  while (!text.empty() && !is_digit(text[0])) {
    text.remove_prefix(1);
  }
  return take_version(text);
}

std::optional<CudaVersion> cuda_of_wheel(std::string_view text) {
  for (std::size_t i = text.find("cu"); i != std::string_view::npos; i = text.find("cu", i + 1)) {
    std::string_view digits = text.substr(i + 2);
    std::size_t count = 0;
    while (count < digits.size() && is_digit(digits[count])) {
      ++count;
    }
    const bool alone = i == 0 || text[i - 1] == '+' || text[i - 1] == '/' || text[i - 1] == '.' ||
                       text[i - 1] == '_' || text[i - 1] == '-';
    if (alone && (count == 2 || count == 3)) {
      CudaVersion version;
      version.minor = digits[count - 1] - '0';
      for (const char c : digits.substr(0, count - 1)) {
        version.major = (version.major * 10) + (c - '0');
      }
      return version;
    }
  }
  return std::nullopt;
}

std::optional<CudaVersion> cuda_in_name(std::string_view text) {
  const std::string lower = to_lower(text);
  for (std::size_t i = lower.find("cuda"); i != std::string::npos; i = lower.find("cuda", i + 1)) {
    std::string_view rest = std::string_view(lower).substr(i + 4);
    if (!rest.empty() && (rest[0] == '-' || rest[0] == ':' || rest[0] == '_')) {
      rest.remove_prefix(1);
    }
    if (const auto version = take_version(rest)) {
      return version;
    }
  }
  return std::nullopt;
}

}  // namespace cloche::definition
