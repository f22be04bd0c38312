// What rows hold as text, as values.
#pragma once

#include <string>
#include <string_view>

#include "definition/environment.h"
#include "workspace/catalog.h"

namespace cloche::workspace {

// Tags and properties: a JSON object of strings. kCorrupt: something else.
std::string map_to_text(const definition::StringMap& map);
Result<definition::StringMap> map_from_text(std::string_view text);

// The definition with its locations. kCorrupt.
Result<definition::Definition> definition_of(const VersionRow& row);

}  // namespace cloche::workspace
