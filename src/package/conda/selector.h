// Platform selectors of environment.yml: the expression of `# [linux and x86_64]` and of
// `sel(linux): ...` (CEP 24, "Preprocessing selectors"; variables: conda-build, "Preprocessing
// selectors").
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::conda {

// The expression with single blanks and no needless ones around parentheses. The grammar is
// variables joined by `and`, `or`, `not` and parentheses, as in Python. kInvalid: anything else,
// with the nearest variable as the hint; then a comment in brackets is just a comment.
Result<std::string> canonical_selector(std::string_view text);

// Whether a selector that canonical_selector accepts holds on a platform ("linux-64"). The empty
// selector always holds, an invalid one never.
bool selector_matches(std::string_view selector, std::string_view platform);

// "linux", "osx", "unix", "linux64", "arm64", ...
std::span<const std::string_view> selector_variables();

}  // namespace cloche::conda
