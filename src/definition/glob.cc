// A pattern becomes a row of tokens, matched as a nondeterministic automaton whose state i is
// "tokens before i are matched". A set of states walks over the path, so no pattern backtracks.
//
// What "**" means is moby's patternmatcher: in the middle it is the regular expression (.*/)?, at
// the end .* ; "**x", at the start and with no other wildcard in the pattern, is any path that ends
// in x.
#include "definition/glob.h"

#include <algorithm>

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxPatternBytes = 4096;  // PATH_MAX
constexpr char32_t kInvalidByte = 0x110000;     // plus the byte: matches only itself

// One character of UTF-8, or one byte where that is none.
char32_t next_character(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(position);
  const std::size_t extra = lead < 0xc2   ? 0
                            : lead < 0xe0 ? 1
                            : lead < 0xf0 ? 2
                            : lead < 0xf5 ? 3
                                          : 0;
  char32_t code = extra == 0 ? lead : lead & (0x3fU >> extra);
  bool valid = lead < 0x80 || (extra > 0 && position + extra < text.size());
  for (std::size_t k = 1; valid && k <= extra; ++k) {
    valid = (byte(position + k) & 0xc0U) == 0x80U;
    code = (code << 6U) | (byte(position + k) & 0x3fU);
  }
  position += valid ? extra + 1 : 1;
  return valid ? code : kInvalidByte + lead;
}

Error bad_pattern(std::string_view pattern, std::string_view what) {
  return fail(ErrorKind::kInvalid, "{} in the pattern {}", what, pattern);
}

// A character of a class: filepath.Match wants '-' and ']' escaped.
Result<char32_t> class_character(std::string_view pattern, std::size_t& position) {
  if (position < pattern.size() && (pattern[position] == '-' || pattern[position] == ']')) {
    return bad_pattern(pattern, "an unescaped - or ]");
  }
  position += position < pattern.size() && pattern[position] == '\\' ? 1 : 0;
  if (position >= pattern.size()) {
    return bad_pattern(pattern, "a [ without ]");
  }
  return next_character(pattern, position);
}

}  // namespace

// The states that are alive while a path is read.
class Glob::Run {
 public:
  explicit Run(const Glob& glob) : glob_(glob), seen_(glob.tokens_.size() + 1, 0) { enter(0); }

  void read(char32_t c) {
    std::swap(now_, before_);
    now_.clear();
    ++round_;
    for (const std::size_t state : before_) {
      if (state < glob_.tokens_.size()) {
        step(state, c);
      }
    }
  }

  bool accepts() const { return seen_.back() == round_; }
  bool alive() const { return !now_.empty(); }

 private:
  void step(std::size_t state, char32_t c) {
    const Token& token = glob_.tokens_[state];
    switch (token.kind) {
      case Kind::kChar:
        enter_if(c == token.character, state + 1);
        break;
      case Kind::kAny:
        enter_if(c != U'/', state + 1);
        break;
      case Kind::kStar:
        enter_if(c != U'/', state);
        break;
      case Kind::kClass:
        enter_if(in_class(glob_.classes_[token.of_class], c), state + 1);
        break;
      case Kind::kDirectories:
        break;  // left at once, by enter()
      case Kind::kInside:
        add(state);
        enter_if(c == U'/', state + 1);
        break;
      case Kind::kRest:
        enter(state);
        break;
    }
  }

  static bool in_class(const Class& one, char32_t c) {
    const bool found = std::ranges::any_of(
        one.ranges, [c](const auto& range) { return range.first <= c && c <= range.second; });
    return found != one.negated;
  }

  void enter_if(bool condition, std::size_t state) {
    if (condition) {
      enter(state);
    }
  }

  // A state and those that need no character.
  void enter(std::size_t state) {
    while (add(state) && state < glob_.tokens_.size()) {
      const Kind kind = glob_.tokens_[state].kind;
      if (kind == Kind::kDirectories) {
        add(state + 1);
        state += 2;
      } else if (kind == Kind::kStar || kind == Kind::kRest) {
        ++state;
      } else {
        return;
      }
    }
  }

  bool add(std::size_t state) {
    if (seen_[state] == round_) {
      return false;
    }
    seen_[state] = round_;
    now_.push_back(state);
    return true;
  }

