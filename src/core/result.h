// Either a value or an Error. Errors are values: nothing throws across a module's border.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "core/error.h"

namespace cloche {

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error error)  // NOLINT(google-explicit-constructor): `return make_error(...)` is the point
      : std::expected<T, Error>(std::unexpect, std::move(error)) {}

  // Says what was being done; formats only when there is an error.
  template <class... Args>
  Result context(fmt::format_string<Args...> format, Args&&... args) && {
    if (!this->has_value()) [[unlikely]] {
      this->error().context.push_back(fmt::format(format, std::forward<Args>(args)...));
    }
    return std::move(*this);
  }
};

using Status = Result<void>;

// `return fail(ErrorKind::kInvalid, "{} is empty", path);`
template <class... Args>
Error fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return make_error(kind, format, std::forward<Args>(args)...);
}

namespace detail {

template <class T>
T take(Result<T>&& result) {
  if constexpr (std::is_void_v<T>) {
    return;
  } else {
    return std::move(*result);
  }
}

}  // namespace detail

// The value of an expression that gives a Result, or return its error from this function.
// A GNU statement expression: GCC and clang both have it, and it reads like the calls around it.
#define TRY(...) CLOCHE_TRY_NAMED(CLOCHE_TRY_JOIN(try_result_, __COUNTER__), __VA_ARGS__)

// A name of its own for each use, so that one TRY may stand inside another.
#define CLOCHE_TRY_JOIN(a, b) CLOCHE_TRY_JOIN_EXPANDED(a, b)
#define CLOCHE_TRY_JOIN_EXPANDED(a, b) a##b
#define CLOCHE_TRY_NAMED(name, ...)          \
  __extension__({                            \
    auto name = (__VA_ARGS__);               \
    if (!name.has_value()) [[unlikely]] {    \
      return std::move(name).error();        \
    }                                        \
    ::cloche::detail::take(std::move(name)); \
  })

}  // namespace cloche
