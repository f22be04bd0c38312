#include "definition/dockerfile/words.h"

#include <algorithm>
#include <charconv>

#include "core/json.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

bool is_quote(char c) { return c == '"' || c == '\''; }

// Walks a text and knows at each byte whether it is inside quotes. Single quotes hold everything
// but a single quote; elsewhere the escape character takes the meaning from the byte after it.
class QuoteScanner {
 public:
  QuoteScanner(std::string_view text, char escape) : text_(text), escape_(escape) {}

  // Whether the byte at `position` is outside quotes and not escaped; moves behind what it read.
  bool plain(std::size_t& position) {
    const char c = text_[position++];
    if (quote_ != 0) {
      if (c == quote_) {
        quote_ = 0;
      } else if (c == escape_ && quote_ == '"' && position < text_.size()) {
        ++position;
      }
      return false;
    }
    if (c == escape_) {
      position += position < text_.size() ? 1 : 0;
      return false;
    }
    if (is_quote(c)) {
      quote_ = c;
      opened_ = position - 1;
      return false;
    }
    return true;
  }

  std::optional<std::size_t> open_quote() const {
    return quote_ != 0 ? std::optional(opened_) : std::nullopt;
  }

 private:
  std::string_view text_;
  char escape_;
  char quote_ = 0;
  std::size_t opened_ = 0;
};

std::size_t skip_blanks(std::string_view text, std::size_t position) {
  while (position < text.size() && is_blank(text[position])) {
    ++position;
  }
  return position;
}

// The name of a heredoc without its quotes and escapes.
std::string without_quotes(std::string_view word) {
  std::string out;
  char quote = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (quote != 0 ? c == quote : is_quote(c)) {
      quote = quote != 0 ? '\0' : c;
    } else if (c == '\\' && quote != '\'' && i + 1 < word.size()) {
      out += word[++i];
    } else {
      out += c;
    }
  }
  return out;
}

// BuildKit: ^(\d*)<<(-?)([^<]*)$ over the whole word.
std::optional<HeredocOpener> parse_opener(const Word& word) {
  HeredocOpener opener;
  opener.offset = word.offset;
  const std::string_view text = word.text;
  const std::size_t arrows = std::min(text.find_first_not_of("0123456789"), text.size());
  if (!text.substr(arrows).starts_with("<<")) {
    return std::nullopt;
  }
  const std::string_view digits = text.substr(0, arrows);
  std::from_chars(digits.begin(), digits.end(), opener.fd);
  std::string_view name = text.substr(arrows + 2);
  if (name.starts_with('-')) {
    opener.strip_tabs = true;
    name.remove_prefix(1);
  }
  if (name.empty() || name.contains('<')) {
    return std::nullopt;
  }
  opener.name = without_quotes(name);
  opener.expand = std::ranges::none_of(name, is_quote);
  return opener.name.empty() ? std::nullopt : std::optional(std::move(opener));
}

}  // namespace

std::vector<Word> split_blanks(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t begin = skip_blanks(text, 0); begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && !is_blank(text[end])) {
      ++end;
    }
    words.push_back({.text = text.substr(begin, end - begin), .offset = begin});
    begin = skip_blanks(text, end);
  }
  return words;
}

std::vector<Word> split_quoted(std::string_view text, char escape) {
  std::vector<Word> words;
  for (std::size_t begin = skip_blanks(text, 0); begin < text.size();) {
    QuoteScanner scanner(text, escape);
    std::size_t end = begin;
    bool lone_escape = false;
    for (std::size_t position = begin; position < text.size(); end = position) {
      lone_escape = text[position] == escape && position + 1 == text.size();
      if (scanner.plain(position) && is_blank(text[position - 1])) {
        break;
      }
    }
    const std::size_t size = end - begin - (lone_escape ? 1 : 0);
    if (size > 0) {
      words.push_back({.text = text.substr(begin, size), .offset = begin});
    }
    begin = skip_blanks(text, end);
  }
  return words;
}

std::optional<std::size_t> find_open_quote(std::string_view text, char escape) {
  QuoteScanner scanner(text, escape);
  for (std::size_t position = 0; position < text.size();) {
    scanner.plain(position);
  }
  return scanner.open_quote();
}

RawFlags split_flags(std::string_view text) {
  RawFlags out;
  out.rest = skip_blanks(text, 0);
  while (text.substr(out.rest).starts_with("--")) {
    RawFlag flag{.text = {}, .offset = out.rest};
    char quote = 0;
    std::size_t opened = 0;
    std::size_t position = out.rest;
    for (; position < text.size() && (quote != 0 || !is_blank(text[position])); ++position) {
      const char c = text[position];
      if (quote != 0 ? c == quote : is_quote(c)) {
        quote = quote != 0 ? '\0' : c;
        opened = position;
      } else if (c != '\\') {
        flag.text += c;
      } else if (position + 1 < text.size()) {
        flag.text += text[++position];
      }
    }
    if (quote != 0) {
      out.open_quote = opened;
      return out;
    }
    out.rest = skip_blanks(text, position);
    if (flag.text == "--") {
      return out;
    }
    out.flags.push_back(std::move(flag));
  }
  return out;
}

ArrayForm parse_string_array(std::string_view text, std::vector<std::string>& out) {
  text = trim(text);
  if (!text.starts_with('[') || !text.ends_with(']')) {
    return ArrayForm::kNone;
  }
  auto json = parse_json(text);
  if (!json.has_value() || !json->is_array()) {
    return ArrayForm::kNone;
  }
  if (!std::ranges::all_of(json->items(), &Json::is_string)) {
    return ArrayForm::kNotStrings;
  }
  for (const Json& item : json->items()) {
    out.push_back(item.as_string());
  }
  return ArrayForm::kStrings;
}

// A shell's test, [ "$a" = b ], has blanks inside its brackets and no comma.
bool looks_like_array(std::string_view text) {
  text = trim(text);
  if (!text.starts_with('[') || !text.ends_with(']')) {
    return false;
  }
  const std::string_view inside = trim(text.substr(1, text.size() - 2));
  constexpr std::string_view kCurlyQuote = "\xe2\x80";  // the first bytes of U+2018 to U+201F
  const bool quoted =
      !inside.empty() && (is_quote(inside.front()) || inside.starts_with(kCurlyQuote));
  return quoted && (inside.contains(',') || !is_blank(text[1]));
}

std::vector<HeredocOpener> find_heredocs(std::string_view text) {
  std::vector<HeredocOpener> openers;
  if (!text.contains("<<") || find_open_quote(text, '\\')) {
    return openers;
  }
  for (const Word& word : split_quoted(text, '\\')) {
    if (auto opener = parse_opener(word)) {
      openers.push_back(std::move(*opener));
    }
  }
  return openers;
}

}  // namespace cloche::definition
