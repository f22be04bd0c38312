// ARG and ENV in words, by the rules of BuildKit's shell lexer (frontend/dockerfile/shell) and the
// "Environment replacement" section of the Dockerfile reference.
#include <algorithm>
#include <set>
#include <utility>

#include "core/ascii.h"
#include "core/text.h"
#include "definition/dockerfile.h"
#include "definition/dockerfile/shell_pattern.h"

namespace cloche::definition {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxResultBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxPatternWork = std::size_t{1} << 20U;  // pattern x value, for one word

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

class Expansion {
 public:
  Expansion(std::string_view word, const Variables& variables, char escape)
      : word_(word), variables_(variables), escape_(escape) {}

  Result<std::string> run() { return read_until('\0', false); }

  const std::vector<std::string>& unset() const { return unset_; }

 private:
  // Everything up to `stop` (which is taken), or to the end for '\0'. `raw`: escape characters
  // stay, because a pattern gives them its own meaning.
  Result<std::string> read_until(char stop, bool raw) {
    std::string out;
    while (position_ < word_.size()) {
      const char c = word_[position_];
      if (stop != '\0' && c == stop) {
        ++position_;
        return out;
      }
      if (c == '\'') {
        TRY(read_single_quotes(out));
      } else if (c == '"') {
        TRY(read_double_quotes(out, raw));
      } else if (c == '$') {
        out += TRY(read_dollar());
      } else if (c == escape_) {
        read_escape(out, raw);
      } else {
        out += c;
        ++position_;
      }
      TRY(check_size(out));
    }
    if (stop != '\0') {
      return malformed(stop == '/' ? "the second / of a ${name/pattern/replacement} is missing"
                                   : "a ${ is never closed by }");
    }
    return out;
  }

  void read_escape(std::string& out, bool raw) {
    if (raw) {
      out += word_[position_];
    }
    if (++position_ < word_.size()) {
      out += word_[position_++];
    }
  }

  Status read_single_quotes(std::string& out) {
    const std::size_t end = word_.find('\'', position_ + 1);
    if (end == std::string_view::npos) {
      return malformed("a single quote is never closed");
    }
    out += word_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return {};
  }

  Status read_double_quotes(std::string& out, bool raw) {
    for (++position_; position_ < word_.size();) {
      const char c = word_[position_];
      if (c == '"') {
        ++position_;
        return {};
      }
      if (c == '$') {
        out += TRY(read_dollar());
        TRY(check_size(out));
        continue;
      }
      ++position_;
      const char next = position_ < word_.size() ? word_[position_] : '\0';
      const bool escapes = c == escape_ && (next == '"' || next == '$' || next == escape_);
      if (!escapes || raw) {
        out += c;
      }
      if (!escapes && raw && c == escape_) {
        out += c;  // a literal backslash, told to the pattern
      }
      if (escapes) {
        out += next;
        ++position_;
      }
    }
    return malformed("a double quote is never closed");
  }

  // $name, ${name}, ${name<modifier>...}; a '$' before anything else is itself.
  Result<std::string> read_dollar() {
    ++position_;
    if (!at('{')) {
      const std::string name = read_name();
      return name.empty() ? std::string("$") : value_or_empty(name);
    }
    ++position_;
    if (position_ == word_.size()) {
      return malformed("a ${ is never closed by }");
    }
    if (at('{') || at('}') || at(':')) {
      return malformed("no name stands after ${");
    }
    if (++depth_ > kMaxDepth) {
      return malformed("${ is nested deeper than 16");
    }
    std::string value = TRY(read_braces(read_name()));
    --depth_;
    return value;
  }

  // What stands behind the name, up to and with the closing brace.
  Result<std::string> read_braces(const std::string& name) {
    if (position_ == word_.size()) {
      return malformed("a ${ is never closed by }");
    }
    char modifier = word_[position_++];
    if (modifier == '}') {
      return value_or_empty(name);
    }
    const bool colon = modifier == ':';
    if (colon && position_ < word_.size()) {
      modifier = word_[position_++];
    }
    constexpr std::string_view kDefaults = "-+?";
    constexpr std::string_view kTrims = "#%";
    if (kDefaults.contains(modifier)) {
      return read_default(name, modifier, colon);
    }
    if (kTrims.contains(modifier)) {
      return read_trim(name, modifier);
    }
    if (modifier == '/' && !colon) {
      return read_replacement(name);
    }
    return malformed(std::string("unknown modifier ") + (colon ? ":" : "") +
                     printable({&modifier, 1}) + " in ${" + printable(name.substr(0, 40)));
  }

