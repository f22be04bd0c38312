// Conditions of dependencies (CEP 43): specs joined by "and", "or" and parentheses. For the files
// of the provider only.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "resolve/ids.h"

namespace cloche::source::conda_solving {

// Each a list of requirements that hold together.
using Alternatives = std::vector<std::vector<resolve::RequirementId>>;

// Nothing: the text cannot be read, or `requirement` gave nothing for one of its specs, or it is
// nested or multiplied beyond all sense.
std::optional<Alternatives> read_condition(
    std::string_view text,
    const std::function<std::optional<resolve::RequirementId>(std::string_view)>& requirement);

}  // namespace cloche::source::conda_solving
