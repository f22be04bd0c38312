// Dense ids that a provider hands out; the solver knows nothing else of packages.
#pragma once

#include <cstdint>

namespace cloche::resolve {

// A package name: at most one of its solvables is in a solution.
enum class NameId : std::uint32_t {};

// One concrete package (name, version, build, where from).
enum class SolvableId : std::uint32_t {};

// A condition on names ("python >=3.9,<3.13"); equal texts should share an id.
enum class RequirementId : std::uint32_t {};

inline std::uint32_t index(NameId id) { return static_cast<std::uint32_t>(id); }
inline std::uint32_t index(SolvableId id) { return static_cast<std::uint32_t>(id); }
inline std::uint32_t index(RequirementId id) { return static_cast<std::uint32_t>(id); }

}  // namespace cloche::resolve
