// The first line is who is asked for, then up to a line "--" /etc/passwd, then /etc/group: files of
// an image. Whoever is found is a number that the kernel takes for a user.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "runtime/users.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t first = text.find('\n');
  const std::string_view rest = first == std::string_view::npos ? "" : text.substr(first + 1);
  const std::size_t middle = rest.find("\n--\n");
  const auto user =
      cloche::runtime::find_user(text.substr(0, first), rest.substr(0, middle),
                                 middle == std::string_view::npos ? "" : rest.substr(middle + 4));
  if (user.has_value()) {
    CHECK(user->uid != UINT32_MAX && user->gid != UINT32_MAX && user->groups.size() <= 1024);
  }
  return 0;
}
