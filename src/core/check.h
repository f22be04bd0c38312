// CHECK: for what only a bug can break. Always on; never for bad input or a failing disk.
#pragma once

namespace cloche::detail {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace cloche::detail

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) [[unlikely]]                                    \
      ::cloche::detail::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
