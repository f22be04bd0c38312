// Files in public repositories are often templates: "{{latest-image-tag}}", "1-<VERSION>",
// "${{ secrets.X }}". They are no definitions yet; saying so helps more than naming a character.
#pragma once

#include <string>
#include <string_view>

namespace cloche::definition {

// The first placeholder in the text, as it stands there ("<VERSION>"), or "".
std::string_view find_placeholder(std::string_view text);

// "<VERSION> is a placeholder of a template: put the real value there first", or "".
std::string placeholder_hint(std::string_view text);

}  // namespace cloche::definition
