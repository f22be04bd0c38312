#include "cli/suggest.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/global_options.h"
#include "core/text.h"

namespace cloche::cli {

std::string suggest(std::string_view word, std::span<const std::string> candidates) {
  const auto begins = [&](const std::string& one) { return one.starts_with(word); };
  if (word.size() > 2 && std::ranges::count_if(candidates, begins) == 1) {
    return *std::ranges::find_if(candidates, begins);
  }
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return std::string(nearest(word, views));
}

Status check_choice(std::string_view name, std::string_view choices, std::string_view text) {
  std::vector<std::string> known;
  for (const std::string_view one : split(choices, '|')) {
    if (one == text) {
      return {};
    }
    known.emplace_back(one);
  }
  const std::string near = suggest(text, known);
  return fail(ErrorKind::kUsage, "'{}' is no value of {}", printable(text), name)
      .with_hint(near.empty() ? "one of: " + join(known, ", ")
                              : fmt::format("did you mean {}?", near));
}

std::vector<std::string> global_option_names() {
  std::vector<std::string> names;
  for (const Argument& argument : global_arguments()) {
    names.push_back(shown_name(argument));
  }
  return names;
}

}  // namespace cloche::cli
