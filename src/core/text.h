// Small operations on text that several parsers need.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cloche {

// ASCII blanks: space, tab, CR, LF, VT, FF.
bool is_blank(char c);

std::string_view trim(std::string_view text);
std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);

std::string to_lower(std::string_view text);  // ASCII only
std::string to_upper(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);

// Lines without their ends ("\n", "\r\n" or a lone "\r" before the end of text); a final newline
// makes no extra empty line. The views point into `text`.
std::vector<std::string_view> split_lines(std::string_view text);

// Blanks at both ends gone, runs of blanks within made one space.
std::string collapse_blanks(std::string_view text);

std::string join(std::span<const std::string> parts, std::string_view separator);

bool is_valid_utf8(std::string_view text);

// For a terminal or a log: control characters (C0 but the tab, C1), bytes that are no UTF-8, and
// the invisible characters that reorder or hide text (bidirectional controls, zero-width blanks,
// tags) become visible and harmless: "\x1b", "\u{202e}".
std::string printable(std::string_view text);

// The same for a text of several lines: line feeds stay.
std::string printable_lines(std::string_view text);

// The same with one '?' for each such character and a blank for a tab: the columns stay.
std::string masked(std::string_view text);

// How many columns a terminal gives the text, about: two for East Asian wide characters, none for
// combining ones. For text that is printable.
std::size_t display_width(std::string_view text);

// The candidate that `word` most likely is a typo of, or "" when none is near: at most a third of
// the letters differ (Damerau-Levenshtein, case ignored). Ties go to the first.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace cloche
