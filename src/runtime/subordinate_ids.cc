#include "runtime/subordinate_ids.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "core/text.h"

namespace cloche::runtime {
namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(out)
                                                                  : std::nullopt;
}

}  // namespace

std::optional<IdRange> subordinate_range(std::string_view text,
                                         std::span<const std::string> owners) {
  for (const std::string_view line : split_lines(text)) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() != 3 || std::ranges::find(owners, fields[0]) == owners.end()) {
      continue;
    }
    const auto first = number_of(fields[1]);
    const auto count = number_of(fields[2]);
    if (first && count && *first > 0 && *count > 0 &&
        *count <= std::numeric_limits<std::uint32_t>::max() - *first) {
      return IdRange{*first, *count};
    }
  }
  return std::nullopt;
}

std::string user_name(std::string_view passwd, std::uint32_t uid) {
  for (const std::string_view line : split_lines(passwd)) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() == 7 && number_of(fields[2]) == uid) {
      return std::string(fields[0]);
    }
  }
  return "";
}

}  // namespace cloche::runtime
