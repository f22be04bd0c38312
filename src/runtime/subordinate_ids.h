// Numbers of users that a user may give to others in a namespace: /etc/subuid and /etc/subgid
// (subuid(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cloche::runtime {

struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// The first range of any of the owners (a name, or a number in digits) in the text of such a file:
// lines "owner:first:count". Lines that are no entries are passed over, as by newuidmap.
std::optional<IdRange> subordinate_range(std::string_view text,
                                         std::span<const std::string> owners);

// The name of a user's number in the text of /etc/passwd; "" where it has none.
std::string user_name(std::string_view passwd, std::uint32_t uid);

}  // namespace cloche::runtime
