// The stored form of an environment: what the workspace, `env show --output json` and registries
// keep.
#pragma once

#include "core/json.h"
#include "definition/environment.h"

namespace cloche::definition {

// Everything, locations too; from_json(to_json(x)) == x, also through dump() and parse_json(), as
// long as x is what a parser makes (context files as their struct says).
// docs/formats/environment.md documents each field.
Json to_json(const Definition& definition);
Json to_json(const Environment& environment);

// kCorrupt: not what to_json writes. That includes context files that could leave their folder
// ("../x", an absolute path, a file below a link): stored forms come from other machines too.
// kUnsupported: written by a newer program.
Result<Definition> definition_from_json(const Json& json);
Result<Environment> environment_from_json(const Json& json);

}  // namespace cloche::definition
