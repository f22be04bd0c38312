#include "core/size.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/text.h"

namespace cloche {
namespace {

constexpr std::string_view kLetters = "kmgtp";
constexpr double kMax = 9e18;

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorKind::kInvalid, "'{}' is no size", printable(text.substr(0, 50)))
        .with_hint("write a number and a unit: 500MB, 20GB, 1.5TiB");
  };
  const std::string lower = to_lower(trim(text));
  double number = 0;
  const char* const last = lower.data() + lower.size();
  const auto [end, error] = std::from_chars(lower.data(), last, number, std::chars_format::fixed);
  if (error != std::errc() || lower.empty() || std::isdigit(lower[0]) == 0) {
    return refuse();
  }
  std::string_view unit = trim(std::string_view(end, static_cast<std::size_t>(last - end)));
  if (!unit.empty() && unit != "b") {
    const std::size_t power = kLetters.find(unit[0]);
    unit.remove_prefix(1);
    if (power == std::string_view::npos || (!unit.empty() && unit != "b" && unit != "ib")) {
      return refuse();
    }
    number *= std::pow(unit == "ib" ? 1024.0 : 1000.0, static_cast<double>(power + 1));
  }
  return number < kMax ? Result<std::uint64_t>(static_cast<std::uint64_t>(number)) : refuse();
}

std::string shown_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) {
    return fmt::format("{} B", bytes);
  }
  double number = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (number >= 999.95 && unit + 1 < kUnits.size()) {
    number /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", number, kUnits[unit]);
}

}  // namespace cloche
