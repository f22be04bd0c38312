#include "resolve/provider.h"

#include <algorithm>

#include <fmt/format.h>

namespace cloche::resolve {

std::string Provider::to_string(std::span<const SolvableId> solvables) {
  if (solvables.size() == 1) {
    return to_string(solvables.front());
  }
  if (solvables.size() == 2) {
    return fmt::format("{} and {}", to_string(solvables.front()), to_string(solvables.back()));
  }
  return fmt::format("{} to {} ({} candidates)", to_string(solvables.back()),
                     to_string(solvables.front()), solvables.size());
}

// The name that all begin with is said once.
std::string Provider::to_string(std::span<const RequirementId> requirements) {
  constexpr std::size_t kMostListed = 4;
  std::vector<std::string> texts;
  for (const RequirementId one : requirements) {
    texts.push_back(to_string(one));
  }
  const std::string first_word = texts.front().substr(0, texts.front().find(' ') + 1);
  const bool shared = first_word.size() > 1 && std::ranges::all_of(texts, [&](const auto& text) {
                        return text.starts_with(first_word);
                      });
  std::string out = texts.front();
  const std::size_t listed = texts.size() > kMostListed ? kMostListed - 1 : texts.size();
  for (std::size_t i = 1; i < listed; ++i) {
    out += i + 1 == texts.size() ? " or " : ", ";
    out += shared ? texts[i].substr(first_word.size()) : texts[i];
  }
  return listed == texts.size() ? out : fmt::format("{} or {} others", out, texts.size() - listed);
}

std::string Provider::why_absent(NameId name) {
  return fmt::format("there is no package {}", to_string(name));
}

Result<std::string> Provider::why_none(RequirementId requirement) {
  std::vector<SolvableId> all;
  for (const NameId name : names(requirement)) {
    const auto known = TRY(candidates(name));
    all.insert(all.end(), known.begin(), known.end());
  }
  return all.empty() ? why_absent(names(requirement).front())
                     : fmt::format("nothing fits {}: there is {}", to_string(requirement),
                                   to_string(std::span<const SolvableId>(all)));
}

}  // namespace cloche::resolve
