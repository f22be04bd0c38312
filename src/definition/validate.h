// The rules of an environment and Azure's warnings, as diagnostics with stable rule names.
#pragma once

#include "core/diagnostic.h"
#include "definition/environment.h"

namespace cloche::definition {

// Errors: reserved-name, invalid-name, invalid-version, not-combinable (packages on top of a
// Dockerfile or a build context). Warnings: dockerfile-too-large (over Azure's 100 KB),
// image-without-tag, unpinned-package, pip-not-listed, pip-unpinned, several-pythons, no-python,
// no-channels.
// docs/manual/lint.md tells what each means. Reads nothing but its argument.
void validate(const Environment& environment, Diagnostics& diagnostics);

}  // namespace cloche::definition
