#include "definition/apt_list.h"

#include <utility>

#include "core/text.h"
#include "definition/placeholder.h"
#include "package/debian/requirement.h"

namespace cloche::definition {
namespace {

Status add_package(std::string_view text, const Location& at, std::string_view line,
                   AptSection& into) {
  if (into.packages.size() >= kMaxAptPackages) {
    return fail(ErrorKind::kInvalid, "more than {} Debian packages", kMaxAptPackages)
        .with_location(at, std::string(line));
  }
  auto requirement = debian::parse_requirement(text);
  if (!requirement.has_value()) {
    Error error = std::move(requirement).error();
    if (std::string hint = placeholder_hint(text); !hint.empty()) {
      error.hint = std::move(hint);
    }
    return std::move(error).with_location(at, std::string(line));
  }
  into.packages.push_back({requirement->to_string(), at});
  return {};
}

}  // namespace

Result<AptSection> read_apt_items(const std::vector<Line>& items) {
  AptSection out;
  for (const Line& item : items) {
    TRY(add_package(trim(item.text), item.at, "", out));
  }
  return out;
}

Result<AptSection> parse_apt_list(std::string_view text, const std::string& file) {
  AptSection out;
  int number = 0;
  for (const std::string_view line : split_lines(text)) {
    ++number;
    std::size_t at = 0;
    while (at < line.size() && line[at] != '#') {
      if (is_blank(line[at])) {
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < line.size() && !is_blank(line[end]) && line[end] != '#') {
        ++end;
      }
      const Location place{file, number, static_cast<int>(at) + 1};
      TRY(add_package(line.substr(at, end - at), place, line, out));
      at = end;
    }
  }
  return out;
}

std::string write_apt_list(const AptSection& apt) {
  std::string out;
  for (const Line& package : apt.packages) {
    out += package.text + "\n";
  }
  return out;
}

}  // namespace cloche::definition
