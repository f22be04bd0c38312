// An environment as a Dockerfile that docker or buildah builds elsewhere, without Cloche.
#pragma once

#include "core/result.h"
#include "definition/azureml_v2.h"
#include "definition/environment.h"

namespace cloche::definition {

// "Dockerfile" and the files that it copies: "environment.yml", "requirements.txt" and its
// "constraints.txt". Deterministic. The base comes first (an image, or the Dockerfile as it is),
// then apt packages, the conda environment in /opt/cloche/env, pip packages, variables; no caches
// stay. docs/formats/dockerfile.md, "Export", says how each is installed, and what is lost.
//
// kUnsupported: a build context (its directory is the export), Windows, a conda part for other
// systems only, a pip line that names a file of its author's machine, a variable with a line break.
// kInvalid: something that cannot stand in a Dockerfile, such as a base image that is no reference.
Result<WrittenFiles> write_dockerfile(const Environment& environment);

}  // namespace cloche::definition