  const Glob& glob_;
  std::vector<std::uint32_t> seen_;  // by state: the round in which it was last entered
  std::uint32_t round_ = 1;
  std::vector<std::size_t> now_;
  std::vector<std::size_t> before_;
};

Result<Glob> Glob::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return fail(ErrorKind::kInvalid, "a pattern of over {} bytes", kMaxPatternBytes);
  }
  Glob glob;
  for (std::size_t position = 0; position < pattern.size();) {
    const char c = pattern[position];
    if (c == '*') {
      TRY(glob.add_star(pattern, position));
    } else if (c == '?') {
      glob.literal_ = false;
      glob.tokens_.push_back({.kind = Kind::kAny});
      ++position;
    } else if (c == '[') {
      TRY(glob.add_class(pattern, position));
    } else if (c == '\\' && position + 1 == pattern.size()) {
      return bad_pattern(pattern, "a final backslash");
    } else {
      position += c == '\\' ? 1 : 0;
      glob.add_literal(pattern, position);
    }
  }
  return glob;
}

void Glob::add_literal(std::string_view pattern, std::size_t& position) {
  const std::size_t begin = position;
  tokens_.push_back({.kind = Kind::kChar, .character = next_character(pattern, position)});
  if (literal_) {
    prefix_ += pattern.substr(begin, position - begin);
  }
}

Status Glob::add_star(std::string_view pattern, std::size_t& position) {
  const bool first = position == 0;
  literal_ = false;
  if (!pattern.substr(position).starts_with("**")) {
    tokens_.push_back({.kind = Kind::kStar});
    ++position;
    return {};
  }
  position += 2;
  const bool slash = position < pattern.size() && pattern[position] == '/';
  position += slash ? 1 : 0;
  const bool wild = pattern.find_first_of("*?[]\\", position) != std::string_view::npos;
  if (position == pattern.size() || (first && !slash && !wild)) {
    tokens_.push_back({.kind = Kind::kRest});
  } else {
    tokens_.push_back({.kind = Kind::kDirectories});
    tokens_.push_back({.kind = Kind::kInside});
  }
  return {};
}

Status Glob::add_class(std::string_view pattern, std::size_t& position) {
  literal_ = false;
  Class one;
  ++position;
  if (position < pattern.size() && pattern[position] == '^') {
    one.negated = true;
    ++position;
  }
  while (one.ranges.empty() || position >= pattern.size() || pattern[position] != ']') {
    const char32_t low = TRY(class_character(pattern, position));
    char32_t high = low;
    if (position < pattern.size() && pattern[position] == '-') {
      high = TRY(class_character(pattern, ++position));
    }
    one.ranges.emplace_back(low, high);
  }
  ++position;
  tokens_.push_back({.kind = Kind::kClass, .of_class = classes_.size()});
  classes_.push_back(std::move(one));
  return {};
}

bool Glob::matches(std::string_view path) const {
  if (literal_ || !path.starts_with(prefix_)) {
    return literal_ && path == prefix_;
  }
  Run run(*this);
  for (std::size_t position = 0; position < path.size() && run.alive();) {
    run.read(next_character(path, position));
  }
  return run.accepts();
}

bool Glob::matches_path_or_parent(std::string_view path) const {
  if (!path.starts_with(prefix_)) {
    return false;
  }
  if (literal_) {
    return path.size() == prefix_.size() || path[prefix_.size()] == '/';
  }
  Run run(*this);
  for (std::size_t position = 0; position < path.size() && run.alive();) {
    if (path[position] == '/' && position > 0 && run.accepts()) {
      return true;
    }
    run.read(next_character(path, position));
  }
  return run.accepts();
}

bool Glob::reaches_below(std::string_view directory) const {
  if (matches_path_or_parent(directory)) {
    return true;
  }
  const std::string below = std::string(directory) + '/';
  if (literal_) {
    return prefix_.starts_with(below);
  }
  Run run(*this);
  for (std::size_t position = 0; position < below.size() && run.alive();) {
    run.read(next_character(below, position));
  }
  return run.alive();
}

}  // namespace cloche::definition
