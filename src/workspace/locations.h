// A definition's locations apart from the definition: they say which file of whom asked for
// something, so they belong to a version, while the rest is stored once for all versions that say
// the same.
#pragma once

#include "core/json.h"
#include "definition/environment.h"

namespace cloche::workspace {

// Removes every location, and gives them as {"files": [text], "at": [[file, line, column] or null]}
// in the order base, channels, conda dependencies, pip lines, apt packages.
Json take_locations(definition::Definition& definition);

// Puts them back. kCorrupt: not the locations of this definition.
Status put_locations(definition::Definition& definition, const Json& locations);

}  // namespace cloche::workspace
