#include "core/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>

namespace cloche {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  return text;
}

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::string_view trim(std::string_view text) { return trim_left(trim_right(text)); }

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) {
      return parts;
    }
    begin = end + 1;
  }
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines.push_back(line);
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string collapse_blanks(std::string_view text) {
  std::string out;
  for (const char c : trim(text)) {
    if (!is_blank(c)) {
      out += c;
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

bool is_valid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const int extra = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || i + static_cast<std::size_t>(extra) >= text.size()) {
      return false;
    }
    std::uint32_t code = lead & (0x3fU >> static_cast<unsigned>(extra));
    for (int k = 1; k <= extra; ++k) {
      const auto next = static_cast<std::uint8_t>(text[i + static_cast<std::size_t>(k)]);
      if ((next & 0xc0U) != 0x80) {
        return false;
      }
      code = (code << 6U) | (next & 0x3fU);
    }
    const bool overlong = (extra == 2 && code < 0x800) || (extra == 3 && code < 0x10000);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (overlong || surrogate || code > 0x10ffff) {
      return false;
    }
    i += static_cast<std::size_t>(extra) + 1;
  }
  return true;
}

namespace {

// The length of the UTF-8 sequence at the start of `text`, or 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return length <= text.size() && is_valid_utf8(text.substr(0, length)) ? length : 0;
}

std::uint32_t code_point(std::string_view sequence) {
  if (sequence.size() == 1) {
    return static_cast<std::uint8_t>(sequence.front());
  }
  std::uint32_t code = static_cast<std::uint8_t>(sequence.front()) & (0x7fU >> sequence.size());
  for (const char c : sequence.substr(1)) {
    code = (code << 6U) | (static_cast<std::uint8_t>(c) & 0x3fU);
  }
  return code;
}

// Trojan Source (CVE-2021-42574) names the bidirectional controls; U+009B starts an escape sequence
// on terminals as ESC [ does. The joiners U+200C and U+200D stay: Persian and emoji need them.
bool is_harmful(std::uint32_t code) {
  struct Range {
    std::uint32_t first, last;
  };
  static constexpr std::array<Range, 10> kRanges = {{{0x00, 0x08},
                                                     {0x0a, 0x1f},
                                                     {0x7f, 0x9f},
                                                     {0x200b, 0x200b},
                                                     {0x200e, 0x200f},
                                                     {0x2028, 0x202e},
                                                     {0x2060, 0x206f},
                                                     {0xfeff, 0xfeff},
                                                     {0xfff9, 0xfffb},
                                                     {0xe0000, 0xe007f}}};
  return std::ranges::any_of(
      kRanges, [&](const Range& range) { return code >= range.first && code <= range.last; });
}

// Calls visit(sequence, code) for each character; code is kNoCode for a byte that is no UTF-8.
constexpr std::uint32_t kNoCode = 0xffffffff;
template <class Visit>
void for_each_character(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    visit(sequence, length == 0 ? kNoCode : code_point(sequence));
    text.remove_prefix(sequence.size());
  }
}

std::string make_printable(std::string_view text, bool keep_line_feeds) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](std::string_view sequence, std::uint32_t code) {
    if (code == kNoCode) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(sequence.front()));
    } else if (!is_harmful(code) || (code == '\n' && keep_line_feeds)) {
      out += sequence;
    } else if (code < 0x80) {
      out += fmt::format("\\x{:02x}", code);
    } else {
      out += fmt::format("\\u{{{:x}}}", code);
    }
  });
  return out;
}

// The East Asian Wide blocks (Unicode, EastAsianWidth.txt) and emoji, coarsely; combining marks.
std::size_t columns(std::uint32_t code) {
  const auto within = [code](std::uint32_t first, std::uint32_t last) {
    return code >= first && code <= last;
  };
  if (within(0x300, 0x36f) || within(0x200c, 0x200d) || within(0xfe00, 0xfe0f)) {
    return 0;
  }
  const bool wide = within(0x1100, 0x115f) || within(0x2e80, 0xa4cf) || within(0xac00, 0xd7a3) ||
                    within(0xf900, 0xfaff) || within(0xfe30, 0xfe6f) || within(0xff00, 0xff60) ||
                    within(0xffe0, 0xffe6) || within(0x1f300, 0x1f64f) ||
                    within(0x1f900, 0x1f9ff) || within(0x20000, 0x3fffd);
  return wide ? 2 : 1;
}

}  // namespace

std::string printable(std::string_view text) { return make_printable(text, false); }

std::string printable_lines(std::string_view text) { return make_printable(text, true); }

std::string masked(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](std::string_view sequence, std::uint32_t code) {
    if (code == '\t') {
      out += ' ';
    } else if (code == kNoCode || is_harmful(code)) {
      out += '?';
    } else {
      out += sequence;
    }
  });
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for_each_character(text, [&](std::string_view, std::uint32_t code) { width += columns(code); });
  return width;
}

namespace {

// Optimal string alignment distance: insert, delete, replace, swap neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    previous[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongest = 80;  // longer is no typo, and the distance is quadratic
  if (word.size() > kLongest) {
    return {};
  }
  const std::string lower = to_lower(word);
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongest) {
      continue;
    }
    const std::size_t distance = edit_distance(lower, to_lower(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace cloche
