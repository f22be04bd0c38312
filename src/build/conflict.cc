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
  std::vector<std::string> kept;
  std::vector<std::string> left_out;
  for (const resolve::Change& change : way.changes) {
    const std::string wanted = quoted(asked[change.requirement]);
    if (change.instead) {
      kept.push_back(fmt::format("{} instead of {}", provider.to_string(*change.instead), wanted));
    } else {
      left_out.push_back(wanted);
    }
  }
  if (left_out.empty()) {
    return list_of(kept);
  }
  const std::string rest = "leaving out " + list_of(left_out);
  return kept.empty() ? rest : fmt::format("{}, {}", list_of(kept), rest);
}

// "python=3.9 and numpy>=2.3 cannot be had together".
std::string sentence(const resolve::Conflict& conflict, const std::vector<Asked>& asked) {
  std::vector<std::string> texts;
  for (const std::size_t one : conflict.requirements) {
    if (std::ranges::find(texts, quoted(asked[one])) == texts.end()) {
      texts.push_back(quoted(asked[one]));
    }
  }
  return fmt::format("{} cannot be had{}", list_of(texts), texts.size() > 1 ? " together" : "");
}

}  // namespace

Error conflict_error(const resolve::Problem& problem, const std::vector<Asked>& asked,
                     resolve::Provider& provider) {
  std::vector<std::string> details;
  std::vector<std::string> sentences;
  for (const resolve::Conflict& conflict : problem.conflicts) {
    sentences.push_back(sentence(conflict, asked));
    for (const resolve::Reason& reason : conflict.reasons) {
      details.push_back(with_place(asked[reason.requirement.value_or(0)]));
      append(reason.children, 1, details);
    }
  }
  Error error = fail(ErrorKind::kConflict, "{}", join(sentences, "; and "));
  if (!problem.conflicts.empty() && !problem.conflicts.front().requirements.empty()) {
    error.at = asked[problem.conflicts.front().requirements.front()].at;
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
