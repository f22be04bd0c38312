#include "package/conda/channel_priority.h"

#include <algorithm>
#include <array>

namespace cloche::conda {

namespace {

struct Word {
  ChannelPriority priority;
  std::string_view text;
};

constexpr std::array<Word, 3> kWords = {{{ChannelPriority::kStrict, "strict"},
                                         {ChannelPriority::kFlexible, "flexible"},
                                         {ChannelPriority::kDisabled, "disabled"}}};

}  // namespace

std::string_view to_string(ChannelPriority priority) {
  return std::ranges::find(kWords, priority, &Word::priority)->text;
}

std::optional<ChannelPriority> channel_priority_of(std::string_view text) {
  const auto* const found = std::ranges::find(kWords, text, &Word::text);
  return found == kWords.end() ? std::nullopt : std::optional(found->priority);
}

}  // namespace cloche::conda
