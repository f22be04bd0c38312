#include "lock/words.h"

#include <algorithm>
#include <array>

namespace cloche::lock {
namespace {

struct NoarchWord {
  conda::Noarch noarch;
  std::string_view text;
};
constexpr std::array<NoarchWord, 3> kNoarchWords = {{{conda::Noarch::kNone, ""},
                                                     {conda::Noarch::kGeneric, "generic"},
                                                     {conda::Noarch::kPython, "python"}}};

}  // namespace

std::string_view noarch_word(conda::Noarch noarch) {
  return std::ranges::find(kNoarchWords, noarch, &NoarchWord::noarch)->text;
}

std::optional<conda::Noarch> noarch_of(std::string_view word) {
  const auto* found = std::ranges::find(kNoarchWords, word, &NoarchWord::text);
  return found == kNoarchWords.end() ? std::nullopt : std::optional(found->noarch);
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_file_name_part(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '/' && c != '\\';
  });
}

}  // namespace cloche::lock
