#include "definition/dockerfile/shell_pattern.h"

#include <algorithm>
#include <span>
#include <utility>

namespace cloche::definition {
namespace {

// Positions in a value that the tokens so far can reach, ascending. Without a star there is at most
// one for each start, so a search for a fixed word stays cheap.
using Positions = std::vector<std::size_t>;

Positions range(std::size_t first, std::size_t last) {
  Positions out;
  out.reserve(last - first + 1);
  for (std::size_t i = first; i <= last; ++i) {
    out.push_back(i);
  }
  return out;
}

bool inside_character(std::string_view value, std::size_t position) {
  return position < value.size() && (static_cast<unsigned char>(value[position]) & 0xc0U) == 0x80U;
}

std::size_t next_character(std::string_view value, std::size_t position) {
  do {
    ++position;
  } while (inside_character(value, position));
  return position;
}

std::size_t previous_character(std::string_view value, std::size_t position) {
  do {
    --position;
  } while (position > 0 && inside_character(value, position));
  return position;
}

void sort_unique(Positions& positions) {
  positions.erase(std::ranges::unique(positions).begin(), positions.end());
}

}  // namespace

Result<ShellPattern> ShellPattern::parse(std::string_view text) {
  constexpr std::string_view kEscapable = "*?\\";
  constexpr std::string_view kEscapedForTheWord = "}/";  // the backslash is no part of the pattern
  ShellPattern pattern;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*') {
      pattern.tokens_.push_back(kStar);
    } else if (text[i] == '?') {
      pattern.tokens_.push_back(kAny);
    } else if (text[i] != '\\') {
      pattern.tokens_.push_back(static_cast<unsigned char>(text[i]));
    } else if (i + 1 < text.size() && kEscapable.contains(text[i + 1])) {
      pattern.tokens_.push_back(static_cast<unsigned char>(text[++i]));
    } else if (i + 1 == text.size() || !kEscapedForTheWord.contains(text[i + 1])) {
      return fail(ErrorKind::kInvalid,
                  "a backslash in a pattern stands before * ? \\ }} or / only");
    }
  }
  return pattern;
}

// Where the match that begins at `begin` ends; npos when there is none.
std::size_t ShellPattern::match_at(std::string_view value, std::size_t begin, Extent extent) const {
  Positions now = {begin};
  for (const int token : tokens_) {
    Positions next;
    if (token == kStar) {
      next = range(now.front(), value.size());
    } else {
      for (const std::size_t position : now) {
        if (position == value.size()) {
          continue;
        }
        if (token == kAny) {
          next.push_back(next_character(value, position));
        } else if (static_cast<unsigned char>(value[position]) == token) {
          next.push_back(position + 1);
        }
      }
      sort_unique(next);
    }
    if (next.empty()) {
      return std::string_view::npos;
    }
    now = std::move(next);
  }
  return extent == Extent::kShortest ? now.front() : now.back();
}

namespace {

// The places where a match that ends at one of `ends` can begin, ascending.
Positions begins_of(std::span<const int> tokens, int any, int star, std::string_view value,
                    Positions ends) {
  for (std::size_t i = tokens.size(); i-- > 0 && !ends.empty();) {
    if (tokens[i] == star) {
      ends = range(0, ends.back());
      continue;
    }
    Positions before;
    for (const std::size_t position : ends) {
      if (position == 0) {
        continue;
      }
      if (tokens[i] == any) {
        before.push_back(previous_character(value, position));
      } else if (static_cast<unsigned char>(value[position - 1]) == tokens[i]) {
        before.push_back(position - 1);
      }
    }
    sort_unique(before);
    ends = std::move(before);
  }
  return ends;
}

}  // namespace

std::string_view ShellPattern::without_prefix(std::string_view value, Extent extent) const {
  const std::size_t end = match_at(value, 0, extent);
  return end == std::string_view::npos ? value : value.substr(end);
}

std::string_view ShellPattern::without_suffix(std::string_view value, Extent extent) const {
  const Positions begins = begins_of(tokens_, kAny, kStar, value, {value.size()});
  if (begins.empty()) {
    return value;
  }
  return value.substr(0, extent == Extent::kShortest ? begins.back() : begins.front());
}

// After the longest match of a pattern with a star no other one follows, since the match reached to
// the last place where the pattern's end stands; so the work stays within pattern x value.
std::string ShellPattern::replace(std::string_view value, std::string_view replacement,
                                  bool all) const {
  std::string out;
  std::size_t done = 0;
  bool replaced = false;
  for (const std::size_t begin : begins_of(tokens_, kAny, kStar, value, range(0, value.size()))) {
    if (begin < done || inside_character(value, begin)) {
      continue;
    }
    const std::size_t end = match_at(value, begin, Extent::kLongest);
    const bool empty_after_a_match = replaced && end == begin && begin == done;
    if (end == std::string_view::npos || empty_after_a_match) {
      continue;
    }
    out.append(value.substr(done, begin - done)).append(replacement);
    done = end;
    replaced = true;
    if (!all) {
      break;
    }
  }
  return out.append(value.substr(done));
}

}  // namespace cloche::definition
