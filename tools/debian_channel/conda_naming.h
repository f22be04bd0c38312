// Debian's versions as conda writes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloche::debian_channel {

// "1.13.1" for "1:1.13.1+dfsg-4": without epoch and revision, without what says that Debian left
// something out (+dfsg, +ds, +repack, ~dfsg); what else stands behind '~' or '+' follows a dot or,
// if it begins with a letter, nothing, which conda too sorts before or after as it should.
std::string conda_version(std::string_view debian_version);

// "deb4" for "1:1.13.1+dfsg-4", "deb4_b1" for "-4+b1": the revision as a part of a build string.
std::string build_word(std::string_view debian_version);

// The first number of the revision.
std::int64_t build_number(std::string_view debian_version);

// A Debian package's name in conda's characters: '+' becomes 'x'.
std::string conda_name(std::string_view debian_name);

}  // namespace cloche::debian_channel
