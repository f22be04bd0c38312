#include "definition/lint/secrets.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

bool is_word(char c) { return is_digit(c) || is_upper(c) || is_lower(c) || c == '_'; }
// Characters of base64, its URL form, and what tokens are otherwise made of.
bool is_token(char c) { return is_word(c) || c == '-' || c == '+' || c == '/' || c == '='; }

// "githubAPIToken", "GITHUB_TOKEN" -> github, (api) token: words in lower case.
std::vector<std::string> name_words(std::string_view name) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool hump = i > 0 && is_upper(c) && is_lower(name[i - 1]);
    if ((!is_upper(c) && !is_lower(c) && !is_digit(c)) || hump) {
      words.emplace_back();
    }
    if (is_upper(c) || is_lower(c) || is_digit(c)) {
      words.back() += to_lower(std::string_view(&c, 1));
    }
  }
  std::erase(words, "");
  return words;
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

}  // namespace

bool is_secret_name(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kSecret = {
      "password", "passwd", "pwd",        "pword",       "secret",     "secrets",
      "token",    "apikey", "credential", "credentials", "passphrase", "pat"};
  // "KEY" alone may be anything; after one of these it is a secret.
  static constexpr std::array<std::string_view, 8> kBeforeKey = {
      "api", "access", "private", "secret", "account", "storage", "encryption", "subscription"};
  static constexpr std::array<std::string_view, 3> kHarmless = {"public", "no", "example"};
  static constexpr std::array<std::string_view, 16> kAbout = {
      "file", "path", "dir",  "url",     "uri",      "name",   "length", "type",
      "size", "ttl",  "user", "timeout", "endpoint", "expiry", "host",   "limit"};
  const std::vector<std::string> words = name_words(name);
  if (words.empty() || contains(kAbout, words.back())) {
    return false;
  }
  bool secret = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (contains(kHarmless, words[i])) {
      return false;
    }
    const bool key = words[i] == "key" && i > 0 && contains(kBeforeKey, words[i - 1]);
    const bool connection =
        words[i] == "string" && i > 0 && (words[i - 1] == "connection" || words[i - 1] == "conn");
    secret = secret || key || connection || (contains(kSecret, words[i]) && words[i] != "pwd") ||
             (words[i] == "pwd" && words.size() > 1);
  }
  return secret;
}