  Result<std::string> read_default(const std::string& name, char modifier, bool colon) {
    std::string word = TRY(read_until('}', false));
    const std::string* value = find(name);
    const bool missing = value == nullptr || (colon && value->empty());
    if (modifier == '+') {
      return missing ? std::string() : word;
    }
    if (!missing) {
      return *value;
    }
    if (modifier == '-') {
      return word;
    }
    return malformed(name + ": " + (word.empty() ? "is not set" : printable(word)));
  }

  Result<std::string> read_trim(const std::string& name, char modifier) {
    std::string text = TRY(read_until('}', true));
    const bool longest = text.starts_with(modifier);
    const auto extent = longest ? ShellPattern::Extent::kLongest : ShellPattern::Extent::kShortest;
    const ShellPattern pattern = TRY(ShellPattern::parse(std::string_view(text).substr(longest)));
    const std::string value = value_or_empty(name);
    TRY(spend(pattern, value));
    return std::string(modifier == '#' ? pattern.without_prefix(value, extent)
                                       : pattern.without_suffix(value, extent));
  }

  Result<std::string> read_replacement(const std::string& name) {
    const bool all = at('/');
    position_ += all ? 1 : 0;
    const std::string text = TRY(read_until('/', true));
    const ShellPattern pattern = TRY(ShellPattern::parse(text));
    const std::string replacement = TRY(read_until('}', true));
    const std::string value = value_or_empty(name);
    TRY(spend(pattern, value));
    // Before it is made: many matches times a long replacement.
    if (replacement.size() * (all ? value.size() + 1 : 1) > kMaxPatternWork) {
      return malformed("this replacement is too large");
    }
    return pattern.replace(value, replacement, all);
  }

  // Letters, digits and '_'; a number; or one of the shell's special parameters, which no build
  // sets.
  std::string read_name() {
    const std::size_t begin = position_;
    constexpr std::string_view kSpecial = "@*#?-$!";
    if (position_ < word_.size() && kSpecial.contains(word_[position_])) {
      ++position_;
    } else {
      const bool number = position_ < word_.size() && is_digit(word_[position_]);
      while (position_ < word_.size() &&
             (number ? is_digit(word_[position_]) : is_name_char(word_[position_]))) {
        ++position_;
      }
    }
    return std::string(word_.substr(begin, position_ - begin));
  }

  const std::string* find(const std::string& name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : &found->second;
  }

  std::string value_or_empty(const std::string& name) {
    if (const std::string* value = find(name)) {
      return *value;
    }
    if (unset_seen_.insert(name).second) {
      unset_.push_back(name);
    }
    return {};
  }

  bool at(char c) const { return position_ < word_.size() && word_[position_] == c; }

  Status spend(const ShellPattern& pattern, std::string_view value) {
    work_ += (pattern.size() + 1) * (value.size() + 1);
    return work_ > kMaxPatternWork ? Status(malformed("this pattern is too long for its value"))
                                   : Status();
  }

  Status check_size(const std::string& out) const {
    return out.size() > kMaxResultBytes ? Status(malformed("the result is over 64 KiB")) : Status();
  }

  Error malformed(std::string_view what) const {
    constexpr std::size_t kShown = 60;
    return fail(ErrorKind::kInvalid, "{}, in {}{}", what, printable(word_.substr(0, kShown)),
                word_.size() > kShown ? "..." : "");
  }

  std::string_view word_;
  const Variables& variables_;
  char escape_;
  std::size_t position_ = 0;
  int depth_ = 0;
  std::size_t work_ = 0;
  std::set<std::string> unset_seen_;
  std::vector<std::string> unset_;
};

}  // namespace

Result<std::string> expand_word(std::string_view word, const Variables& variables, char escape,
                                std::vector<std::string>* unset) {
  Expansion expansion(word, variables, escape);
  Result<std::string> out = expansion.run();
  if (unset != nullptr) {
    *unset = expansion.unset();
  }
  return out;
}

}  // namespace cloche::definition
