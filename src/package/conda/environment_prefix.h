// Where an environment lies in every image.
#pragma once

#include <string_view>

namespace cloche::conda {

// A constant, so that a package's files are the same for every environment in the world.
inline constexpr std::string_view kEnvironmentPrefix = "/opt/cloche/env";

}  // namespace cloche::conda