bool can_be_secret(std::string_view value) {
  value = trim(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  if (value.empty() || value.find('$') != std::string_view::npos || value.starts_with('<') ||
      value.starts_with("{{") || value.starts_with("%(")) {
    return false;
  }
  static constexpr std::array<std::string_view, 12> kStandIns = {
      "true", "false", "yes", "no", "on", "off", "none", "null", "auto", "disabled", "xxx", "***"};
  const std::string lower = to_lower(value);
  const bool number = value.size() < 6 && std::ranges::all_of(value, is_digit);
  return !number && !contains(kStandIns, lower);
}

namespace {

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A value that tells by its beginning what it is: `prefix`, then at least `length` characters.
struct TokenForm {
  std::string_view prefix;
  std::size_t length;
  std::string_view kind;
};

// Prefixes as their makers document them (GitHub: "Behind GitHub's new authentication token
// formats"; AWS IAM identifiers; Hugging Face, OpenAI, Slack, Google, GitLab, PyPI token pages).
constexpr std::array<TokenForm, 21> kForms = {{
    {"ghp_", 36, "a GitHub token"},
    {"gho_", 36, "a GitHub token"},
    {"ghu_", 36, "a GitHub token"},
    {"ghs_", 36, "a GitHub token"},
    {"github_pat_", 22, "a GitHub token"},
    {"glpat-", 20, "a GitLab token"},
    {"AKIA", 16, "an AWS access key"},
    {"ASIA", 16, "an AWS access key"},
    {"hf_", 30, "a Hugging Face token"},
    {"sk-proj-", 20, "an OpenAI key"},
    {"sk-ant-", 20, "an Anthropic key"},
    {"sk-", 40, "an API key"},
    {"xoxb-", 20, "a Slack token"},
    {"xoxp-", 20, "a Slack token"},
    {"AIza", 35, "a Google API key"},
    {"pypi-AgE", 40, "a PyPI token"},
    {"npm_", 36, "an npm token"},
    {"dapi", 32, "a Databricks token"},
    {"AccountKey=", 40, "an Azure storage key"},
    {"SharedAccessKey=", 40, "an Azure access key"},
    {"eyJhbGci", 40, "a JSON web token"},
}};

struct Found {
  Span secret;
  std::string_view kind;
};

std::optional<Found> token_at(std::string_view text, std::size_t i) {
  if (i > 0 && is_word(text[i - 1])) {
    return std::nullopt;
  }
  for (const TokenForm& form : kForms) {
    if (text[i] != form.prefix[0] || !text.substr(i).starts_with(form.prefix)) {
      continue;
    }
    std::size_t end = i + form.prefix.size();
    while (end < text.size() && (is_token(text[end]) || text[end] == '.')) {
      ++end;
    }
    if (end - i - form.prefix.size() >= form.length) {
      return Found{{i, end}, form.kind};
    }
  }
  return std::nullopt;
}

// The password of "scheme://user:password@host"; a lone "${VARIABLE}" is none.
std::optional<Span> url_password_after(std::string_view text, std::size_t scheme_end) {
  const std::size_t begin = scheme_end + 3;
  std::size_t end = begin;
  while (end < text.size() && !is_blank(text[end]) && text[end] != '/' && text[end] != '"' &&
         text[end] != '\'' && text[end] != '@') {
    ++end;
  }
  if (end >= text.size() || text[end] != '@') {
    return std::nullopt;
  }
  const std::size_t colon = text.substr(0, end).find(':', begin);
  // "https://TOKEN@host" is the form of personal tokens; "git@" and the like are user names.
  const std::size_t secret = colon == std::string_view::npos ? begin : colon + 1;
  const std::string_view value = text.substr(secret, end - secret);
  if (!can_be_secret(value) || (colon == std::string_view::npos && value.size() < 20)) {
    return std::nullopt;
  }
  return Span{secret, end};
}

std::vector<Found> find_by_form(std::string_view text) {
  std::vector<Found> found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::optional<Found> one = token_at(text, i);
    if (!one && text[i] == ':' && text.substr(i).starts_with("://")) {
      if (const auto password = url_password_after(text, i)) {
        one = Found{*password, "a password in a URL"};
      }
    }
    if (!one && text[i] == '-' && text.substr(i).starts_with("-----BEGIN ")) {
      const std::size_t end = text.find("-----", i + 11);
      if (end != std::string_view::npos && text.substr(i, end - i).ends_with("PRIVATE KEY")) {
        one = Found{{end, text.size()}, "a private key"};
      }
    }
    if (one) {
      i = std::max(i, one->secret.end - 1);
      found.push_back(*one);
    }
  }
  return found;
}

// NAME=value, NAME: value and, for ENV's old form, "ENV NAME value", where the name is a secret's.
std::optional<Span> named_value_at(std::string_view text, std::size_t begin, std::size_t end) {
  const std::string_view name = text.substr(begin, end - begin);
  if (!is_secret_name(name)) {
    return std::nullopt;
  }
  const std::string_view before = trim_right(text.substr(0, begin));
  const bool old_form = before.size() >= 3 && to_upper(before.substr(before.size() - 3)) == "ENV";
  std::size_t value = end;
  if (value < text.size() && (text[value] == '"' || text[value] == '\'')) {
    ++value;  // a quoted key
  }
  const char separator = value < text.size() ? text[value] : '\0';
  if (separator != '=' && separator != ':' && !(old_form && is_blank(separator))) {
    return std::nullopt;
  }
  ++value;
  while (separator != '=' && value < text.size() && is_blank(text[value])) {
    ++value;
  }
  std::size_t stop = value;
  const char quote = value < text.size() ? text[value] : '\0';
  if (quote == '"' || quote == '\'') {
    stop = std::min(text.find(quote, value + 1), text.size() - 1) + 1;
  } else {
    while (stop < text.size() && !is_blank(text[stop]) && text[stop] != ',' && text[stop] != '}') {
      ++stop;
    }
  }
  if (!can_be_secret(text.substr(value, stop - value))) {
    return std::nullopt;
  }
  return Span{value, stop};
}

std::vector<Span> find_by_name(std::string_view text) {
  std::vector<Span> found;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_word(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && (is_word(text[end]) || text[end] == '-')) {
      ++end;
    }
    const auto value = end - i <= 100 ? named_value_at(text, i, end) : std::nullopt;
    if (value) {
      found.push_back(*value);
      end = std::max(end, value->end);
    }
    i = end;
  }
  return found;
}

}  // namespace

std::string_view secret_kind(std::string_view text) {
  for (const Found& found : find_by_form(text)) {
    if (found.kind != "a password in a URL") {
      return found.kind;
    }
  }
  return "";
}

bool has_url_password(std::string_view text) {
  return std::ranges::any_of(
      find_by_form(text), [](const Found& found) { return found.kind == "a password in a URL"; });
}

std::string redacted(std::string_view text) {
  std::vector<Span> spans = find_by_name(text);
  for (const Found& found : find_by_form(text)) {
    spans.push_back(found.secret);
  }
  std::ranges::sort(spans, {}, &Span::begin);
  std::string out;
  std::size_t at = 0;
  for (const Span& span : spans) {
    if (span.end <= at) {
      continue;
    }
    if (span.begin >= at) {
      out.append(text.substr(at, span.begin - at));
      out += "***";
    }
    at = span.end;
  }
  out.append(text.substr(std::min(at, text.size())));
  return out;
}

}  // namespace cloche::definition
