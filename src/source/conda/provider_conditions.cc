#include "source/conda/provider_conditions.h"

#include <utility>

#include "core/text.h"

namespace cloche::source::conda_solving {
namespace {

using resolve::RequirementId;
using RequirementOf = std::function<std::optional<RequirementId>(std::string_view)>;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxAlternatives = 64;

class ConditionReader {
 public:
  ConditionReader(std::string_view text, const RequirementOf& requirement)
      : rest_(text), requirement_(requirement) {}

  std::optional<Alternatives> read() {
    auto out = read_or(0);
    return out && trim(rest_).empty() ? out : std::nullopt;
  }

 private:
  std::optional<Alternatives> read_or(int depth) {
    auto out = read_and(depth);
    while (out && take_word("or")) {
      auto more = read_and(depth);
      if (!more || out->size() + more->size() > kMaxAlternatives) {
        return std::nullopt;
      }
      out->insert(out->end(), more->begin(), more->end());
    }
    return out;
  }

  std::optional<Alternatives> read_and(int depth) {
    auto out = read_one(depth);
    while (out && take_word("and")) {
      const auto more = read_one(depth);
      if (!more || out->size() * more->size() > kMaxAlternatives) {
        return std::nullopt;
      }
      Alternatives both;
      for (const auto& left : *out) {
        for (const auto& right : *more) {
          both.push_back(left);
          both.back().insert(both.back().end(), right.begin(), right.end());
        }
      }
      out = std::move(both);
    }
    return out;
  }

  std::optional<Alternatives> read_one(int depth) {
    rest_ = trim(rest_);
    if (depth > kMaxDepth || rest_.empty()) {
      return std::nullopt;
    }
    if (rest_.front() == '(') {
      rest_.remove_prefix(1);
      auto out = read_or(depth + 1);
      rest_ = trim(rest_);
      if (!out || rest_.empty() || rest_.front() != ')') {
        return std::nullopt;
      }
      rest_.remove_prefix(1);
      return out;
    }
    const std::string_view spec = take_spec();
    if (spec.empty()) {
      return std::nullopt;
    }
    const std::optional<RequirementId> id = requirement_(spec);
    return id ? std::optional(Alternatives{{*id}}) : std::nullopt;
  }

  // Up to a blank or a parenthesis outside of brackets and quotes.
  std::string_view take_spec() {
    char quote = 0;
    int brackets = 0;
    std::size_t length = 0;
    for (; length < rest_.size(); ++length) {
      const char c = rest_[length];
      if (quote != 0) {
        quote = c == quote ? '\0' : quote;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '[' || c == ']') {
        brackets += c == '[' ? 1 : -1;
      } else if (brackets == 0 && (c == ' ' || c == ')' || c == '(')) {
        break;
      }
    }
    const std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }

  bool take_word(std::string_view word) {
    const std::string_view text = trim(rest_);
    const bool found = text.starts_with(word) && text.size() > word.size() &&
                       (text[word.size()] == ' ' || text[word.size()] == '(');
    if (found) {
      rest_ = text.substr(word.size());
    }
    return found;
  }

  std::string_view rest_;
  const RequirementOf& requirement_;
};

}  // namespace

std::optional<Alternatives> read_condition(std::string_view text,
                                           const RequirementOf& requirement) {
  return ConditionReader(text, requirement).read();
}

}  // namespace cloche::source::conda_solving
