#include "core/credentials.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/text.h"

namespace cloche {
namespace {

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

bool is_scheme_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

bool ends_url(char c) {
  return is_blank(c) || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`';
}

// "${A}", "${A}${B}": nothing of it is literal.
bool is_all_variables(std::string_view text) {
  while (text.starts_with("${")) {
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
      return false;
    }
    text.remove_prefix(close + 1);
  }
  return text.empty();
}

// Where a URL's user may be a name that is no secret.
bool is_login_scheme(std::string_view scheme) {
  const std::string lower = to_lower(scheme);
  return lower.ends_with("ssh") || lower.ends_with("sftp");
}

// The secret's place within `rest`, which begins behind "://"; empty when there is none.
Span secret_in(std::string_view scheme, std::string_view rest) {
  const auto* const stop = std::ranges::find_if(rest, ends_url);
  const std::string_view url = rest.substr(0, static_cast<std::size_t>(stop - rest.begin()));
  const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  std::size_t at = authority.rfind('@');
  const std::size_t colon = authority.find(':');
  if (at == std::string_view::npos) {
    // An unescaped '/', '?' or '#' in a password cuts the authority short: "user:p/w@host". What
    // stands behind the colon is then no port.
    const std::string_view tail =
        colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1);
    if (authority.starts_with('[') ||
        tail.find_first_not_of("0123456789") == std::string_view::npos) {
      return {};
    }
    at = url.find('@');
    if (at == std::string_view::npos) {
      return {};
    }
  }
  const bool has_user = colon != std::string_view::npos && colon < at;
  const Span span = {has_user ? colon + 1 : 0, at};
  const std::string_view secret = url.substr(span.begin, span.end - span.begin);
  const bool name_only = !has_user && (secret == "git" || is_login_scheme(scheme));
  return name_only || is_all_variables(secret) ? Span() : span;
}

std::vector<Span> secrets_in(std::string_view text) {
  std::vector<Span> out;
  for (std::size_t mark = text.find("://"); mark != std::string_view::npos;
       mark = text.find("://", mark + 3)) {
    std::size_t begin = mark;
    while (begin > 0 && is_scheme_char(text[begin - 1])) {
      --begin;
    }
    const Span span = secret_in(text.substr(begin, mark - begin), text.substr(mark + 3));
    if (span.end > span.begin) {
      out.push_back({mark + 3 + span.begin, mark + 3 + span.end});
      mark += span.end;
    }
  }
  return out;
}

template <class Mask>
std::string replace_secrets(std::string_view text, Mask mask) {
  std::string out;
  std::size_t done = 0;
  for (const Span& span : secrets_in(text)) {
    out += text.substr(done, span.begin - done);
    out += mask(span.end - span.begin);
    done = span.end;
  }
  return out += text.substr(done);
}

}  // namespace

bool has_password(std::string_view text) { return !secrets_in(text).empty(); }

std::string hide_passwords(std::string_view text) {
  return replace_secrets(text, [](std::size_t) { return std::string("****"); });
}

std::string star_passwords(std::string_view text) {
  return replace_secrets(text, [](std::size_t size) { return std::string(size, '*'); });
}

}  // namespace cloche
