// The curated environments: definitions that ship with the program. Read-only; the same in every
// workspace and never copied into one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "definition/environment.h"

namespace cloche::workspace {

// Every version, by name, then oldest first. Parsed at the first call; threads may share it.
const std::vector<definition::Environment>& curated_environments();

// Newest first; empty when there is none of the name.
std::vector<const definition::Environment*> curated_versions(std::string_view name);

// The version, or the newest when it is ""; nullptr: none.
const definition::Environment* find_curated(std::string_view name, std::string_view version);

}  // namespace cloche::workspace
