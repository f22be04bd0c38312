// How an instruction's text falls into words, flags, JSON arrays and heredoc openers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloche::definition {

// A word as written, quotes and escapes kept. Points into the text it was found in.
struct Word {
  std::string_view text;
  std::size_t offset = 0;
};

// At blanks, quotes without meaning: EXPOSE, FROM, COPY.
std::vector<Word> split_blanks(std::string_view text);

// At blanks outside quotes: ENV, LABEL, ARG. A final lone escape character is dropped.
std::vector<Word> split_quoted(std::string_view text, char escape);

// Where a quote opens that nothing closes.
std::optional<std::size_t> find_open_quote(std::string_view text, char escape);

// Flags at the front of an instruction's text. Quotes and backslashes are taken away.
struct RawFlag {
  std::string text;  // "--from=builder"
  std::size_t offset = 0;
};
struct RawFlags {
  std::vector<RawFlag> flags;
  std::size_t rest = 0;                   // where the flags end
  std::optional<std::size_t> open_quote;  // a quote in a flag that nothing closes
};
RawFlags split_flags(std::string_view text);

// A JSON array of strings: exec form.
enum class ArrayForm {
  kStrings,     // it is one
  kNotStrings,  // a JSON array that holds something else
  kNone         // no JSON array
};
ArrayForm parse_string_array(std::string_view text, std::vector<std::string>& out);

// Whether a text that is no JSON array was probably meant to be one: ['a', 'b'].
bool looks_like_array(std::string_view text);

// "<<EOF", "3<<-'EOF'": a word that opens a heredoc.
struct HeredocOpener {
  std::string name;
  bool expand = true;
  bool strip_tabs = false;
  int fd = 0;
  std::size_t offset = 0;
};
std::vector<HeredocOpener> find_heredocs(std::string_view text);

}  // namespace cloche::definition
