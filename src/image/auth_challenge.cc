#include "image/auth_challenge.h"

#include <algorithm>

#include "core/text.h"

namespace cloche::image {
namespace {

constexpr std::size_t kMaxHeaderBytes = 8192;

// RFC 9110, section 5.6.2.
bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

Error malformed() {
  return fail(ErrorKind::kInvalid, "the server's demand for credentials cannot be read");
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<AuthChallenge>> parse() {
    std::vector<AuthChallenge> challenges;
    skip_commas();
    while (!rest_.empty()) {
      const std::string word = to_lower(TRY(token()));
      const bool more = !challenges.empty() && follows('=');
      if (more) {
        TRY(take_parameter(word, challenges.back()));
      } else {
        challenges.push_back({.scheme = word, .parameters = {}});
        TRY(take_first(challenges.back()));
      }
      skip_commas();
    }
    return challenges;
  }

 private:
  void skip_blanks() { rest_ = trim_left(rest_); }

  void skip_commas() {
    skip_blanks();
    while (rest_.starts_with(',')) {
      rest_.remove_prefix(1);
      skip_blanks();
    }
  }

  bool follows(char c) {
    const std::string_view ahead = trim_left(rest_);
    return ahead.starts_with(c);
  }

  Result<std::string> token() {
    const auto* const end = std::ranges::find_if_not(rest_, is_token_char);
    const auto length = static_cast<std::size_t>(end - rest_.begin());
    if (length == 0) {
      return malformed();
    }
    std::string word(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return word;
  }

  // What stands behind a scheme: nothing, parameters, or a token68, which no scheme of ours has.
  Status take_first(AuthChallenge& challenge) {
    skip_blanks();
    if (rest_.empty() || rest_.starts_with(',')) {
      return {};
    }
    const std::string name = to_lower(TRY(token()));
    if (!follows('=')) {
      return malformed();
    }
    return take_parameter(name, challenge);
  }

  Status take_parameter(const std::string& name, AuthChallenge& challenge) {
    skip_blanks();
    rest_.remove_prefix(1);  // the '='
    skip_blanks();
    std::string value = TRY(rest_.starts_with('"') ? quoted() : token());
    if (!challenge.parameters.emplace(name, std::move(value)).second) {
      return malformed();
    }
    skip_blanks();
    return rest_.empty() || rest_.starts_with(',') ? Status() : Status(malformed());
  }

  Result<std::string> quoted() {
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      i += rest_[i] == '\\' ? 1 : 0;
      if (i < rest_.size()) {
        value += rest_[i];
      }
    }
    return malformed();
  }

  std::string_view rest_;
};

}  // namespace

std::string AuthChallenge::parameter(std::string_view name) const {
  const auto found = parameters.find(std::string(name));
  return found == parameters.end() ? "" : found->second;
}

Result<std::vector<AuthChallenge>> parse_auth_challenges(std::string_view header) {
  if (header.size() > kMaxHeaderBytes) {
    return malformed();
  }
  return Parser(header).parse();
}

std::string to_string(const AuthChallenge& challenge) {
  std::string text = challenge.scheme;
  std::string_view separator = " ";
  for (const auto& [name, value] : challenge.parameters) {
    text += std::string(separator) + name + "=\"";
    for (const char c : value) {
      text += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
    text += '"';
    separator = ",";
  }
  return text;
}

}  // namespace cloche::image
