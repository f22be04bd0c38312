// conda's subdirs: the platforms that packages are built for (CEP 26, "Subdir names"; conda:
// conda/base/constants.py, KNOWN_SUBDIRS).
#pragma once

#include <span>
#include <string_view>

namespace cloche::conda {

// "linux-64", "noarch", ..., in the order in which a message should offer them.
std::span<const std::string_view> known_subdirs();

bool is_known_subdir(std::string_view text);

}  // namespace cloche::conda
