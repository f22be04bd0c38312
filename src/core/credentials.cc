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

// Finds the secrets of all URLs of a text in linear time: what is looked for far ahead (a URL's
// end, an '@') is looked for once and kept.
class Finder {
 public:
  explicit Finder(std::string_view text) : text_(text) {}

  std::vector<Span> find() {
    std::vector<Span> out;
    for (std::size_t mark = text_.find("://"); mark != std::string_view::npos;
         mark = text_.find("://", mark)) {
      std::size_t scheme = mark;
      while (scheme > 0 && is_scheme_char(text_[scheme - 1])) {
        --scheme;
      }
      const Span span = secret(text_.substr(scheme, mark - scheme), mark + 3);
      if (span.end > span.begin) {
        out.push_back(span);
      }
      mark = std::max(mark + 3, span.end);
    }
    return out;
  }

 private:
  // The secret of the URL whose authority begins at `begin`; empty when there is none.
  Span secret(std::string_view scheme, std::size_t begin) {
    const std::size_t end = url_end(begin);
    const std::string_view url = text_.substr(begin, end - begin);
    const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
    const std::size_t colon = authority.find(':');
    std::size_t at = authority.rfind('@');
    if (at == std::string_view::npos) {
      // An unescaped '/', '?' or '#' in a password cuts the authority short: "user:p/w@host". What
      // stands behind the colon is then no port.
      const std::string_view tail =
          colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1);
      const bool port = tail.find_first_not_of("0123456789") == std::string_view::npos;
      if (authority.starts_with('[') || port || next_at(begin) >= end) {
        return {};
      }
      at = next_at(begin) - begin;
    }
    const bool has_user = colon != std::string_view::npos && colon < at;
    const Span span = {begin + (has_user ? colon + 1 : 0), begin + at};
    const std::string_view secret = text_.substr(span.begin, span.end - span.begin);
    const bool name_only = !has_user && (secret == "git" || is_login_scheme(scheme));
    return name_only || is_all_variables(secret) ? Span() : span;
  }

  std::size_t url_end(std::size_t from) {
    if (url_end_ < from) {
      const auto* const stop = std::find_if(text_.begin() + from, text_.end(), ends_url);
      url_end_ = static_cast<std::size_t>(stop - text_.begin());
    }
    return url_end_;
  }

  std::size_t next_at(std::size_t from) {
    if (next_at_ < from) {
      next_at_ = std::min(text_.find('@', from), text_.size());
    }
    return next_at_;
  }

  std::string_view text_;
  std::size_t url_end_ = 0;
  std::size_t next_at_ = 0;
};

std::vector<Span> secrets_in(std::string_view text) { return Finder(text).find(); }

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

std::string shown_url(std::string_view url) {
  std::string out;
  if (const std::size_t mark = url.find("://"); mark != std::string_view::npos) {
    out = url.substr(0, mark + 3);
    url.remove_prefix(mark + 3);
    const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
    std::size_t at = authority.rfind('@');
    if (at == std::string_view::npos && has_password(out + std::string(url))) {
      at = url.rfind('@');  // an unescaped '/' in the password
    }
    url.remove_prefix(at == std::string_view::npos ? 0 : at + 1);
  }
  url = url.substr(0, url.find('#'));
  const std::size_t query = url.find('?');
  std::string_view path = url.substr(0, query);
  while (true) {
    const std::size_t token = path.find("/t/");
    if (token == std::string_view::npos) {
      break;
    }
    out += path.substr(0, token + 3);
    path.remove_prefix(token + 3);
    out += path.empty() ? "" : "****";
    path.remove_prefix(std::min(path.size(), path.find('/')));
  }
  out += path;
  return printable(query == std::string_view::npos ? out : out + "?****");
}

}  // namespace cloche
