// conda's channel_priority (conda: base/constants.py, ChannelPriority).
#pragma once

#include <optional>
#include <string_view>

namespace cloche::conda {

enum class ChannelPriority {
  kStrict,    // the first channel that has a name is the only one for it
  kFlexible,  // an earlier channel before a newer version
  kDisabled,  // the channel decides only between equals
};

std::string_view to_string(ChannelPriority priority);  // "strict", "flexible", "disabled"
std::optional<ChannelPriority> channel_priority_of(std::string_view text);

}  // namespace cloche::conda
