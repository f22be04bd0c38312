// Sizes as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche {

// "20GB", "1.5 TiB", "500M", "4096": K, M, G, T are powers of 1000 with or without B, and of 1024
// with "iB", as disks and `ls` have them. Upper or lower case. kInvalid.
Result<std::uint64_t> parse_size(std::string_view text);

// "0 B", "999 B", "1.5 kB", "12.3 GB": three digits at least, powers of 1000.
std::string shown_size(std::uint64_t bytes);

}  // namespace cloche
