#include "build/conflict.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.h"

namespace cloche::build {

namespace {

std::string quoted(const Asked& asked) { return printable(asked.text); }

std::string with_place(const Asked& asked) {
  return asked.at.empty() ? quoted(asked)
                          : fmt::format("{}: {}", asked.at.to_string(), quoted(asked));
}

void append(const std::vector<resolve::Reason>& reasons, std::size_t depth,
            std::vector<std::string>& out) {
  constexpr std::size_t kMostLines = 60;
  for (const resolve::Reason& reason : reasons) {
    if (out.size() >= kMostLines) {
      return;
    }
    out.push_back(std::string(2 * depth, ' ') + reason.text);
    append(reason.children, depth + 1, out);
  }
}

// "python=3.9", "python=3.9 and torchvision=0.22", "a, b and c"
std::string list_of(const std::vector<std::string>& texts) {
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == texts.size() ? " and " : ", ") + texts[i];
  }
  return out;
}

std::string way_text(const resolve::WayOut& way, const std::vector<Asked>& asked,
                     resolve::Provider& provider) {
  if (way.also) {
    return fmt::format("leaving out {} and {}", quoted(asked[way.requirement]),
                       quoted(asked[*way.also]));
  }
  if (!way.instead) {
    return fmt::format("leaving out {}", quoted(asked[way.requirement]));
  }
  return fmt::format("{} instead of {}", provider.to_string(*way.instead),
                     quoted(asked[way.requirement]));
}

}  // namespace

Error conflict_error(const resolve::Problem& problem, const std::vector<Asked>& asked,
                     resolve::Provider& provider) {
  std::vector<std::string> texts;
  std::vector<std::string> details;
  for (const resolve::Reason& reason : problem.reasons) {
    const Asked& one = asked[reason.requirement.value_or(0)];
    if (std::ranges::find(texts, quoted(one)) == texts.end()) {
      texts.push_back(quoted(one));
    }
    details.push_back(with_place(one));
    append(reason.children, 1, details);
  }
  Error error = fail(ErrorKind::kConflict, "{} cannot be had{}", list_of(texts),
                     texts.size() > 1 ? " together" : "");
  if (!problem.reasons.empty()) {
    error.at = asked[problem.reasons.front().requirement.value_or(0)].at;
  }
  std::vector<std::string> ways;
  ways.reserve(problem.ways_out.size());
  for (const resolve::WayOut& way : problem.ways_out) {
    ways.push_back(way_text(way, asked, provider));
  }
  if (!ways.empty()) {
    error.hint = ways.size() == 1 ? "it works with " + ways.front()
                                  : "each of these works: " + join(ways, "; or ");
  }
  error.details = std::move(details);
  return error;
}

}  // namespace cloche::build
